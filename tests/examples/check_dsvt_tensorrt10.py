"""Runs examples/dsvt_tensorrt10.py by `python -m hone.tensorrt` with several sizes and as two generations, whose
indices are int64 and int32, and compares its output with `hone run`, bit by bit. Where torch is there, the export, too.

usage: check_dsvt_tensorrt10.py HONE
"""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

sys.path[:0] = [str(ROOT / "tests" / "models"), str(ROOT / "examples")]
from dsvt_partition import random_inputs  # noqa: E402

DATA = pathlib.Path(os.environ.get("HONE_DATA", ROOT.parent / "shared" / "data")) / "models"


def command(*arguments, environment=None):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def check(hone, folder, model, inputs, generation, *extra):
    environment = {**os.environ, "PYTHONPATH": str(hone.parents[1] / "python"),
                   "HONE_TENSORRT_GENERATION": str(generation)}
    program, engine = ROOT / "examples/dsvt_tensorrt10.py", folder / "made.engine"
    text = command(sys.executable, "-m", "hone.tensorrt", program, model, inputs, "--engine", engine,
                   "--save", folder / "found.npz", "--runs", 3, *extra, environment=environment)
    assert f"TensorRT {generation}." in text, text
    assert re.search(r"^  input set_voxel_inds_tensor_shift_0 tensor\(int64\)", text, re.M), text
    difference = float(re.search(r"^largest difference (\S+) of", text, re.M)[1])
    assert difference < 1e-5, text
    with np.load(inputs) as file:
        names = [name for name in file.files if not name.startswith("out__")]
        np.savez(folder / "feed.npz", **{name.removeprefix("in__"): file[name] for name in names})
    command(hone, "run", engine, "--input", folder / "feed.npz", "-o", folder / "expected.npz", "--quiet")
    found, expected = np.load(folder / "found.npz")["output"], np.load(folder / "expected.npz")["output"]
    assert found.dtype == expected.dtype and found.tobytes() == expected.tobytes(), "the output differs from hone run"
    assert np.ptp(found) > 1, "the output says nothing"
    print(f"generation {generation}, {found.shape}: {difference:.1e} of ONNX Runtime's range")


def check_export(hone, folder, inputs):
    import torch

    import dsvt_blocks
    torch.manual_seed(1)
    model = dsvt_blocks.Blocks(2, 192, 384).eval()
    state = {f"backbone_3d.{name}": value for name, value in model.state_dict().items()}
    torch.save({"model_state": {**state, "dense_head.weight": torch.zeros(3)}}, folder / "checkpoint.pth")
    check(hone, folder, folder / "exported.onnx", inputs, 10, "--checkpoint", folder / "checkpoint.pth")
    with np.load(folder / "feed.npz") as file, torch.no_grad():
        expected = model(*(torch.from_numpy(file[name]) for name in dsvt_blocks.INPUTS)).numpy()
    np.testing.assert_allclose(np.load(folder / "found.npz")["output"], expected, rtol=0, atol=1e-5 * np.ptp(expected))


def main():
    hone, model = pathlib.Path(sys.argv[1]).resolve(), DATA / "dsvt_two_blocks.onnx"
    if not (hone.parents[1] / "python" / "hone" / "tensorrt").exists():
        print("skipped: Hone was built without its Python package")
        sys.exit(77)
    if not model.exists():
        print(f"skipped: there is no {model}; set HONE_DATA")
        sys.exit(77)
    # Tests run side by side: on one processor a thread never waits for another.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for generation in (10, 8):
            check(hone, folder, model, model.with_suffix(".npz"), generation)
        np.savez(folder / "random.npz", **random_inputs(np.random.default_rng(6), 700))
        for generation in (10, 8):
            check(hone, folder, model, folder / "random.npz", generation)
        if importlib.util.find_spec("torch"):
            check_export(hone, folder, folder / "random.npz")


if __name__ == "__main__":
    main()
