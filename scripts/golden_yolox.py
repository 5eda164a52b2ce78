"""Boxes of a YOLOX model from ONNX Runtime and OpenCV, with the pre- and post-processing that YOLOX publishes for its
ONNX files: what Hone's detector is compared with.

    python scripts/golden_yolox.py MODEL.onnx FOLDER -o golden.json [--score 0.25] [--nms 0.45]

Steps: the picture (BGR, 0 to 255) is scaled by r = min(H / h, W / w) to int(w * r) x int(h * r) pixels with INTER_LINEAR
into the top left corner of the input, 114 elsewhere; each row of the output is a cell of the maps with strides 8, 16 and
32: centre (p + cell) * stride, size exp(p) * stride; a box's score is objectness times its best class; suppression is
greedy, without regard to classes, on boxes in the picture's pixels whose border pixels both count.

Needs numpy, opencv-python-headless and onnxruntime.
"""

import argparse
import json
import pathlib

import cv2
import numpy as np
import onnxruntime

STRIDES = (8, 16, 32)
PAD = 114


def prepare(picture, height, width):
    """[1,3,height,width] floats, and the scale."""
    scale = min(height / picture.shape[0], width / picture.shape[1])
    size = int(picture.shape[1] * scale), int(picture.shape[0] * scale)
    padded = np.full((height, width, 3), PAD, np.uint8)
    padded[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return padded.transpose(2, 0, 1)[None].astype(np.float32), scale


def decode(rows, height, width):
    """Corners in input pixels, [N,4]."""
    cells, strides = [], []
    for stride in STRIDES:
        ys, xs = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([xs.ravel(), ys.ravel()], 1))
        strides.append(np.full((xs.size, 1), stride))
    cells, strides = np.concatenate(cells), np.concatenate(strides)
    centre = (rows[:, :2] + cells) * strides
    half = np.exp(rows[:, 2:4]) * strides / 2
    return np.concatenate([centre - half, centre + half], 1)


def suppress(boxes, scores, threshold):
    """Indices kept, best first."""
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = np.maximum(0, high - low + 1).prod(1)
        order = rest[common / (areas[best] + areas[rest] - common) <= threshold]
    return kept


def detect(session, path, score_threshold, nms_threshold):
    picture = cv2.imread(str(path))
    height, width = session.get_inputs()[0].shape[2:]
    tensor, scale = prepare(picture, height, width)
    rows = session.run(None, {session.get_inputs()[0].name: tensor})[0][0]
    boxes = decode(rows, height, width) / scale
    classes = rows[:, 4:5] * rows[:, 5:]
    best = classes.argmax(1)
    scores = classes[np.arange(len(best)), best]
    sure = scores > score_threshold
    boxes, best, scores = boxes[sure], best[sure], scores[sure]
    kept = suppress(boxes, scores, nms_threshold)
    return {
        "image": path.name,
        "width": picture.shape[1],
        "height": picture.shape[0],
        "boxes": [[round(float(v), 3) for v in boxes[i]] for i in kept],
        "scores": [round(float(scores[i]), 6) for i in kept],
        "classes": [int(best[i]) for i in kept],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("pictures", type=pathlib.Path, help="a folder of .jpg and .png files")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--score", type=float, default=0.25)
    parser.add_argument("--nms", type=float, default=0.45)
    args = parser.parse_args()
    session = onnxruntime.InferenceSession(str(args.model), providers=["CPUExecutionProvider"])
    paths = sorted(p for p in args.pictures.iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    images = [detect(session, path, args.score, args.nms) for path in paths]
    lines = ",\n".join("  " + json.dumps(image) for image in images)
    args.output.write_text(f'{{"score": {args.score}, "nms": {args.nms}, "images": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
