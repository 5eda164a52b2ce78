"""What a call from Python costs beside the same run in C++, at batch 1: medians in microseconds.

usage: PYTHONPATH=build/release/python python bench/python_call.py     needs the `onnx` package
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from onnx import TensorProto, helper

import hone

CALLS = 20000


def save(path, nodes, inputs, outputs) -> None:
    def values(items):
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in items]

    graph = helper.make_graph(nodes, "g", values(inputs), values(outputs))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def one_of_each(path) -> None:
    save(path, [helper.make_node("Relu", ["x"], ["y"])], [("x", ["N", 64])], [("y", ["N", 64])])


def eight_of_each(path) -> None:
    nodes = [helper.make_node("Relu", [f"x{i}"], [f"y{i}"]) for i in range(8)]
    save(path, nodes, [(f"x{i}", ["N", 64]) for i in range(8)], [(f"y{i}", ["N", 64]) for i in range(8)])


def image(path) -> None:
    save(path, [helper.make_node("Relu", ["x"], ["y"])], [("x", ["N", 3, 224, 224])], [("y", ["N", 3, 224, 224])])


def median_us(function) -> float:
    for _ in range(CALLS // 10):
        function()
    times = []
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        function()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1e3


def cpp_median_us(engine: pathlib.Path, shapes: dict) -> float:
    options = [part for name, dims in shapes.items() for part in ("--shape", f"{name}={'x'.join(map(str, dims))}")]
    command = [sys.executable, "-m", "hone", "bench", engine, *options, "--iterations", CALLS, "--warm-up", CALLS // 10,
               "--threads", 1, "--no-layers", "--json", "--quiet"]
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["latency_ms"]["median"] * 1e3


def main() -> None:
    print(f"{'model':14} {'C++ run()':>10} {'Context.run()':>14} {'engine(inputs)':>15} {'more than C++':>14}")
    for make in (one_of_each, eight_of_each, image):
        with tempfile.TemporaryDirectory() as folder:
            onnx, path = pathlib.Path(folder) / "model.onnx", pathlib.Path(folder) / "model.hone"
            make(onnx)
            hone.build(onnx, path, threads=1)
            engine = hone.load(path, threads=1)
            inputs = {binding.name: np.ones([1, *binding.shape[1:]], np.float32) for binding in engine.inputs}
            context = engine.create_context()
            for name, array in inputs.items():
                context.set_tensor(name, array)
            cpp = cpp_median_us(path, {name: array.shape for name, array in inputs.items()})
            run, call = median_us(context.run), median_us(lambda: engine(inputs))
            print(f"{make.__name__:14} {cpp:10.2f} {run:14.2f} {call:15.2f} {call - cpp:14.2f}")


if __name__ == "__main__":
    main()
