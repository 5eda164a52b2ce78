"""A thousand load-run-free cycles don't grow the process."""

import gc
import os
import pathlib
import sys
import tempfile
import unittest

import numpy as np
from onnx_models import linear, random_array

import hone

PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * PAGE


class Cycles(unittest.TestCase):
    """The engine's weights take 1 MiB, so that one of a hundred engines kept would show."""

    WEIGHT_BYTES = 1 << 20
    CYCLES, WARM_UP = 1000, 100

    def setUp(self):
        self.onnx = linear(rows=512, columns=512)[0]
        self.x = random_array(np.random.default_rng(1), np.float32, (4, 512))

    def check(self, cycle):
        for _ in range(self.WARM_UP):
            cycle()
        gc.collect()
        before, blocks = resident_bytes(), sys.getallocatedblocks()
        for _ in range(self.CYCLES):
            cycle()
        gc.collect()
        growth = resident_bytes() - before
        self.assertLess(sys.getallocatedblocks() - blocks, self.CYCLES // 2, "Python objects are left behind")
        self.assertLess(growth, 8 * self.WEIGHT_BYTES, f"{self.CYCLES} cycles grew the process by {growth} bytes")

    def test_load_run_free(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/model.hone"
            wanted = hone.build(self.onnx, path, tune=False)(self.x)["y"]

            def cycle():
                engine = hone.load(path, threads=1)
                if not np.allclose(engine(self.x)["y"], wanted):
                    raise AssertionError("wrong results")

            self.check(cycle)

    def test_from_bytes_with_contexts_and_bound_arrays(self):
        data = hone.build(self.onnx, tune=False).serialize()

        def cycle():
            context = hone.load(data, threads=1).create_context()
            context.set_tensor("x", self.x.copy())
            context.set_tensor("y", np.empty((4, 512), np.float32))
            context.run()
            context.output("y")

        self.check(cycle)

    def test_failing_calls(self):
        engine = hone.build(self.onnx, tune=False)

        def cycle():
            for wrong in (self.x.astype(np.float64), self.x[:, :5], "x"):
                try:
                    engine(wrong)
                except hone.Error:
                    continue
                raise AssertionError("no error")

        self.check(cycle)


if __name__ == "__main__":
    unittest.main()
