"""Small models for the tests of hone.tensorrt."""

import contextlib
import os
import sys
import unittest

import numpy as np

import hone
import hone.tensorrt as trt

try:
    from onnx_models import model
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


class Log(trt.ILogger):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def log(self, severity, msg):
        self.lines.append((severity, msg))

    def errors(self):
        """The errors since the last call."""
        found = [msg for severity, msg in self.lines if severity <= trt.ILogger.ERROR]
        self.lines.clear()
        return found


def gather():
    """y = x[i], j = 3 i, with x [N,4] and int64 indices i [K]."""
    return model([("Gather", ["x", "i"], ["y"]), ("Mul", ["i", "three"], ["j"])],
                 [("x", "float32", ["N", 4]), ("i", "int64", ["K"])],
                 [("y", "float32", ["K", 4]), ("j", "int64", ["K"])], {"three": np.array(3, np.int64)})


def linear(rows="N"):
    """y = x w, x [rows,3], w [3,2]. Returns the model and w."""
    w = np.random.default_rng(1).standard_normal((3, 2)).astype(np.float32)
    nodes = [("MatMul", ["x", "w"], ["y"])]
    return model(nodes, [("x", "float32", [rows, 3])], [("y", "float32", [rows, 2])], {"w": w}), w


def expand():
    """y = x [3,1] expanded to the contents of s (2 int64)."""
    return model([("Expand", ["x", "s"], ["y"])], [("x", "float32", [3, 1]), ("s", "int64", [2])],
                 [("y", "float32", ["a", "b"])])


def nonzero():
    """Places of what isn't zero in x [N]: [1,count]."""
    return model([("NonZero", ["x"], ["places"])], [("x", "float32", ["N"])], [("places", "int64", [1, "count"])])


@contextlib.contextmanager
def generation(number):
    """With HONE_TENSORRT_GENERATION set, or unset for None."""
    before = os.environ.pop("HONE_TENSORRT_GENERATION", None)
    if number is not None:
        os.environ["HONE_TENSORRT_GENERATION"] = str(number)
    try:
        yield
    finally:
        os.environ.pop("HONE_TENSORRT_GENERATION", None)
        if before is not None:
            os.environ["HONE_TENSORRT_GENERATION"] = before


class EngineTest(unittest.TestCase):
    def setUp(self):
        self.log = Log()
        self.random = np.random.default_rng(7)

    def engine(self, onnx, number=10, **options):
        """The engine of a model, loaded as a generation."""
        data = hone.build(onnx, tune=False, **options).serialize()
        with generation(number), trt.Runtime(self.log) as runtime:
            return runtime.deserialize_cuda_engine(data)

    def refused(self, result, *words, answer=False):
        """`result` is TensorRT's way to say no, and the log's only error has the words."""
        self.assertEqual(result, answer)
        errors = self.log.errors()
        self.assertEqual(len(errors), 1, errors)
        for word in words:
            self.assertIn(word, errors[0])

    def assert_quiet(self):
        self.assertEqual(self.log.errors(), [])
