"""The `hone` package: arrays in and out, contexts, threads, files, errors."""

import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import weakref
from unittest import mock

import numpy as np
from onnx_models import KINDS, linear, model, random_array

import hone

DTYPES = [name for name in KINDS if name != "bool"]


def identity_like(dtype: str) -> bytes:
    """y = x transposed, for any type."""
    return model([("Transpose", ["x"], ["y"], {"perm": [1, 0]})], [("x", dtype, ["N", "M"])],
                 [("y", dtype, ["M", "N"])])


def counted() -> bytes:
    """Outputs of every kind: fixed, open, and as many as the data says."""
    nodes = [("Add", ["x", "y"], ["sum"]), ("Shape", ["x"], ["shape"]), ("NonZero", ["x"], ["where"])]
    return model(nodes, [("x", "float32", ["N", 3]), ("y", "float32", ["N", 3])],
                 [("sum", "float32", ["N", 3]), ("shape", "int64", [2]), ("where", "int64", [2, "k"])])


def reshaped() -> bytes:
    """y = -x in the shape that `target` says."""
    return model([("Neg", ["x"], ["n"]), ("Reshape", ["n", "target"], ["y"])],
                 [("x", "float32", [6]), ("target", "int64", [2])], [("y", "float32", ["a", "b"])])


class Arrays(unittest.TestCase):
    def setUp(self):
        self.draw = np.random.default_rng(3)

    def test_every_type_goes_in_and_out(self):
        for name in [*DTYPES, "bool"]:
            engine = hone.build(identity_like(name), tune=False)
            x = random_array(self.draw, hone.numpy_dtype(name), (3, 5))
            y = engine(x)["y"]
            self.assertEqual((y.dtype, y.shape), (x.dtype, (5, 3)), name)
            self.assertEqual(y.tobytes(), x.T.tobytes(), name)

    def test_bfloat16_is_taken_as_its_bits_too(self):
        bits = self.draw.integers(0, 2**15, (2, 3)).astype(np.uint16)
        y = hone.build(identity_like("bfloat16"), tune=False)(bits)["y"]
        self.assertTrue(np.array_equal(y.view(np.uint16), bits.T))

    def test_scalars_and_empty_arrays(self):
        engine = hone.build(model([("Add", ["x", "x"], ["y"])], [("x", "float32", [])], [("y", "float32", [])]))
        for x in (np.array(1.25, np.float32), np.float32(-3.5)):
            y = engine(x)["y"]
            self.assertEqual((y.shape, float(y)), ((), 2 * float(x)))
        engine = hone.build(counted())
        for rows in (0, 2, 0):
            x, y = (random_array(self.draw, np.float32, (rows, 3)) for _ in range(2))
            out = engine({"x": x, "y": y})
            self.assertTrue(np.array_equal(out["sum"], x + y))
            self.assertEqual(out["where"].shape, (2, 3 * rows))

    def test_outputs_of_every_kind(self):
        engine = hone.build(counted())
        for rows in (4, 1, 7, 7):
            x, y = (random_array(self.draw, np.float32, (rows, 3)) for _ in range(2))
            x[self.draw.random((rows, 3)) < 0.5] = 0
            out = engine({"y": y, "x": x})
            self.assertEqual(list(out), ["sum", "shape", "where"])
            self.assertTrue(np.array_equal(out["sum"], x + y))
            self.assertEqual(out["shape"].tolist(), [rows, 3])
            self.assertTrue(np.array_equal(out["where"], np.array(np.nonzero(x))))

    def test_strided_unaligned_and_swapped_inputs_are_copied(self):
        engine = hone.build(identity_like("float32"), tune=False)
        large = random_array(self.draw, np.float32, (8, 12))
        raw = np.zeros(4 * 6 + 1, np.uint8)
        unaligned = raw[1:].view(np.float32).reshape(2, 3)
        unaligned[:] = large[:2, :3]
        frozen = large.copy()
        frozen.flags.writeable = False
        for x in (large[::2, ::3], large.T, large[::-1], unaligned, large.astype(">f4"), frozen,
                  np.asfortranarray(large)):
            self.assertTrue(np.array_equal(engine(x)["y"], x.T))

    def test_results_are_the_callers_own(self):
        engine = hone.build(linear()[0])
        x = random_array(self.draw, np.float32, (2, 4))
        first = engine(x)["y"]
        kept = first.copy()
        second = engine(-x)["y"]
        self.assertTrue(np.array_equal(first, kept))
        self.assertFalse(np.shares_memory(first, second))
        first[:] = 7
        self.assertTrue(np.array_equal(engine(x)["y"], kept))

    def test_shape_values_are_set_by_the_call(self):
        engine = hone.build(reshaped())
        self.assertTrue(engine.inputs[1].is_shape_value)
        x = random_array(self.draw, np.float32, 6)
        for dims in ((2, 3), (3, 2), (3, 2), (6, 1)):
            y = engine({"x": x, "target": np.array(dims)})["y"]
            self.assertTrue(np.array_equal(y, -x.reshape(dims)))
        with self.assertRaises(hone.InvalidArgument):
            engine(x, np.array([4, 2]))
        self.assertEqual(engine(x, np.array([2, -1]))["y"].shape, (2, 3))

    def test_refusals_name_the_input_and_the_cure(self):
        engine = hone.build(counted())
        x = random_array(self.draw, np.float32, (2, 3))
        cases = [
            (lambda: engine(x), "1 inputs are given; the engine takes 2: 'x' float32[N,3], 'y' float32[N,3]"),
            (lambda: engine({"x": x}), "input 'y' is missing"),
            (lambda: engine({"x": x, "y": x, "z": x}), "no input named 'z'"),
            (lambda: engine(x, x.astype(np.float64)), "input 'y' has elements of float32, the array given has float64; "
             "convert it with array.astype(hone.numpy_dtype('float32'))"),
            (lambda: engine(x, x.astype(">f8")), "the array given has >f8"),
            (lambda: engine(x, x.tolist()), "input 'y' takes a NumPy array of float32, not an object of type list"),
            (lambda: engine(x, None), "input 'y' takes a NumPy array"),
            (lambda: engine(x[0], x), "input 'x' has rank 2, the shape given is [3]"),
            (lambda: engine(x[:, :2], x), "input 'x': dimension 1 is 2, expected 3"),
            (lambda: engine(x, x[:1]), "input 'y' has shape [1,3], but its dimension 0 (N) must be 2"),
            (lambda: engine(x.reshape((1,) * 8 + (6,)), x), "input 'x' has rank 9"),
        ]
        for call, text in cases:
            with self.assertRaises(hone.InvalidArgument) as caught:
                call()
            self.assertIn(text, str(caught.exception))
            self.assertIsInstance(caught.exception, ValueError)
            self.assertEqual(caught.exception.code, "InvalidArgument")
        self.assertTrue(np.array_equal(engine(x, x)["sum"], x + x), "an error spoils later calls")


