"""Runs examples/yolov7_tensorrt7.py by `python -m hone.tensorrt` on YOLOv7-tiny ending in BatchedNMS and EfficientNMS,
and compares its outputs with `hone run`, bit by bit, and its drawing with the boxes it prints.

usage: check_yolov7_tensorrt7.py HONE
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
try:
    import cv2
    import numpy as np
    import onnx  # noqa: F401, for make_yolov7
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

RUNS = 200
FORMS = {
    "batched-nms": {"num_detections": "int32", "nmsed_boxes": "float32", "nmsed_scores": "float32",
                    "nmsed_classes": "float32"},
    "end2end": {"num_dets": "int32", "det_boxes": "float32", "det_scores": "float32", "det_classes": "int32"},
}
SIZE = ["--width", "0.125", "--size", "160", "128", "--classes", "7", "--topk", "20", "--conf", "0.2"]


def picture(path):
    """A photo if there is one, else patches of plain colors."""
    photo = pathlib.Path(os.environ.get("HONE_DATA", ROOT.parent / "shared" / "data")) / "images" / "horses.jpg"
    image = cv2.imread(str(photo))
    if image is None:
        patches = np.random.default_rng(2).integers(0, 256, (6, 8, 3)).astype(np.uint8)
        image = cv2.resize(patches, (640, 480), interpolation=cv2.INTER_NEAREST)
    cv2.imwrite(str(path), image)
    return image


def command(*arguments, environment=None):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def check_drawing(image, drawn, text):
    """The box printed last was drawn last: its visible edges have one color. All changes lie at boxes or labels."""
    boxes = np.array([line.split()[5:] for line in text.splitlines() if line.startswith("  class")], int)
    assert len(boxes), "no boxes"
    changed = (drawn != image).any(2)
    assert changed.any(), "nothing was drawn"
    near = np.zeros_like(changed, np.uint8)
    for x0, y0, x1, y1 in boxes.tolist():
        cv2.rectangle(near, (x0, y0), (x1, y1), 1, 2)
        near[max(y0, 0) : max(y0, 0) + 22, max(x0, 0) : max(x0, 0) + 80] = 1
    assert not (changed & (near == 0)).any(), "something was drawn away from the boxes"
    x0, y0, x1, y1 = boxes[-1]
    edge = np.zeros_like(changed, np.uint8)
    cv2.rectangle(edge, (int(x0), int(y0)), (int(x1), int(y1)), 1, 1)
    edge[max(y0, 0) : max(y0, 0) + 22, max(x0, 0) : max(x0, 0) + 80] = 0
    assert len(np.unique(drawn[edge == 1], axis=0)) <= 1, "the last box isn't whole"


def check(hone, folder, form, dtypes):
    model, engine = folder / f"{form}.onnx", folder / f"{form}.engine"
    command(sys.executable, ROOT / "scripts/make_yolov7.py", model, "--model", "yolov7-tiny", "--form", form, *SIZE,
            "--dynamic-batch")
    shapes = "images=1x3x160x128:2x3x160x128:2x3x160x128"
    command(hone, "build", model, "-o", engine, "--no-tune", "--quiet", "--shape", shapes)
    image = picture(folder / "in.png")
    package = pathlib.Path(hone).resolve().parents[1] / "python"
    environment = {**os.environ, "PYTHONPATH": str(package), "HONE_TENSORRT_GENERATION": "7"}
    program = ROOT / "examples/yolov7_tensorrt7.py"
    text = command(sys.executable, "-m", "hone.tensorrt", program, engine, folder / "in.png", "--runs", RUNS,
                   "--output", folder / "out.png", "--save", folder / "found.npz", environment=environment)
    assert re.search(r"^device memory [1-9]\d* bytes, max batch 1, 5 bindings, \d\d+ layers$", text, re.M), text
    assert re.search(rf"^\d+\.\d+ ms a run, mean of {RUNS} with both copies$", text, re.M), text

    found = np.load(folder / "found.npz")
    np.savez(folder / "feed.npz", images=found["images"])
    assert found["images"].shape == (2, 3, 160, 128), "the profile's largest batch"
    command(hone, "run", engine, "--input", folder / "feed.npz", "-o", folder / "expected.npz", "--quiet")
    expected = np.load(folder / "expected.npz")
    assert set(expected.files) == set(dtypes)
    for name, dtype in dtypes.items():
        assert found[name].dtype == dtype, f"{name}: {found[name].dtype}"
        assert found[name].tobytes() == expected[name].tobytes(), f"{name} differs from hone run"
    assert found[next(iter(dtypes))].min() > 0, "nothing was detected"
    check_drawing(image, cv2.imread(str(folder / "out.png")), text)
    print(f"{form}: {text.splitlines()[-1]}")


def main():
    hone = pathlib.Path(sys.argv[1]).resolve()
    if not (hone.parents[1] / "python" / "hone" / "tensorrt").exists():
        print("skipped: Hone was built without its Python package")
        sys.exit(77)
    # Tests run side by side: on one processor a thread never waits for another.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
    with tempfile.TemporaryDirectory() as folder:
        for form, dtypes in FORMS.items():
            check(hone, pathlib.Path(folder), form, dtypes)


if __name__ == "__main__":
    main()
