#!/bin/bash
# Installs the Debian packages of debian_packages.txt that are missing. Needs root for that; without it, says what to
# install. Other versions than the pinned ones are reported and used.
set -euo pipefail
list=$(dirname "$0")/debian_packages.txt

if ! command -v dpkg-query > /dev/null; then
  echo "this isn't a Debian system; Hone is built and tested on Debian 12. It needs what these packages hold:" >&2
  grep -v '^#' "$list" >&2
  exit 0
fi

# "4:12.2.0-3" -> "12.2.0-3"; empty when the package isn't installed.
installed_version() {
  dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2> /dev/null | sed -n 's/^installed \([0-9]*:\)\?//p' || true
}

missing=()
while read -r package version; do
  [ -n "$(installed_version "$package")" ] || missing+=("$package")
done < <(grep -v '^#' "$list")

if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    echo "these packages are missing; install them as root and run make again:" >&2
    echo "  apt-get update && $install" >&2
    exit 1
  fi
  apt-get update
  DEBIAN_FRONTEND=noninteractive $install
fi

while read -r package version; do
  have=$(installed_version "$package")
  case "$have" in
    "$version"*) ;;
    *) echo "note: $package is $have, Hone is tested with $version" >&2 ;;
  esac
done < <(grep -v '^#' "$list")
