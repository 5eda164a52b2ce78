"""Checks the shipped YOLOv7-tiny (models/) on the shipped frames: the engine's rows against ONNX Runtime's, its inner
maps and its detections against what PyTorch computed (models/golden, written by hone_zoo.yolov7.golden), and what
`hone detect` finds against the frames' labels.

usage: check_shipped_yolov7.py HONE
"""

import hashlib
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

MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"
MODEL = MODELS / "yolov7_tiny_street.onnx"
PICTURES = MODELS / "samples/image_2"
TOLERANCE = 1e-4  # of the range
SAME_BOX, SAME_SCORE = 0.98, 0.01
GREY = 114
# An object counts if it is so high, and not hidden or cut by more; it is found by a box of its class that overlaps so.
HEIGHT, OCCLUSION, TRUNCATION, OVERLAP = 25, 1, 0.3, 0.5
CAR_OVERLAP, CAR_RECALL, RECALL, SURE, PRECISION = 0.7, 0.95, 0.9, 0.5, 0.95


def iou(a, b):
    """[N, M] of corner boxes [N, 4] and [M, 4]."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clip(0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    return common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-9)


def labels(name):
    """Of a frame: types, boxes [N, 4], and which count."""
    lines = [line.split() for line in (MODELS / f"samples/label_2/{name}.txt").read_text().splitlines()]
    boxes = np.array([line[4:8] for line in lines], np.float64).reshape(-1, 4)
    counts = [
        line[0] != "DontCare" and float(line[1]) <= TRUNCATION and int(line[2]) <= OCCLUSION and y1 - y0 >= HEIGHT
        for line, (_, y0, _, y1) in zip(lines, boxes)
    ]
    return np.array([line[0] for line in lines]), boxes, np.array(counts, bool)


class Checker:
    def __init__(self, hone, folder):
        self.hone, self.folder, self.failed = hone, folder, False
        with np.load(MODELS / "golden/yolov7_tiny_street.npz") as arrays:
            self.golden = dict(arrays)

    def report(self, name, good, text):
        print(f"{name}: {text}{'' if good else ': FAILED'}", flush=True)
        self.failed |= not good

    def command(self, *arguments):
        result = subprocess.run([self.hone, *map(str, arguments)], capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"hone {arguments[0]} failed: {result.stderr[-500:]}")
        return result.stdout

    def run_hone(self, model, pictures):
        np.savez(self.folder / "in.npz", images=pictures)
        self.command("run", model, "--no-cache", "--no-tune", "--input", self.folder / "in.npz",
                     "--output", self.folder / "out.npz")
        with np.load(self.folder / "out.npz") as outputs:
            return dict(outputs)

    def inputs(self):
        """The golden frames in the middle of grey, as the golden stages saw them: [B, 3, 384, 1248]."""
        pictures = []
        for name, digest in zip(self.golden["pictures"], self.golden["sha256"]):
            picture = np.ascontiguousarray(cv2.imread(str(PICTURES / name))[..., ::-1])
            same = hashlib.sha256(picture.tobytes()).hexdigest() == digest
            self.report(str(name), same, "pixels of the golden run" if same else "OpenCV decodes other pixels")
            top, left = (384 - picture.shape[0]) // 2, (1248 - picture.shape[1]) // 2
            padded = np.full((384, 1248, 3), GREY, np.uint8)
            padded[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
            pictures.append(padded.transpose(2, 0, 1))
        return np.stack(pictures).astype(np.float32) / np.float32(255)

    def compare(self, name, found, expected):
        extent = max(np.ptp(expected), np.abs(expected).max())
        error = np.abs(found.astype(np.float64) - expected).max() / extent if found.shape == expected.shape else np.inf
        self.report(name, error <= TOLERANCE, f"differs by {error:.1e} of the range")

    def check_rows(self, pictures):
        """The shipped file, as it is."""
        session = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
        found, (expected,) = self.run_hone(MODEL, pictures)["output"], session.run(None, {"images": pictures})
        for part, columns in (("boxes", slice(0, 4)), ("scores", slice(4, None))):
            self.compare(f"{part} and ONNX Runtime's", found[..., columns], expected[..., columns])

    def check_stages(self, pictures):
        """The file with inner values as outputs, too."""
        stages = {key.removeprefix("stage/"): value for key, value in self.golden.items() if key.startswith("stage/")}
        model = onnx.load(MODEL)
        model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in stages if name != "output")
        model = onnx.shape_inference.infer_shapes(model)
        onnx.save(model, self.folder / "stages.onnx")
        found = self.run_hone(self.folder / "stages.onnx", pictures)
        for name, expected in stages.items():
            sample = found[name].reshape(len(pictures), -1)[:, :: int(self.golden["stride"])]
            self.compare(f"{name} and PyTorch's", sample, expected)

    def check_detections(self, found):
        for name in self.golden["pictures"]:
            boxes, scores, classes = (self.golden[f"{name}/{key}"] for key in ("boxes", "scores", "classes"))
            mine = found[str(name)]
            overlap = iou(boxes, np.array(mine["boxes"]).reshape(-1, 4))
            overlap[classes[:, None] != np.array(mine["classes"])[None]] = 0
            partner = overlap.argmax(1)
            box, score = overlap.max(1).min(), np.abs(scores - np.array(mine["scores"])[partner]).max()
            good = len(set(partner)) == len(boxes) == len(mine["boxes"]) and box > SAME_BOX and score < SAME_SCORE
            text = f"{len(mine['boxes'])} boxes, PyTorch has {len(boxes)}; IoU from {box:.3f}, scores within {score:.4f}"
            self.report(f"detections in {name}", good, text)

    def check_labels(self, found):
        objects, hits, sure, right = {}, {}, 0, 0
        for name, mine in found.items():
            types, boxes, counts = labels(pathlib.Path(name).stem)
            own, own_types = np.array(mine["boxes"]).reshape(-1, 4), np.array(mine["labels"], str)
            overlap = iou(boxes, own)
            same = types[:, None] == own_types[None]
            for kind in set(types[counts]):
                rows = counts & (types == kind)
                limit = CAR_OVERLAP if kind == "Car" else OVERLAP
                objects[kind] = objects.get(kind, 0) + rows.sum()
                hits[kind] = hits.get(kind, 0) + ((overlap * same)[rows] >= limit).any(1).sum()
            confident = np.array(mine["scores"]) >= SURE
            sure += confident.sum()
            right += ((overlap * (same | (types == "DontCare")[:, None]))[:, confident] >= OVERLAP).any(0).sum()
        for kind, count in objects.items():
            self.report(f"{kind}", True, f"{hits[kind]} of {count} found")
        cars, rest = hits["Car"] / objects["Car"], sum(hits.values()) / sum(objects.values())
        self.report("recall", cars >= CAR_RECALL and rest >= RECALL, f"cars {cars:.3f}, all {rest:.3f}")
        self.report("precision", right >= PRECISION * sure, f"{right} of {sure} sure boxes are right")


def main():
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(sys.argv[1], pathlib.Path(folder))
        pictures = checker.inputs()
        checker.check_rows(pictures)
        checker.check_stages(pictures)
        images = json.loads(checker.command("detect", MODEL, PICTURES, "--json", "--no-cache", "--no-tune"))["images"]
        found = {pathlib.Path(image["image"]).name: image for image in images}
        checker.report("frames", len(found) == 10, f"{len(found)}")
        checker.check_detections(found)
        checker.check_labels(found)
        print("FAILED" if checker.failed else "passed")
        sys.exit(1 if checker.failed else 0)


if __name__ == "__main__":
    main()