class Contexts(unittest.TestCase):
    def setUp(self):
        self.draw = np.random.default_rng(5)
        self.onnx, self.w, self.b = linear()
        self.engine = hone.build(self.onnx)

    def test_bound_arrays_are_used_in_place_and_kept_alive(self):
        context = self.engine.create_context()
        self.assertEqual(context.missing_inputs(), ["x"])
        x, y = random_array(self.draw, np.float32, (2, 4)), np.zeros((5, 3), np.float32)
        context.set_tensor("x", x)
        context.set_tensor("y", y)
        kept = weakref.ref(x)
        for _ in range(3):
            x[:] = random_array(self.draw, np.float32, (2, 4))
            context.run()
            np.testing.assert_allclose(y[:2].ravel(), (x @ self.w + self.b).ravel(), rtol=1e-5, atol=1e-5)
        del x
        gc.collect()
        self.assertIsNotNone(kept())
        context.run()
        self.assertEqual(context.shape("y"), (2, 3))
        self.assertTrue(np.array_equal(context.output("y").ravel(), y.ravel()[:6]))
        context.set_tensor("x", random_array(self.draw, np.float32, (1, 4)))
        self.assertIsNone(kept(), "an array that is no longer bound is kept")

    def test_a_context_outlives_its_engine(self):
        context = hone.build(self.onnx).create_context()
        gc.collect()
        x = random_array(self.draw, np.float32, (2, 4))
        context.set_tensor("x", x)
        context.run()
        np.testing.assert_allclose(context.output("y"), x @ self.w + self.b, rtol=1e-5, atol=1e-5)

    def test_addresses(self):
        context = self.engine.create_context()
        x, y = random_array(self.draw, np.float32, (2, 4)), np.zeros((2, 3), np.float32)
        context.set_input_shape("x", [2, 4])
        context.set_address("x", x.ctypes.data)
        context.set_address("y", y.ctypes.data)
        context.prepare()
        context.run()
        np.testing.assert_allclose(y, x @ self.w + self.b, rtol=1e-5, atol=1e-5)
        context.clear_tensor("y")
        y[:] = 0
        context.run()
        self.assertFalse(y.any())
        self.assertTrue(context.output("y").any())
        with self.assertRaisesRegex(hone.InvalidArgument, "aligned"):
            context.set_address("x", x.ctypes.data + 1)

    def test_refusals(self):
        context = self.engine.create_context()
        x = random_array(self.draw, np.float32, (2, 4))
        frozen = np.zeros((2, 3), np.float32)
        frozen.flags.writeable = False
        cases = [
            (lambda: context.set_tensor("q", x), "no input or output named 'q'"),
            (lambda: context.set_tensor("y", np.zeros((3, 2), np.float32).T), "output 'y' must be contiguous"),
            (lambda: context.set_tensor("y", frozen), "writable"),
            (lambda: context.set_tensor("y", [1.0]), "output 'y' takes a NumPy array"),
            (lambda: context.set_tensor("y", np.zeros((2, 3))), "output 'y' has elements of float32"),
            (lambda: context.set_input_value("x", x), "don't decide any shape"),
            (lambda: context.set_profile(3), "no profile 3"),
            (lambda: context.output("x"), "'x' is an input"),
            (lambda: context.output("y"), "call run"),
            (lambda: context.run(), "'x'"),
        ]
        for call, text in cases:
            with self.assertRaises(hone.InvalidArgument) as caught:
                call()
            self.assertIn(text, str(caught.exception))

    def test_profiles(self):
        shapes = [{"x": ((1, 4), (2, 4), (4, 4))}, {"x": (8, 4)}]
        engine = hone.build(self.onnx, shapes=shapes, tune=False)
        self.assertEqual(engine.num_profiles, 2)
        self.assertEqual(engine.profile_range(0, "x"), ((1, 4), (2, 4), (4, 4)))
        self.assertEqual(engine.profile_range(1, "x"), ((8, 4),) * 3)
        self.assertIsNone(engine.profile_range(0, "y"))
        context = engine.create_context()
        context.set_tensor("x", random_array(self.draw, np.float32, (8, 4)))
        with self.assertRaises(hone.InvalidArgument):
            context.run()
        context.set_profile(1)
        self.assertEqual(context.profile, 1)
        context.set_tensor("x", random_array(self.draw, np.float32, (8, 4)))
        context.run()
        with self.assertRaisesRegex(hone.InvalidArgument, "give a shape or three"):
            hone.build(self.onnx, shapes={"x": ((1, 4), (2, 4))})

    def test_profiling(self):
        context = self.engine.create_context()
        context.set_tensor("x", random_array(self.draw, np.float32, (2, 4)))
        context.enable_profiling(True)
        context.run()
        times = context.last_profile()
        self.assertEqual([time.op for time in times], [layer.op for layer in self.engine.layers() if layer.kernel])
        self.assertTrue(all(time.time_us > 0 for time in times))
        self.assertGreater(context.memory_bytes, 0)


