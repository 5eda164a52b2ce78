#!/bin/bash
# Shows Hone at work; `make demo` calls it.
# usage: demo.sh HONE MODEL IMAGE   (empty: the shipped YOLOv7-tiny and its street pictures)
set -euo pipefail
hone=$1
model=${2:-models/yolov7_tiny_street.onnx}
image=${3:-models/samples/image_2}
out=build/demo
mkdir -p "$out"

"$hone" detect "$model" "$image" -o "$out/" --json "$out/boxes.json"
echo "the pictures with boxes are in $out"
