"""Compares Hone with ONNX Runtime on DSVT blocks at many random sizes.

usage: check_dsvt.py HONE [--model MODEL.onnx] [--sizes 200]

Builds one engine without shapes, runs it on valid partitions of random clouds and fails when an output differs by
more than 1e-3 of its range. The model is the data folder's dsvt_two_blocks.onnx (HONE_DATA, ../shared/data).
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from dsvt_partition import random_inputs

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run_hone(hone, engine, inputs, folder):
    """The engine's outputs for `inputs`, through the command line."""
    np.savez(os.path.join(folder, "in.npz"), **inputs)
    command = [hone, "run", engine, "--output", os.path.join(folder, "out.npz")]
    for name in inputs:
        command += ["--input", f"{name}={os.path.join(folder, 'in.npz')}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with np.load(os.path.join(folder, "out.npz")) as outputs:
        return dict(outputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hone")
    data = pathlib.Path(os.environ.get("HONE_DATA", ROOT / "../shared/data"))
    parser.add_argument("--model", type=pathlib.Path, default=data / "models/dsvt_two_blocks.onnx")
    parser.add_argument("--sizes", type=int, default=200)
    args = parser.parse_args()
    if not args.model.exists():
        print(f"skipped: there is no {args.model}; set HONE_DATA")
        sys.exit(77)
    rng = np.random.default_rng(20)
    session = onnxruntime.InferenceSession(str(args.model), providers=["CPUExecutionProvider"])
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        engine = os.path.join(folder, "dsvt.hone")
        subprocess.run([args.hone, "build", str(args.model), "-o", engine], check=True, stdout=subprocess.DEVNULL)
        for i in range(args.sizes):
            # Log-uniform, so that tiny clouds are as common as large ones; the first has one pillar only.
            pillars = 1 if i == 0 else int(np.exp(rng.uniform(0, np.log(2500))))
            inputs = random_inputs(rng, pillars)
            expected = session.run(["output"], inputs)[0]
            actual = run_hone(args.hone, engine, inputs, folder)["output"]
            error = float(np.abs(actual - expected).max() / np.abs(expected).max())
            worst = max(worst, error)
            if actual.shape != expected.shape or not error <= 1e-3:
                sys.exit(f"size {i} ({pillars} pillars): shape {actual.shape}, error {error:.2e} of the range")
    print(f"{args.sizes} sizes agree with ONNX Runtime; the largest error is {worst:.1e} of the range")


if __name__ == "__main__":
    main()