class Threads(unittest.TestCase):
    def test_calls_from_many_threads(self):
        onnx, w, b = linear(rows=64, columns=128)
        engine = hone.build(onnx, threads=1)
        failures = []

        def work(seed):
            draw = np.random.default_rng(seed)
            for _ in range(100):
                x = random_array(draw, np.float32, (int(draw.integers(0, 5)), 128))
                if not np.allclose(engine(x)["y"], x @ w + b, rtol=1e-4, atol=1e-4):
                    failures.append(seed)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_the_interpreter_is_free_while_the_engine_works(self):
        """One thread runs a long model; another one counts."""
        size = 1500
        nodes = [("MatMul", ["x", "x"], ["a"]), ("MatMul", ["a", "x"], ["b"]), ("MatMul", ["b", "x"], ["y"])]
        square = [size, size]
        engine = hone.build(model(nodes, [("x", "float32", square)], [("y", "float32", square)]), tune=False)
        x = random_array(np.random.default_rng(0), np.float32, (size, size)) / size
        done = threading.Event()

        def work():
            engine(x)
            done.set()

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-4)
        thread = threading.Thread(target=work)
        thread.start()
        steps = 0
        while not done.is_set():
            steps += 1
            time.sleep(1e-5)
        thread.join()
        sys.setswitchinterval(interval)
        self.assertGreater(steps, 10)

    def test_a_context_in_use_refuses_other_threads(self):
        size = 1500
        engine = hone.build(model([("MatMul", ["x", "x"], ["y"])], [("x", "float32", [size, size])],
                                  [("y", "float32", [size, size])]), tune=False)
        context = engine.create_context()
        context.set_tensor("x", random_array(np.random.default_rng(0), np.float32, (size, size)))
        context.prepare()
        stop, refusals = threading.Event(), []

        def run():
            while not stop.is_set():
                try:
                    context.run()
                except hone.Runtime as error:
                    refusals.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        end = time.monotonic() + 60
        while time.monotonic() < end and not refusals:
            for call in (lambda: context.shape("y"), lambda: context.memory_bytes, context.run):
                try:
                    call()
                except hone.Runtime as error:
                    refusals.append(str(error))
        stop.set()
        thread.join()
        self.assertIn("in use by another thread", refusals[0])
        context.run()


