"""Runs programs written for TensorRT, pycuda, trtexec and ONNX Runtime (programs/*.py, none of which knows Hone) by
`python -m hone.tensorrt` and compares what they save with `hone run` on the same engine, or with ONNX Runtime.

Needs onnx to make the models. Programs with torch run in the first of this Python and Debian's that has it.
"""

import functools
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
DATA = pathlib.Path(os.environ.get("HONE_DATA", HERE.parents[2] / "shared" / "data")) / "models"
sys.path.insert(0, str(HERE.parents[1] / "scripts"))  # make_yolov7
# A program's own build may choose other kernels than ours.
TOLERANCE = dict(rtol=1e-4, atol=1e-4)


def command(*arguments, python=sys.executable, env=None, fails=False):
    """Runs Python with these arguments and answers what it printed."""
    done = subprocess.run([str(a) for a in (python, *arguments)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, timeout=300)
    if (done.returncode != 0) != fails:
        raise AssertionError(f"{arguments}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


@functools.cache
def python_with_torch():
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            if subprocess.run([python, "-c", "import torch, hone"], capture_output=True, timeout=100).returncode == 0:
                return python
        except FileNotFoundError:
            pass
    return None


def setUpModule():
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    ProgramTest.folder = pathlib.Path(temporary.name)


class ProgramTest(unittest.TestCase):
    folder: pathlib.Path
    runs = 0
    random = np.random.default_rng(4)

    @classmethod
    @functools.cache
    def yolo(cls, form, *options):
        try:
            import make_yolov7
            import onnx
        except ImportError as error:
            raise unittest.SkipTest(f"skipped: {error}") from None
        path = cls.folder / f"{form}{''.join(options)}.onnx"
        small = "--model yolov7-tiny --width 0.125 --size 64 32 --classes 5 --topk 20 --conf 0.1".split()
        args = make_yolov7.parse_args([str(path), "--form", form, *small, *options])
        onnx.save(make_yolov7.Model(args).proto(), path)
        return path

    @classmethod
    @functools.cache
    def small(cls, batch):
        """Two convolutions of images [batch,3,64,32]; batch is a number or a name."""
        try:
            import onnx
            from onnx import TensorProto, helper, numpy_helper
        except ImportError as error:
            raise unittest.SkipTest(f"skipped: {error}") from None
        weights = {"w0": (8, 3, 3, 3), "w1": (5, 8, 3, 3)}
        nodes = [
            helper.make_node("Conv", ["images", "w0"], ["a"], strides=[2, 2], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Conv", ["b", "w1"], ["c"], pads=[1, 1, 1, 1]),
            helper.make_node("Sigmoid", ["c"], ["output"]),
        ]
        graph = helper.make_graph(
            nodes, "small",
            [helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, 64, 32])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, 5, 32, 16])],
            [numpy_helper.from_array(cls.random.normal(0, 0.3, d).astype(np.float32), n) for n, d in weights.items()],
        )
        path = cls.folder / f"small-{batch}.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
        return path

    def stored(self, name):
        """A stored model, and its inputs as NAME.npz."""
        model, inputs = DATA / f"{name}.onnx", self.folder / f"{name}.npz"
        if not model.exists():
            self.skipTest(f"skipped: no {model}")
        if not inputs.exists():
            with np.load(DATA / f"{name}.npz") as archive:
                np.savez(inputs, **{key[4:]: archive[key] for key in archive if key.startswith("in__")})
        return model, inputs

    def build(self, model, *shapes):
        engine = self.folder / f"{model.stem}.hone"
        if not engine.exists():
            command("-m", "hone", "build", model, "-o", engine, "--no-tune", "-q", *shapes)
        return engine

    def pictures(self, *shape):
        return self.random.uniform(0, 1, shape).astype(np.float32)

    def batches(self, *sizes):
        """A file of one array a run, keys a, b, ..."""
        arrays = {chr(ord("a") + i): self.pictures(n, 3, 64, 32) for i, n in enumerate(sizes)}
        path = self.folder / "batches.npz"
        np.savez(path, **arrays)
        return path, arrays

    def save(self, array, name="input.npy"):
        np.save(self.folder / name, array)
        return self.folder / name

    def program(self, name, *arguments, module="hone.tensorrt", python=sys.executable, env=None):
        """Runs the program, whose last argument is what it saves; answers that and the text."""
        text = command("-m", module, PROGRAMS / name, *arguments, python=python, env=env)
        with np.load(arguments[-1]) as archive:
            return dict(archive), text

    def torch_program(self, name, *arguments, **options):
        if python_with_torch() is None:
            self.skipTest("skipped: no Python has torch")
        return self.program(name, *arguments, python=python_with_torch(), **options)

    @staticmethod
    @functools.cache
    def run_file(model, inputs):
        """`hone run` of the file's arrays."""
        target = inputs.with_suffix(".reference.npz")
        command("-m", "hone", "run", model, "--input", inputs, "-o", target, "-q")
        with np.load(target) as archive:
            return dict(archive)

    def hone_run(self, model, arrays):
        ProgramTest.runs += 1
        inputs = self.folder / f"inputs{ProgramTest.runs}.npz"
        np.savez(inputs, **arrays)
        return ProgramTest.run_file(model, inputs)

    def check(self, results, expected, **tolerance):
        self.assertEqual(set(results), set(expected))
        for name, value in expected.items():
            self.assertEqual(results[name].dtype, value.dtype, name)
            self.assertGreater(np.ptp(value.astype(np.float32)), 0, f"{name} says nothing")
            np.testing.assert_allclose(results[name], value, err_msg=name, **(tolerance or dict(rtol=0, atol=0)))

    def check_runs(self, results, model, arrays, **tolerance):
        expected = {}
        for key, array in arrays.items():
            expected |= {f"{n}.{key}": v for n, v in self.hone_run(model, {"images": array}).items()}
        self.check(results, expected, **tolerance)

    @property
    def out(self):
        return self.folder / "out.npz"


