#!/bin/bash
# Measures models; `make bench` calls it. One JSON per model goes to build/bench.
# usage: bench.sh HONE MODEL   (MODEL may be empty: the models of the data folder)
set -euo pipefail
hone=$1
data=${HONE_DATA:-../shared/data}
out=build/bench
mkdir -p "$out"
models=("$2")
[ -n "$2" ] || models=("$data"/models/*.onnx)
for model in "${models[@]}"; do
  if [ ! -f "$model" ]; then
    echo "there is no model to measure: give one as 'make bench MODEL=yolov7.onnx'"
    exit 2
  fi
  name=$(basename "$model" .onnx)
  arrays=${model%.onnx}.npz
  inputs=()
  [ ! -f "$arrays" ] || inputs=(--input "$arrays")
  "$hone" build "$model" -o "$out/$name.hone" --quiet
  echo "--- $name"
  "$hone" bench "$out/$name.hone" "${inputs[@]}"
  "$hone" bench "$out/$name.hone" "${inputs[@]}" --json > "$out/$name.json"
done
