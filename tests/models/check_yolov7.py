"""Compares Hone with ONNX Runtime on YOLOv7 and YOLOv7-tiny in every output form, and `hone detect` with YOLOv7's own
post-processing written in NumPy.

usage: check_yolov7.py HONE [--quick]

The graphs come from scripts/make_yolov7.py. Outputs must agree to 1e-4 of their range. ONNX Runtime doesn't have the
suppression operators of TensorRT: what they must give is computed here from the output of the grid form.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import cv2
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import make_yolov7  # noqa: E402

TOLERANCE = 1e-4
SMALL = ["--width", "0.125", "--size", "128", "96", "--classes", "7"]
TOPK, CONF, IOU = 50, 0.25, 0.45
PAD = 114


def iou_of(a, boxes, longer):
    """`longer` is added to all sides."""
    low, high = np.maximum(a[:2], boxes[:, :2]), np.minimum(a[2:], boxes[:, 2:])
    common = np.maximum(high - low + longer, 0).prod(1)
    return common / ((a[2:] - a[:2] + longer).prod() + (boxes[:, 2:] - boxes[:, :2] + longer).prod(1) - common)


def suppress(boxes, scores, classes, limit, inclusive=False, longer=0):
    """Indices kept, best first; `inclusive`: an overlap equal to the threshold suppresses, too."""
    order, kept = np.argsort(-scores, kind="stable"), []
    while order.size and len(kept) < limit:
        best, rest = order[0], order[1:]
        kept.append(best)
        overlap = iou_of(boxes[best], boxes[rest], longer)
        dies = (overlap >= IOU if inclusive else overlap > IOU) & (classes[rest] == classes[best])
        order = rest[~dies]
    return kept


def corners(rows):
    return np.concatenate([rows[..., :2] - rows[..., 2:4] / 2, rows[..., :2] + rows[..., 2:4] / 2], -1)


def plugin_outputs(rows, batched):
    """Count, boxes, scores and classes of each picture from rows [B,N,5+classes], as EfficientNMS_TRT gives them or as
    BatchedNMSDynamic_TRT does."""
    batch = len(rows)
    out = [np.zeros((batch, 1), np.int32), np.zeros((batch, TOPK, 4), np.float32), np.zeros((batch, TOPK), np.float32),
           np.full((batch, TOPK), -1, np.float32) if batched else np.zeros((batch, TOPK), np.int32)]
    rules = {"longer": 1} if batched else {"inclusive": True}
    for i, picture in enumerate(rows):
        scores = picture[:, 4:5] * picture[:, 5:] if picture.shape[1] > 6 else picture[:, 4:5]
        row, label = np.nonzero(scores > CONF)
        boxes, scores = corners(picture)[row], scores[row, label]
        kept = suppress(boxes, scores, label, TOPK, **rules)
        n = len(kept)
        out[0][i, 0], out[1][i, :n], out[2][i, :n], out[3][i, :n] = n, boxes[kept], scores[kept], label[kept]
    return out


class Checker:
    def __init__(self, hone, folder):
        self.hone, self.folder, self.failures = hone, folder, 0
        self.random = np.random.default_rng(5)

    def make(self, name, options):
        path = self.folder / f"{name}.onnx"
        args = make_yolov7.parse_args([str(path), *options, "--topk", str(TOPK), "--conf", str(CONF), "--iou", str(IOU)])
        model = make_yolov7.Model(args).proto()
        onnx.save(model, path)
        return path, args

    def command(self, *arguments):
        result = subprocess.run([self.hone, *map(str, arguments)], capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"hone {arguments[0]} failed: {result.stderr[-500:]}")
        return result.stdout

    def engine(self, model):
        path = model.with_suffix(".hone")
        self.command("build", model, "-o", path, "--no-tune")
        return path

    def run_hone(self, engine, pictures):
        np.savez(self.folder / "in.npz", images=pictures)
        self.command("run", engine, "--input", f"images={self.folder / 'in.npz'}", "--output", self.folder / "out.npz")
        with np.load(self.folder / "out.npz") as outputs:
            return dict(outputs)

    def report(self, name, problem):
        print(f"{name}: {problem or 'ok'}", flush=True)
        self.failures += problem is not None

    def compare(self, name, found, expected):
        """Lists of arrays."""
        problem = None
        for a, b in zip(found, expected, strict=True):
            if a.shape != b.shape or a.dtype != b.dtype:
                problem = f"{a.dtype}{a.shape} instead of {b.dtype}{b.shape}"
            elif a.size:
                extent = max(np.ptp(b), np.abs(b).max(), 1e-30)
                error = np.abs(a.astype(np.float64) - b).max() / extent
                problem = problem or (f"differs by {error:.2e} of the range" if not error <= TOLERANCE else None)
        self.report(name, problem)

    def shapes(self, args):
        """Inputs to try."""
        height, width = args.size
        if args.dynamic:
            return [(1, height, width), (2, height + 64, width - 32)]
        return [(1, height, width), (3, height, width)] if args.dynamic_batch else [(args.batch, height, width)]

    def check_outputs(self, model, form, options):
        name = " ".join([model, form, *options])
        options = ["--model", model, *options]
        path, args = self.make("model", [*options, "--form", form])
        own_rules = form in ("end2end", "include-nms", "batched-nms")
        reference = self.make("grid", [*options, "--form", "grid"])[0] if own_rules else path
        session = onnxruntime.InferenceSession(str(reference), providers=["CPUExecutionProvider"])
        engine = self.engine(path)
        for batch, height, width in self.shapes(args):
            pictures = self.random.random((batch, 3, height, width), np.float32)
            found = self.run_hone(engine, pictures)
            expected = session.run(None, {"images": pictures})
            if own_rules:
                expected = plugin_outputs(expected[0], form == "batched-nms")
                names = [output.name for output in onnx.load(path).graph.output]
            else:
                names = [output.name for output in session.get_outputs()]
            self.compare(f"{name} [{batch},3,{height},{width}]", [found[n] for n in names], expected)

    def letterbox(self, picture, size, minimal):
        height, width = picture.shape[:2]
        scale = min(size[0] / height, size[1] / width)
        inner = round(width * scale), round(height * scale)
        dw, dh = size[1] - inner[0], size[0] - inner[1]
        if minimal:
            dw, dh = dw % 32, dh % 32
        picture = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR)
        left, top = round(dw / 2 - 0.1), round(dh / 2 - 0.1)
        return cv2.copyMakeBorder(picture, top, dh - top, left, dw - left, cv2.BORDER_CONSTANT, value=(PAD,) * 3)

    def expected_boxes(self, session, picture, size, minimal):
        """What YOLOv7's detect.py finds, from the grid form: boxes, scores, classes."""
        padded = self.letterbox(picture, size, minimal)
        tensor = padded[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)
        rows = session.run(None, {"images": tensor})[0][0]
        rows = rows[rows[:, 4] > CONF]
        scores = rows[:, 4:5] * rows[:, 5:]
        label = scores.argmax(1)
        scores = scores.max(1)
        sure = scores > CONF
        boxes, scores, label = corners(rows)[sure], scores[sure], label[sure]
        kept = suppress(boxes, scores, label, 300)
        height, width = picture.shape[:2]
        gain = min(padded.shape[0] / height, padded.shape[1] / width)
        pad = (padded.shape[1] - width * gain) / 2, (padded.shape[0] - height * gain) / 2
        boxes = (boxes[kept] - np.array(pad * 2)) / gain
        return boxes.clip(0, [width, height] * 2), scores[kept], label[kept]

    def check_detect(self, model, form, options):
        name = " ".join(["detect", model, form, *options])
        minimal = "--dynamic" in options
        path, args = self.make("model", ["--model", model, "--form", form, "--metadata", *SMALL, *options])
        grid = self.make("grid", ["--model", model, "--form", "grid", *SMALL, *options])[0]
        session = onnxruntime.InferenceSession(str(grid), providers=["CPUExecutionProvider"])
        picture = self.random.integers(0, 256, (150, 203, 3), dtype=np.uint8)
        cv2.imwrite(str(self.folder / "picture.png"), picture)
        size = ["--height", args.size[0], "--width", args.size[1]] if minimal else []
        out = self.command("detect", path, self.folder / "picture.png", "--json", "--no-cache", "--no-tune", *size)
        found = json.loads(out)["images"][0]
        boxes, scores, classes = self.expected_boxes(session, picture, args.size, minimal)
        self.report(f"{name}, {len(boxes)} boxes", self.difference(found, boxes, scores, classes))

    def difference(self, found, boxes, scores, classes):
        if found["classes"] != classes.tolist():
            return f"classes {found['classes']} instead of {classes.tolist()}"
        if len(boxes) == 0:
            return "the picture shows nothing: choose another seed"
        if np.abs(np.array(found["scores"]) - scores).max() > 1e-3:
            return "scores differ"
        if np.abs(np.array(found["boxes"]) - boxes).max() > 0.05:
            return "boxes differ"
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("hone")
    parser.add_argument("--quick", action="store_true", help="leave out the full-size models")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(args.hone, pathlib.Path(folder))
        for model in ("yolov7", "yolov7-tiny"):
            for form in make_yolov7.FORMS:
                checker.check_outputs(model, form, [*SMALL, "--batch", "2"])
                checker.check_outputs(model, form, [*SMALL, "--dynamic-batch"])
            checker.check_outputs(model, "end2end", [*SMALL[:-1], "1"])
            for form in ("raw", "grid"):
                checker.check_outputs(model, form, [*SMALL, "--dynamic"])
                checker.check_detect(model, form, [])
                checker.check_detect(model, form, ["--dynamic"])
            checker.check_detect(model, "max-wh", ["--max-wh", "4096"])
            for form in () if args.quick else make_yolov7.FORMS:
                checker.check_outputs(model, form, ["--size", "640"])
        print("FAILED" if checker.failures else "passed")
        sys.exit(1 if checker.failures else 0)


if __name__ == "__main__":
    main()
