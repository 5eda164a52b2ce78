#!/bin/bash
# Formats all C++ sources with clang-format 14; with --check it only names those that aren't formatted, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

files() {
  find $(ls -d include src pipelines tools python tests bench 2> /dev/null) \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) -print0
}

if [ "${1:-}" != --check ]; then
  files | xargs -0 -P 2 -n 40 clang-format-14 -i
  exit
fi
unformatted=$(files | xargs -0 -P 2 -n 40 clang-format-14 --dry-run 2>&1 | grep -o '^[^:]*' | grep -E '^(include|src|pipelines|tools|python|tests|bench)/' | sort -u || true)
if [ -n "$unformatted" ]; then
  echo "$unformatted"
  echo "$(echo "$unformatted" | wc -l) files aren't formatted; 'make format' does it"
  exit 1
fi
