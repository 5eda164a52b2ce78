"""Small ONNX models for the tests."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

KINDS = {
    "float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "float16": TensorProto.FLOAT16,
    "bfloat16": TensorProto.BFLOAT16, "bool": TensorProto.BOOL, "int8": TensorProto.INT8, "int16": TensorProto.INT16,
    "int32": TensorProto.INT32, "int64": TensorProto.INT64, "uint8": TensorProto.UINT8, "uint16": TensorProto.UINT16,
    "uint32": TensorProto.UINT32, "uint64": TensorProto.UINT64,
}


def model(nodes, inputs, outputs, initializers=None, opset: int = 17, metadata=None, **fields) -> bytes:
    """nodes: (op, inputs, outputs[, attributes]); inputs and outputs: (name, dtype, dims); initializers: {name: array};
    fields of the ModelProto beside them."""
    def values(items):
        return [helper.make_tensor_value_info(name, KINDS[dtype], dims) for name, dtype, dims in items]

    graph = helper.make_graph(
        [helper.make_node(node[0], node[1], node[2], **(node[3] if len(node) > 3 else {})) for node in nodes], "graph",
        values(inputs), values(outputs),
        [numpy_helper.from_array(array, name) for name, array in (initializers or {}).items()])
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **fields)
    helper.set_model_props(built, metadata or {})
    return built.SerializeToString()


def linear(rows: int = 3, columns: int = 4, seed: int = 0) -> tuple[bytes, np.ndarray, np.ndarray]:
    """y = x @ w + b with an open batch; the bytes, w and b."""
    draw = np.random.default_rng(seed)
    w = draw.standard_normal((columns, rows)).astype(np.float32)
    b = draw.standard_normal(rows).astype(np.float32)
    nodes = [("MatMul", ["x", "w"], ["t"]), ("Add", ["t", "b"], ["y"])]
    return model(nodes, [("x", "float32", ["N", columns])], [("y", "float32", ["N", rows])], {"w": w, "b": b}), w, b


def random_array(draw: np.random.Generator, dtype, shape) -> np.ndarray:
    """Any element type; integers within [-10, 10], or [0, 20]."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return draw.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        return draw.integers(0 if dtype.kind == "u" else -10, 21 if dtype.kind == "u" else 11, shape).astype(dtype)
    return np.asarray(draw.standard_normal(shape), np.float32).astype(dtype)
