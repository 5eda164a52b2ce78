#!/bin/sh
# Runs one file of tests. usage: run.sh PYTHON FILE     exit code 77: that Python has no torch
cd "$(dirname "$0")/.." || exit 1
"$1" -c "import torch" 2> /dev/null || { echo "skipped: $1 has no torch (Debian: python3-torch)"; exit 77; }
exec "$1" -m unittest discover -s tests -p "$2"