RANGE = "images=1x3x64x32:2x3x64x32:4x3x64x32"


class Yolo(ProgramTest):
    def test_loader_with_streams(self):
        engine = self.build(self.yolo("batched-nms", "--dynamic-batch"), "--shape", RANGE)
        pictures = self.random.integers(0, 256, (3, 64, 32, 3)).astype(np.uint8)
        results, text = self.program("yolo_loader_streams.py", engine, self.save(pictures), self.out)
        planes = np.ascontiguousarray(pictures.astype(np.float32).transpose(0, 3, 1, 2) / 255.0)
        expected = self.hone_run(engine, {"images": planes})
        self.assertGreater(expected["num_detections"].max(), 0)
        self.assertIn("bindings 5", text)
        self.check({k: v for k, v in results.items() if k != "num_detections"},
                   {k: v for k, v in expected.items() if k != "num_detections"})
        np.testing.assert_array_equal(results["num_detections"], expected["num_detections"])

    def test_notebook(self):
        engine = self.build(self.yolo("end2end"))
        picture = self.save(self.random.integers(0, 256, (60, 52, 3)).astype(np.uint8))
        results, text = self.torch_program("yolo_notebook.py", engine, picture, self.out)
        expected = self.hone_run(engine, {"images": results.pop("images")})
        self.assertGreater(expected["num_dets"][0, 0], 0)
        self.assertIn("class", text)
        for name, value in expected.items():
            self.assertEqual(results[name].dtype, value.dtype)
            np.testing.assert_array_equal(results[name], value)

    def test_predictor(self):
        engine = self.build(self.yolo("include-nms"))
        picture = self.random.integers(0, 256, (64, 32, 3)).astype(np.uint8)
        results, _ = self.program("efficient_nms_pycuda.py", "-e", engine, "-i", self.save(picture), "-o", self.out)
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        expected = self.hone_run(engine, {"images": planes})
        self.assertGreater(expected["num_dets"][0, 0], 0)
        for name, value in expected.items():
            np.testing.assert_array_equal(results[name], value)

    def test_describe(self):
        engines = [self.build(self.yolo("grid", "--dynamic-batch"), "--shape", RANGE)]
        if (DATA / "dsvt_two_blocks.onnx").exists():
            engines.append(self.build(DATA / "dsvt_two_blocks.onnx"))
        for generation in "8", "10":
            text = command("-m", "hone.tensorrt", PROGRAMS / "describe_engine.py", *engines,
                           env={"HONE_TENSORRT_GENERATION": generation})
            self.assertIn("images (-1, 3, 64, 32) DataType.FLOAT", text)
            self.assertIn("min (1, 3, 64, 32) opt (2, 3, 64, 32) max (4, 3, 64, 32)", text)
            self.assertEqual("DataType.INT64" in text, generation == "10" and len(engines) > 1)


