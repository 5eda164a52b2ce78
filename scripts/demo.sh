#!/bin/bash
# Shows Hone at work; `make demo` calls it.
# usage: demo.sh HONE MODEL IMAGE   (MODEL and IMAGE may be empty)
set -euo pipefail
hone=$1
model=$2
image=$3
data=${HONE_DATA:-../shared/data}
out=build/demo
mkdir -p "$out"

if [ -z "$model" ] && [ -f "$data/models/yolox_nano.onnx" ]; then model=$data/models/yolox_nano.onnx; fi
if [ -z "$image" ] && [ -d "$data/images" ]; then image=$data/images; fi

if [ -n "$model" ] && [ -n "$image" ]; then
  "$hone" detect "$model" "$image" -o "$out/" --json "$out/boxes.json"
  echo "the pictures with boxes are in $out"
  exit
fi

echo "No model and picture: give both as 'make demo MODEL=yolov7.onnx IMAGE=street.jpg'. Meanwhile, a tiny YOLOv7 with random weights:"
make --no-print-directory build/venv/ok > /dev/null
build/venv/bin/python scripts/make_yolov7.py "$out/random.onnx" --model yolov7-tiny --form grid --size 320 --width 0.25 --classes 3
"$hone" build "$out/random.onnx" -o "$out/random.hone"
"$hone" inspect "$out/random.hone"
"$hone" bench "$out/random.hone" --duration 1 --layers 5
