"""Puts an ONNX file in place only after ONNX Runtime gave for it what PyTorch gives."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

Arrays = Mapping[str, np.ndarray]
Problem = str | None


class ExportError(RuntimeError):
    """The exported model doesn't do what the PyTorch model does."""


def run(model: onnx.ModelProto, inputs: Arrays) -> dict[str, np.ndarray]:
    """A model's outputs by ONNX Runtime, without its graph optimisations (they may reorder sums)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    wanted = {value.name for value in session.get_inputs()}
    return dict(zip(names, session.run(names, {name: array for name, array in inputs.items() if name in wanted})))


def difference(found: np.ndarray, expected: np.ndarray, tolerance: float, floor: float = 1e-30) -> Problem:
    """What is wrong with `found`, if anything: dtype, shape, or an error above `tolerance` of the expected range, which
    counts as `floor` where it is smaller."""
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return f"{found.dtype}{list(found.shape)} instead of {expected.dtype}{list(expected.shape)}"
    if not expected.size:
        return None
    extent = max(floor, float(np.ptp(expected)), float(np.abs(expected).max()))
    error = float(np.abs(found.astype(np.float64) - expected).max()) / extent
    return None if error <= tolerance else f"differs by {error:.1e} of its range, {tolerance:.1e} is allowed"


def differences(found: Arrays, expected: Arrays, tolerance: float, floor: float = 1e-30) -> Problem:
    """The same for every expected output; names the first that is wrong."""
    for name, array in expected.items():
        problem = difference(found[name], array, tolerance, floor) if name in found else "is missing"
        if problem:
            return f"output {name}: {problem}"
    return None


def part_before(model: onnx.ModelProto, names: Sequence[str]) -> onnx.ModelProto:
    """The part of a model that computes these values, which are its outputs then."""
    needed, nodes = set(names), []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            nodes.append(node)
            needed |= set(node.input)
    part = onnx.ModelProto()
    part.CopyFrom(model)
    del part.graph.output[:], part.graph.node[:], part.opset_import[:]
    part.graph.node.extend(reversed(nodes))
    part.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    domains = {node.domain for node in nodes}
    part.opset_import.extend(opset for opset in model.opset_import if opset.domain in domains)
    return part


def single_node(model: onnx.ModelProto, node: onnx.NodeProto, inputs: Arrays) -> onnx.ModelProto:
    """A model of one of a model's last nodes alone; `inputs` are what it reads."""
    single = onnx.ModelProto()
    single.CopyFrom(model)
    del single.graph.node[:], single.graph.input[:], single.graph.initializer[:], single.graph.value_info[:]
    single.graph.node.append(node)
    for name, array in inputs.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        single.graph.input.append(helper.make_tensor_value_info(name, kind, array.shape))
    return single


def hone_outputs(model: onnx.ModelProto, inputs: Arrays) -> dict[str, np.ndarray] | None:
    """A model's outputs by the `hone` command; None where there is none."""
    hone = shutil.which("hone")
    if hone is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, f"{folder}/model.onnx")
        arguments = [hone, "run", f"{folder}/model.onnx", "--no-cache", "--no-tune", "--output", f"{folder}/out.npz"]
        np.savez(f"{folder}/in.npz", **inputs)
        arguments += ["--input", f"{folder}/in.npz"]
        result = subprocess.run(arguments, capture_output=True, text=True)
        if result.returncode != 0:
            raise ExportError(f"hone can't run it: {result.stderr.strip()[-500:]}")
        with np.load(f"{folder}/out.npz") as outputs:
            return dict(outputs)


def halve_weights(model: onnx.ModelProto, smallest: int = 256) -> None:
    """Stores float32 weights of at least `smallest` elements in 16 bit, each followed by a Cast to float32. Exact for
    weights that were rounded to 16 bit before."""
    casts = []
    for weight in model.graph.initializer:
        array = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or array.size < smallest:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [weight.name], [name], name=f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def shorten_names(model: onnx.ModelProto) -> None:
    """Numbers the values inside a model, whose names are a good part of a small file. Nodes, inputs, outputs and
    weights keep theirs."""
    inner = {name for node in model.graph.node for name in node.output if name}
    inner -= {value.name for value in model.graph.output}
    short = {name: f"v{i}" for i, name in enumerate(sorted(inner))}
    del model.graph.value_info[:]
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [short.get(name, name) for name in names]


def put_in_place(model: onnx.ModelProto, path: str | os.PathLike[str], check: Callable[[Path], Problem]) -> None:
    """Writes a model beside `path`, lets `check` look at that file, and moves it to `path` if nothing is wrong. Raises
    ExportError, OSError; then `path` is as it was."""
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        new = Path(folder) / path.name
        onnx.save(model, str(new))
        onnx.checker.check_model(str(new))
        problem = check(new)
        if problem:
            raise ExportError(f"{path.name} was not written: ONNX Runtime and PyTorch disagree: {problem}")
        os.replace(new, path)