class Small(ProgramTest):
    def test_samples(self):
        engine = self.build(self.small(1))
        x = self.pictures(1, 3, 64, 32)
        results, _ = self.program("samples_common.py", "--engine", engine, "--data", self.save(x), "--save", self.out)
        self.check(results, self.hone_run(engine, {"images": x}))

    def test_builder_of_7(self):
        model, x = self.small(1), self.pictures(1, 3, 64, 32)
        engine = self.folder / "seven.trt"
        results, _ = self.program("build_trt7.py", model, engine, self.save(x), self.out)
        self.check(results, self.hone_run(engine, {"images": x}))

    def test_builder_of_8(self):
        path, arrays = self.batches(1, 4)
        plan = self.folder / "eight.plan"
        results, _ = self.program("build_trt8.py", "--onnx", self.small("batch"), "--plan", plan,
                                  "--fp16", "--verbose", "--input", path, "--result", self.out)
        self.check_runs(results, plan, arrays)

    def test_batches(self):
        engine = self.build(self.small("batch"), "--shape", RANGE)
        path, arrays = self.batches(1, 4, 2, 3, 1)
        results, _ = self.program("batch_loop.py", engine, path, self.out)
        self.check_runs(results, engine, arrays)

    def test_threads(self):
        engine = self.build(self.small("batch"), "--shape", RANGE)
        path, arrays = self.batches(1, 3)
        results, _ = self.program("two_threads.py", engine, path, self.out)
        self.check_runs(results, engine, arrays)

    def test_profiles(self):
        model = self.small("batch")
        path, arrays = self.batches(1, 4, 8)
        results, _ = self.program("profiles.py", model, path, self.out)
        self.check_runs(results, model, arrays, **TOLERANCE)

    def test_profiles_by_index(self):
        model = self.small("batch")
        path, arrays = self.batches(1, 3)
        results, text = self.program("profile_bindings.py", model, path, self.out,
                                     env={"HONE_TENSORRT_GENERATION": "8"})
        self.assertIn("4 bindings, 2 profiles", text)
        self.check_runs(results, model, arrays, **TOLERANCE)

    def test_logger_and_profiler(self):
        model, x = self.small(1), self.pictures(1, 3, 64, 32)
        results, text = self.program("logger_profiler.py", model, self.save(x), self.out)
        self.check(results, self.hone_run(model, {"images": x}), **TOLERANCE)
        self.assertIn("my own line", text)
        self.assertNotIn("that isn't shown", text)

    def test_mistakes(self):
        engine = self.build(self.small("batch"), "--shape", RANGE)
        text = command("-m", "hone.tensorrt", PROGRAMS / "mistakes.py", engine, self.save(self.pictures(1, 3, 64, 32)))
        self.assertIn("0 failures", text)

    def test_trtexec(self):
        text = command("-m", "hone.tensorrt", PROGRAMS / "call_trtexec.py", self.small("batch"),
                       self.folder, "images:2x3x64x32")
        self.assertIn("mean compute", text)


class Stored(ProgramTest):
    def check_dsvt(self, name, generation, torch=False):
        model, inputs = self.stored("dsvt_two_blocks")
        engine = self.build(model)
        program = self.torch_program if torch else self.program
        results, text = program(name, engine, inputs, self.out, env={"HONE_TENSORRT_GENERATION": str(generation)})
        self.check(results, self.run_file(engine, inputs))
        return text

    def test_dsvt_wrapper(self):
        self.check_dsvt("dsvt_wrapper.py", 8, torch=True)

    def test_dsvt_runner_torch(self):
        self.check_dsvt("dsvt_runner_torch.py", 10, torch=True)

    def test_dsvt_runner_numpy(self):
        for generation, dtype in (8, "int32"), (10, "int64"):
            text = self.check_dsvt("dsvt_runner_numpy.py", generation)
            self.assertIn(f"'set_voxel_inds_tensor_shift_0': '{dtype}'", text)

    def test_any_generation(self):
        for generation, words in (8, "by index"), (10, "by name"):
            self.assertIn(words, self.check_dsvt("any_generation.py", generation))

    def test_runner_of_10(self):
        for name in "yunet_n_dynamic", "mnist_cntk", "squeezenet_fp16":
            with self.subTest(name):
                model, inputs = self.stored(name)
                engine = self.build(model)
                results, _ = self.program("runner_trt10.py", engine, inputs, self.out)
                self.check(results, self.run_file(engine, inputs))

    def test_cuda_python(self):
        model, inputs = self.stored("yunet_n_dynamic")
        engine = self.build(model)
        results, _ = self.program("cudart_runner.py", engine, inputs, self.out)
        self.check(results, self.run_file(engine, inputs))

    def test_onnxruntime(self):
        for name in "yunet_n_dynamic", "dsvt_two_blocks":
            with self.subTest(name):
                model, inputs = self.stored(name)
                results, _ = self.program("ort_session.py", model, inputs, self.out, module="hone.onnxruntime")
                self.check(results, self.run_file(model, inputs), **TOLERANCE)
                with np.load(DATA / f"{name}.npz") as archive:
                    stored = {key[5:]: archive[key] for key in archive if key.startswith("out__")}
                self.check(results, stored, rtol=1e-3, atol=1e-3)


if __name__ == "__main__":
    unittest.main()
