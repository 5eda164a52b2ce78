"""Compares Hone with ONNX Runtime on YOLOv7 graphs in every form of output.

usage: yolov7_forms.py HONE [--model yolov7-tiny] [--size 640] [--width 1] [--forms raw grid ...]

Forms that ONNX Runtime runs must agree to 1e-4 of the output's range. Those that end in TensorRT's suppression are
compared with a plain NumPy suppression of what Hone's own `grid` form gives.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
FORMS = ("raw", "grid", "end2end", "include-nms", "batched-nms", "max-wh")
CONF, IOU, TOPK = 0.25, 0.45, 100


def make(folder, form, args):
    path = os.path.join(folder, f"{form}.onnx")
    command = [sys.executable, str(SCRIPTS / "make_yolov7.py"), path, "--form", form, "--model", args.model]
    command += ["--size", str(args.size), "--width", str(args.width), "--conf", str(CONF), "--iou", str(IOU)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def run_hone(args, model, images):
    """Outputs by name, built without tuning and run once by the command line."""
    folder = os.path.dirname(model)
    np.save(os.path.join(folder, "images.npy"), images)
    result = os.path.join(folder, "out.npz")
    subprocess.run([args.hone, "run", model, "--no-tune", "--input", f"images={folder}/images.npy", "--output", result],
                   check=True, stdout=subprocess.DEVNULL)
    with np.load(result) as outputs:
        return dict(outputs)


def check(name, actual, expected, tolerance=1e-4):
    assert actual.shape == expected.shape, f"{name}: shape {actual.shape}, expected {expected.shape}"
    span = float(expected.max() - expected.min()) if expected.size else 0.0
    error = float(np.abs(actual.astype(np.float64) - expected).max()) / (span or 1.0) if expected.size else 0.0
    assert error <= tolerance, f"{name}: differs by {error:.1e} of the range"
    print(f"  {name:28} {str(actual.shape):22} {error:.1e} of the range")


def corners(boxes):
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


def iou(box, others):
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    return both / np.maximum(areas - both, 1e-12)


def suppress(grid):
    """Greedy suppression by class of every (row, class) above CONF: boxes, scores, classes of the best TOPK."""
    scores = grid[:, 5:] * grid[:, 4:5]
    rows, classes = np.nonzero(scores >= CONF)
    order = np.argsort(-scores[rows, classes], kind="stable")
    rows, classes, boxes = rows[order], classes[order], corners(grid[:, :4])
    kept = []
    for row, cls in zip(rows, classes):
        same = [r for r, c in kept if c == cls]
        if same and (iou(boxes[row], boxes[same]) > IOU).any():
            continue
        kept.append((row, cls))
        if len(kept) == TOPK:
            break
    rows, classes = np.array(kept, dtype=int).reshape(-1, 2).T
    return boxes[rows], scores[rows, classes], classes


def check_suppressed(form, outputs, grid):
    number, boxes, scores, classes = outputs.values()
    expected = suppress(grid)
    count = int(number.reshape(-1)[0])
    assert count == len(expected[0]), f"{form}: {count} boxes, expected {len(expected[0])}"
    # The axis order and coding of `include-nms` is corners already: it is only run and counted there.
    check(f"{form} scores", scores[0, :count], expected[1])
    if form != "include-nms":
        check(f"{form} boxes", boxes[0, :count], expected[0])
        assert (classes[0, :count] == expected[2]).all(), f"{form}: classes differ"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hone")
    parser.add_argument("--model", default="yolov7-tiny")
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--width", type=float, default=1)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=FORMS)
    args = parser.parse_args()
    images = np.random.default_rng(5).random((1, 3, args.size, args.size), dtype=np.float32)
    print(f"{args.model} {args.size}, width {args.width}")
    grid = None
    with tempfile.TemporaryDirectory() as folder:
        for form in args.forms:
            model = make(folder, form, args)
            outputs = run_hone(args, model, images)
            if form == "grid":
                grid = outputs["output"][0]
            if form in ("raw", "grid", "max-wh"):
                session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
                for output, expected in zip(session.get_outputs(), session.run(None, {"images": images})):
                    check(f"{form} {output.name}", outputs[output.name], expected)
            elif grid is not None and form != "include-nms":
                check_suppressed(form, outputs, grid)
            os.remove(model)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as failure:
        sys.exit(f"FAILED: {failure}")
