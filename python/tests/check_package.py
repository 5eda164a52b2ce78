"""Installs the package into a fresh environment that has NumPy alone, and uses it there from another folder.

usage: check_package.py SOURCES   run by the Python whose environment has the build's requirements
"""

import os
import pathlib
import subprocess
import sys
import sysconfig
import tempfile

# The model is made here, where the `onnx` package is; the fresh environment gets its bytes in a file.
USE = """
import sys
import numpy as np
import hone
assert "onnx" not in sys.modules and hone.__file__.startswith(sys.prefix), hone.__file__
x = np.random.default_rng(1).standard_normal((2, 3)).astype(np.float32)
assert np.array_equal(hone.build("model.onnx", "model.hone")(x)["y"], -x)
assert np.array_equal(hone.load("model.hone")(x)["y"], -x)
import hone.onnxruntime
assert np.array_equal(hone.onnxruntime.InferenceSession("model.hone").run(None, {"x": x})[0], -x)
"""


def run(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def link_numpy(environment: pathlib.Path) -> None:
    """NumPy of this environment in the fresh one, without a download."""
    here = pathlib.Path(sysconfig.get_path("purelib"))
    there = environment / here.relative_to(sys.prefix)
    for part in here.glob("numpy*"):
        (there / part.name).symlink_to(part)


def write_model(path: pathlib.Path) -> None:
    from onnx import TensorProto, helper, save
    value = helper.make_tensor_value_info
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "g", [value("x", TensorProto.FLOAT, ["N", 3])],
                              [value("y", TensorProto.FLOAT, ["N", 3])])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def main() -> None:
    sources = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        clean["XDG_CACHE_HOME"] = str(folder / "cache")
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-build-isolation",
            "--no-deps", "--wheel-dir", folder, sources, env=clean)
        run(sys.executable, "-m", "venv", "--without-pip", folder / "fresh")
        link_numpy(folder / "fresh")
        python = folder / "fresh" / "bin" / "python"
        run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check",
            "--no-index", next(folder.glob("hone-*.whl")), env=clean)
        write_model(folder / "model.onnx")
        run(python, "-c", USE, cwd=folder, env=clean)
        for command in ([python, "-m", "hone"], [folder / "fresh" / "bin" / "hone"]):
            run(*command, "inspect", "model.hone", cwd=folder, env=clean, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
