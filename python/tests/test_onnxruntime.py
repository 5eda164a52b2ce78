"""hone.onnxruntime beside the real ONNX Runtime: the same answers, descriptions and kinds of errors."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings
from unittest import mock

import numpy as np
import onnxruntime as theirs
from onnx_models import linear, model, random_array

import hone
import hone.onnxruntime as ours

MODELS = {
    "open shapes": model(
        [("MatMul", ["a", "b"], ["p"]), ("Relu", ["p"], ["y"]), ("ReduceMean", ["y"], ["m"], {"axes": [1]})],
        [("a", "float32", ["N", "K"]), ("b", "float32", ["K", 5])],
        [("y", "float32", ["N", 5]), ("m", "float32", ["N", 1]), ("p", "float32", None)]),
    "indices": model(
        [("Gather", ["table", "rows"], ["y"]), ("Shape", ["y"], ["s"]), ("Cast", ["rows"], ["r"], {"to": 6})],
        [("table", "float32", [7, "C"]), ("rows", "int64", ["N"])],
        [("y", "float32", ["N", "C"]), ("s", "int64", [2]), ("r", "int32", ["N"])]),
    "half": model([("Mul", ["x", "x"], ["q"]), ("Sub", ["q", "z"], ["y"])],
                  [("x", "float16", ["N", 3]), ("z", "float16", [])], [("y", "float16", ["N", 3])]),
    "bool": model([("And", ["p", "q"], ["a"]), ("Not", ["a"], ["y"]), ("Where", ["y", "x", "z"], ["w"])],
                  [("p", "bool", ["N"]), ("q", "bool", [1]), ("x", "float64", ["N"]), ("z", "float64", ["N"])],
                  [("y", "bool", ["N"]), ("w", "float64", ["N"])]),
    "scalars": model([("Add", ["x", "y"], ["s"]), ("Unsqueeze", ["s", "axes"], ["v"])],
                     [("x", "int32", []), ("y", "int32", [])], [("s", "int32", []), ("v", "int32", [1])],
                     {"axes": np.array([0])}),
    "counted": model([("NonZero", ["x"], ["i"]), ("Abs", ["x"], ["y"])], [("x", "int64", [None, "M"])],
                     [("i", "int64", [2, None]), ("y", "int64", [None, "M"])]),
    "reshape": model([("Neg", ["x"], ["n"]), ("Reshape", ["n", "target"], ["y"])],
                     [("x", "float32", [12]), ("target", "int64", [2])], [("y", "float32", ["a", "b"])]),
}
# The values of the names above, one set for each round.
SIZES = [{"N": 3, "K": 4, "C": 2, "M": 5}, {"N": 1, "K": 1, "C": 1, "M": 2}, {"N": 0, "K": 2, "C": 3, "M": 3},
         {"N": 9, "K": 31, "C": 17, "M": 8}]


def feed_for(session, sizes, draw):
    """Random inputs by what the session says of them."""
    kinds = {"tensor(float)": "float32", "tensor(double)": "float64"}
    feed = {}
    for arg in session.get_inputs():
        shape = [size if isinstance(size, int) else sizes.get(size, 4) for size in arg.shape]
        kind = kinds.get(arg.type, arg.type[len("tensor("):-1])
        feed[arg.name] = random_array(draw, kind, shape)
    if "rows" in feed:
        feed["rows"] = draw.integers(-7, 7, feed["rows"].shape)
    if "target" in feed:
        feed["target"] = np.array([[3, 4], [12, 1], [2, -1]][draw.integers(0, 3)])
    return feed


class Sessions(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        patch = mock.patch.dict(os.environ, XDG_CACHE_HOME=self.scratch.name)
        patch.start()
        self.addCleanup(self.scratch.cleanup)
        self.addCleanup(patch.stop)
        self.draw = np.random.default_rng(11)

    def sessions(self, data):
        quiet = theirs.SessionOptions()
        quiet.log_severity_level = 4
        return ours.InferenceSession(data), theirs.InferenceSession(data, quiet)

    def test_the_same_results(self):
        for name, data in MODELS.items():
            mine, real = self.sessions(data)
            for sizes in SIZES:
                feed = feed_for(real, sizes, self.draw)
                got, wanted = mine.run(None, feed), real.run(None, feed)
                self.assertEqual(len(got), len(wanted), name)
                for a, b in zip(got, wanted):
                    self.assertEqual((a.dtype, a.shape), (b.dtype, b.shape), name)
                    tolerance = 1e-2 if a.dtype == np.float16 else 1e-5
                    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)

    def test_the_same_descriptions(self):
        for name, data in MODELS.items():
            mine, real = self.sessions(data)
            for ask in ("get_inputs", "get_outputs"):
                described = [[(arg.name, arg.type, arg.shape) for arg in getattr(session, ask)()]
                             for session in (mine, real)]
                if name == "open shapes" and ask == "get_outputs":
                    described = [args[:2] for args in described]  # "p" has no declared shape; inference names it anew
                self.assertEqual(*described, name)
        self.assertEqual(str(mine.get_inputs()[0]), str(real.get_inputs()[0]))

    def test_model_metadata(self):
        data = model([("Neg", ["x"], ["y"])], [("x", "float32", [1])], [("y", "float32", [1])],
                     metadata={"classes": "cat, döner"}, producer_name="me", domain="org.me", model_version=7,
                     doc_string="a model")
        mine, real = (session.get_modelmeta() for session in self.sessions(data))
        for field in ("producer_name", "graph_name", "domain", "description", "graph_description", "version",
                      "custom_metadata_map"):
            self.assertEqual(getattr(mine, field), getattr(real, field), field)

    def test_choice_of_outputs(self):
        mine, real = self.sessions(MODELS["open shapes"])
        feed = feed_for(real, SIZES[0], self.draw)
        for names in (["m"], ["p", "y", "p"], [], ("y",)):
            got, wanted = mine.run(names, feed), real.run(names, feed)
            self.assertEqual([a.shape for a in got], [b.shape for b in wanted], names)

    def test_lists_and_strided_arrays(self):
        mine, real = self.sessions(linear()[0])
        x = random_array(self.draw, np.float32, (4, 8))[::2, ::2]
        for value in (x, x.tolist(), np.asfortranarray(x)):
            np.testing.assert_allclose(mine.run(None, {"x": value})[0], real.run(None, {"x": value})[0], 1e-5, 1e-5)

    def test_the_same_kinds_of_errors(self):
        mine, real = self.sessions(MODELS["indices"])
        good = feed_for(real, SIZES[0], self.draw)
        table, rows = good["table"], good["rows"]
        wrong = {
            "missing": (None, {"table": table}),
            "unknown input": (None, {**good, "q": rows}),
            "type": (None, {**good, "table": table.astype(np.float64)}),
            "integer type": (None, {**good, "rows": rows.astype(np.int32)}),
            "rank": (None, {**good, "rows": rows[None]}),
            "dimension": (None, {**good, "table": table[:6]}),
            "unknown output": (["nope"], good),
            "an object": (None, {**good, "table": 3.5}),
        }
        for name, arguments in wrong.items():
            kinds, texts = [], []
            for session in (mine, real):
                with self.assertRaises(Exception) as caught:
                    session.run(*arguments)
                kinds.append((type(caught.exception).__name__, type(caught.exception).__module__.removeprefix("hone.")))
                texts.append(str(caught.exception)[:40])
            self.assertEqual(kinds[0], kinds[1], name)
            if kinds[0][0] == "InvalidArgument":
                self.assertEqual(texts[0][:41].split(" : ")[:2], texts[1].split(" : ")[:2], name)
        self.assertEqual(mine.run(["y"], good)[0].tolist(), real.run(["y"], good)[0].tolist())

    def test_the_same_kinds_of_errors_when_loading(self):
        damaged = self.folder / "damaged.hone"
        damaged.write_bytes(hone.build(linear()[0], tune=False).serialize()[:-20])
        for source in (str(self.folder / "no.onnx"), b"nonsense", b"", 3):
            kinds = []
            for package in (ours, theirs):
                with self.assertRaises(Exception) as caught:
                    package.InferenceSession(source)
                kinds.append(type(caught.exception).__name__)
            self.assertEqual(*kinds, source)
        unknown = model([("Rein", ["x"], ["y"])], [("x", "float32", [1])], [("y", "float32", [1])])
        with self.assertRaisesRegex(ours.capi.onnxruntime_pybind11_state.NotImplemented, "Rein"):
            ours.InferenceSession(unknown)
        with self.assertRaises(ours.capi.onnxruntime_pybind11_state.Fail):
            ours.InferenceSession(damaged)

    def test_files_and_engines(self):
        onnx, w, b = linear()
        (self.folder / "model.onnx").write_bytes(onnx)
        hone.build(onnx, self.folder / "model.hone", tune=False)
        x = random_array(self.draw, np.float32, (2, 4))
        for source in (self.folder / "model.onnx", str(self.folder / "model.onnx"), self.folder / "model.hone",
                       (self.folder / "model.hone").read_bytes()):
            session = ours.InferenceSession(source)
            np.testing.assert_allclose(session.run(None, {"x": x})[0], x @ w + b, 1e-5, 1e-5)
            self.assertEqual(session.get_inputs()[0].shape, ["N", 4])

    def test_options_and_providers(self):
        options = ours.SessionOptions()
        options.intra_op_num_threads = 1
        options.graph_optimization_level = ours.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.add_session_config_entry("session.x", "1")
        self.assertEqual(options.get_session_config_entry("session.x"), "1")
        onnx = linear()[0]
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            session = ours.InferenceSession(onnx, options,
                                            providers=["CUDAExecutionProvider", ("CPUExecutionProvider", {})])
        self.assertIn("CUDAExecutionProvider", str(seen[0].message))
        self.assertEqual((session.get_providers(), len(seen)), (["CPUExecutionProvider"], 1))
        self.assertIs(session.get_session_options(), options)
        self.assertEqual({name: int(level) for name, level in ours.GraphOptimizationLevel.__members__.items()},
                         {name: level.value for name, level in theirs.GraphOptimizationLevel.__members__.items()})
        for name, value in vars(ours.SessionOptions()).items():
            if not name.startswith("_") and name not in ("execution_mode", "graph_optimization_level"):
                self.assertEqual(value, getattr(theirs.SessionOptions(), name), name)
        options.enable_profiling = True
        with self.assertRaisesRegex(NotImplementedError, "enable_profiling"):
            ours.InferenceSession(onnx, options)

    def test_what_is_not_there_says_so(self):
        session = ours.InferenceSession(linear()[0])
        for owner, name in ((ours, "OrtValue"), (session, "run_with_iobinding"),
                            (ours.SessionOptions(), "add_initializer")):
            self.assertFalse(hasattr(owner, name))
            with self.assertRaisesRegex(AttributeError, f"{name} isn't there yet"):
                getattr(owner, name)
        with self.assertRaisesRegex(AttributeError, "intra_op_threads"):
            ours.SessionOptions().intra_op_threads = 2

    def test_scripts_run_unchanged(self):
        (self.folder / "model.onnx").write_bytes(linear()[0])
        script = self.folder / "script.py"
        script.write_text(
            "import sys\nimport numpy as np\nimport onnxruntime\nimport onnxruntime as ort\n"
            "from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument\n"
            "from neighbour import name\n"
            "assert __name__ == '__main__' and sys.argv[1:] == ['model.onnx', '-x']\n"
            "session = ort.InferenceSession(sys.argv[1], providers=['CPUExecutionProvider'])\n"
            "try:\n    session.run(None, {name: np.zeros((2, 4))})\n"
            "except InvalidArgument:\n"
            "    print(session.run(None, {name: np.ones((2, 4), np.float32)})[0].shape, ort.__name__)\n"
            "sys.exit(5)\n")
        (self.folder / "neighbour.py").write_text("name = 'x'\n")
        done = subprocess.run([sys.executable, "-m", "hone.onnxruntime", script.name, "model.onnx", "-x"], text=True,
                              capture_output=True, cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (5, "(2, 3) hone.onnxruntime\n"), done.stderr)
        for arguments in ([], ["no.py"]):
            done = subprocess.run([sys.executable, "-m", "hone.onnxruntime", *arguments], text=True,
                                  capture_output=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn("usage: python -m hone.onnxruntime", done.stderr)


if __name__ == "__main__":
    unittest.main()