class Files(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.onnx, self.w, self.b = linear()
        self.x = random_array(np.random.default_rng(9), np.float32, (3, 4))

    def tearDown(self):
        self.scratch.cleanup()

    def check(self, engine):
        np.testing.assert_allclose(engine(self.x)["y"], self.x @ self.w + self.b, rtol=1e-5, atol=1e-5)

    def test_build_save_load(self):
        (self.folder / "model.onnx").write_bytes(self.onnx)
        built = hone.build(self.folder / "model.onnx", self.folder / "model.hone", metadata={"who": "me"})
        self.check(built)
        for engine in (hone.load(self.folder / "model.hone"), hone.load(str(self.folder / "model.hone")),
                       hone.load(built.serialize()), hone.load(memoryview(built.serialize()), threads=1)):
            self.check(engine)
            self.assertEqual(engine.metadata["who"], "me")
            self.assertEqual(engine.metadata["hone.version"], hone.__version__)
            self.assertEqual(engine.serialize(), (self.folder / "model.hone").read_bytes())
            self.assertEqual(engine.report, "")
        self.assertEqual(json.loads(built.report)["engine_bytes"], len(built.serialize()))
        built.save(self.folder / "again.hone")
        self.assertEqual((self.folder / "again.hone").read_bytes(), built.serialize())

    def test_open_model_builds_once(self):
        (self.folder / "model.onnx").write_bytes(self.onnx)
        with mock.patch.dict(os.environ, XDG_CACHE_HOME=str(self.folder / "cache")):
            for cached, stages in ((False, True), (True, True), (True, False)):
                told = []
                engine = hone.open_model(self.folder / "model.onnx", tune=False, cache=cached,
                                         progress=lambda *stage: told.append(stage))
                self.check(engine)
                self.assertEqual(bool(told), stages)
        engine.save(self.folder / "model.hone")
        self.check(hone.open_model(self.folder / "model.hone"))

    def test_what_an_engine_says_of_itself(self):
        engine = hone.build(self.onnx)
        x, y = engine.bindings
        self.assertEqual((x.name, x.is_input, x.dtype, x.shape, x.dim_names),
                         ("x", True, "float32", (-1, 4), ["N", "4"]))
        self.assertEqual([b.name for b in engine.inputs + engine.outputs], ["x", "y"])
        self.assertEqual((y.is_input, y.is_shape_value, engine.num_profiles), (False, False, 0))
        self.assertEqual(engine.weight_bytes >= self.w.nbytes, True)
        self.assertIn("cpu", engine.target)
        self.assertIn("x", engine.graph_text)
        self.assertTrue(all(layer.name and layer.op for layer in engine.layers()))
        self.assertEqual(sum(layer.weight_bytes for layer in engine.layers()), self.w.nbytes + self.b.nbytes)

    def test_errors_are_the_engines_own(self):
        unknown = model([("Rein", ["x"], ["y"])], [("x", "float32", [1])], [("y", "float32", [1])])
        path = self.folder / "damaged.hone"
        damaged = bytearray(hone.build(self.onnx).serialize())
        damaged[-10] ^= 0xFF
        path.write_bytes(damaged)
        cases = [
            (lambda: hone.build(self.folder / "no.onnx"), hone.NotFound, FileNotFoundError, "no.onnx"),
            (lambda: hone.load(self.folder / "no.hone"), hone.NotFound, FileNotFoundError, "no.hone"),
            (lambda: hone.build(b"nonsense"), hone.InvalidModel, ValueError, "protobuf"),
            (lambda: hone.build(unknown), hone.Unsupported, NotImplementedError, "Rein"),
            (lambda: hone.load(path), hone.CorruptEngine, ValueError, "hone build"),
            (lambda: hone.load(b""), hone.CorruptEngine, ValueError, "damaged"),
            (lambda: hone.build(self.onnx, threads=-1), hone.InvalidArgument, ValueError, "-1"),
            (lambda: hone.build(self.onnx, device="toaster"), hone.InvalidArgument, ValueError, "toaster"),
            (lambda: hone.build(self.onnx, shapes={"q": (1,)}), hone.InvalidArgument, ValueError, "q"),
            (lambda: hone.build(self.onnx, self.folder / "no" / "x.hone"), hone.NotFound, FileNotFoundError, "no"),
            (lambda: hone.numpy_dtype("float31"), hone.InvalidArgument, ValueError, "float31"),
            (lambda: hone.numpy_dtype("int4"), hone.Unsupported, NotImplementedError, "int4"),
        ]
        for call, kind, builtin, text in cases:
            with self.assertRaises(hone.Error) as caught:
                call()
            self.assertIs(type(caught.exception), kind, caught.exception)
            self.assertIsInstance(caught.exception, builtin)
            self.assertIn(text, str(caught.exception))
        for call in (lambda: hone.build(3), lambda: hone.load(None), lambda: hone.build(self.onnx, wrong=1)):
            self.assertRaises(TypeError, call)

    def test_index_errors_of_a_run_name_the_node(self):
        engine = hone.build(model([("Gather", ["x", "i"], ["y"])], [("x", "float32", [3]), ("i", "int64", [1])],
                                  [("y", "float32", [1])]))
        with self.assertRaisesRegex(hone.Runtime, "Gather"):
            engine(np.zeros(3, np.float32), np.array([7]))

    def test_callbacks(self):
        stages = []
        hone.build(self.onnx, progress=lambda stage, done, total: stages.append((stage, done, total)))
        self.assertEqual(stages[0], ("import", 0, 1))
        self.assertEqual(stages[-1], ("write", 1, 1))

        def broken(*_):
            raise KeyError("from the callback")

        with self.assertRaisesRegex(KeyError, "from the callback"):
            hone.build(self.onnx, progress=broken)
        with self.assertRaisesRegex(hone.InvalidArgument, "progress is 3"):
            hone.build(self.onnx, progress=3)

    def test_a_failed_callback_ends_the_build(self):
        calls = []

        def broken(*now):
            calls.append(now)
            raise KeyError("stop")

        self.assertRaises(KeyError, hone.build, self.onnx, self.folder / "never.hone", progress=broken)
        self.assertEqual(len(calls), 1)
        self.assertFalse((self.folder / "never.hone").exists())

    def test_dimensions_that_are_none_name_the_input(self):
        context = hone.build(self.onnx).create_context()
        for dims in ((1.5, 4), (2**63, 4), ("a", 4), 5):
            with self.assertRaisesRegex(hone.InvalidArgument, "'x'"):
                context.set_input_shape("x", dims)

    def test_threads_may_run_while_the_interpreter_ends(self):
        path = self.folder / "m.onnx"
        path.write_bytes(self.onnx)
        program = """if True:
            import sys, threading, time
            import numpy as np, hone
            engine, x = hone.build(sys.argv[1], tune=False), np.ones((512, 4), np.float32)
            def work():
                while True:
                    engine(x)
            for _ in range(4):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.2)
            """
        for _ in range(5):
            ended = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60,
                                   check=False)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
