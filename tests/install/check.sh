#!/bin/bash
# Installs the build into a fresh folder, builds the programs here against it and runs them.
# usage: check.sh BUILD_FOLDER SCRATCH_FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1
scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch"
cmake --install "$build" --prefix "$scratch/prefix" > "$scratch/install.log"
cmake -S "$here" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_BUILD_TYPE=Release > "$scratch/configure.log"
cmake --build "$scratch/build"
# relu.onnx: y = Relu(x), float32[4].
printf '\x08\x08\x3a\x33\x0a\x0c\x0a\x01x\x12\x01y\x22\x04Relu\x12\x01g\x5a\x0f\x0a\x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x04\x62\x0f\x0a\x01y\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x04\x42\x02\x10\x0d' > "$scratch/relu.onnx"
"$scratch/build/build_engine" "$scratch/relu.onnx" "$scratch/relu.hone"
"$scratch/build/run_engine" "$scratch/relu.hone"
"$scratch/prefix/bin/hone" inspect "$scratch/relu.hone" > /dev/null
! ldd "$scratch/build/run_engine" | grep -q 'libhone\.so' || { echo "hone::runtime pulls libhone in"; exit 1; }
! nm -DC --defined-only "$scratch"/prefix/lib*/libhone.so | grep -q ' protozero::' || { echo "protozero leaks"; exit 1; }
echo "the installed tree builds and runs outside programs"
