#!/usr/bin/env python3
"""Uses the `hone` command as a user or script does: results, exit codes, files, signals.

usage: check_commands.py HONE
"""
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HONE = ""
USAGE, MODEL, COMPARISON, RESOURCE, ENGINE = 2, 3, 4, 5, 6


def write_model(path, nodes, inputs, outputs, initializers=(), opset=17):
    def values(items):
        return [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in items]

    graph = helper.make_graph(nodes, "g", values(inputs), values(outputs), list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)
    return model


def write_linear(path, rows=3, columns=4):
    """y = x @ w + b, batch open."""
    draw = np.random.default_rng(0)
    w = draw.standard_normal((columns, rows)).astype(np.float32)
    b = draw.standard_normal(rows).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["t"]), helper.make_node("Add", ["t", "b"], ["y"])]
    write_model(path, nodes, [("x", TensorProto.FLOAT, ["N", columns])], [("y", TensorProto.FLOAT, ["N", rows])],
                [numpy_helper.from_array(w, "w"), numpy_helper.from_array(b, "b")])
    return w, b


def write_large(path, megabytes):
    w = np.random.default_rng(1).standard_normal((1024, megabytes * 256)).astype(np.float32)
    write_model(path, [helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", TensorProto.FLOAT, [1, 1024])],
                [("y", TensorProto.FLOAT, [1, megabytes * 256])], [numpy_helper.from_array(w, "w")])


class Commands(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}

    def tearDown(self):
        self.scratch.cleanup()

    def path(self, name):
        return str(self.folder / name)

    def hone(self, *arguments, expect=0, **options):
        run = subprocess.run([HONE, *map(str, arguments)], capture_output=True, text=True, env=self.environment,
                             timeout=120, check=False, **options)
        self.assertEqual(run.returncode, expect, f"hone {arguments}:\n{run.stdout}\n{run.stderr}")
        return run

    def files(self):
        return sorted(p.name for p in self.folder.iterdir() if p.name != "cache")

    def test_run_gives_what_numpy_computes(self):
        w, b = write_linear(self.path("m.onnx"))
        x = np.random.default_rng(2).standard_normal((5, 4)).astype(np.float32)
        np.save(self.path("x.npy"), np.asfortranarray(x))
        np.savez_compressed(self.path("x.npz"), x=x, other=np.zeros(3))
        for source in (["--input", f"x={self.path('x.npy')}"], ["--input", self.path("x.npz")],
                       ["--input", f"x={self.path('x.npz')}:x"]):
            for extra in ([], ["--compress"]):
                self.hone("run", self.path("m.onnx"), *source, "-o", self.path("y.npz"), *extra)
                np.testing.assert_allclose(np.load(self.path("y.npz"))["y"], x @ w + b, rtol=1e-5, atol=1e-6)
        self.hone("run", self.path("m.onnx"), "-i", f"x={self.path('x.npy')}", "-o", self.path("y.npy"))
        np.testing.assert_allclose(np.load(self.path("y.npy")), x @ w + b, rtol=1e-5, atol=1e-6)

    def test_every_type_goes_through_numpy_files(self):
        kinds = {"float16": 10, "float32": 1, "float64": 11, "int8": 3, "int16": 5, "int32": 6, "int64": 7, "uint8": 2,
                 "uint16": 4, "uint32": 12, "uint64": 13, "bool": 9}
        for name, kind in kinds.items():
            write_model(self.path("m.onnx"), [helper.make_node("Transpose", ["x"], ["y"])], [("x", kind, [2, 3])],
                        [("y", kind, [3, 2])])
            x = np.random.default_rng(kind).integers(0, 2 if name == "bool" else 100, (2, 3)).astype(name)
            np.save(self.path("x.npy"), x)
            self.hone("run", self.path("m.onnx"), "-i", f"x={self.path('x.npy')}", "-o", self.path("y.npy"))
            y = np.load(self.path("y.npy"))
            self.assertEqual(y.dtype, x.dtype)
            np.testing.assert_array_equal(y, x.T)

    def test_build_inspect_and_bench(self):
        write_linear(self.path("m.onnx"))
        built = json.loads(self.hone("build", self.path("m.onnx"), "-o", self.path("m.hone"), "--json", "--report",
                                     self.path("r.json"), "--shape", "x=1x4:2x4:8x4").stdout)
        self.assertEqual(built["engine_bytes"], os.path.getsize(self.path("m.hone")))
        self.assertIn("targets", json.loads(pathlib.Path(self.path("r.json")).read_text()))
        shown = json.loads(self.hone("inspect", self.path("m.hone"), "--json").stdout)
        self.assertEqual(shown["profiles"], 1)
        self.assertEqual(shown["bindings"][0]["profiles"][0]["max"], [8, 4])
        self.assertTrue(any(layer["kernel"] for layer in shown["layers"]))
        text = self.hone("inspect", self.path("m.hone"), "--layers").stdout
        self.assertRegex(text, "MatMul|Gemm")
        self.assertIn("MatMul", self.hone("inspect", self.path("m.onnx"), "--graph", "before").stdout)
        self.hone("inspect", self.path("m.onnx"), "--graph", "after")
        self.hone("inspect", self.path("m.onnx"), "--graph", "no-such-pass", expect=USAGE)
        timed = json.loads(self.hone("bench", self.path("m.hone"), "--iterations", 7, "--json").stdout)
        self.assertEqual(timed["runs"], 7)
        self.assertEqual(timed["inputs"]["x"]["shape"], [2, 4])
        self.assertLessEqual(timed["latency_ms"]["min"], timed["latency_ms"]["p99"])
        self.assertIn("throughput", self.hone("bench", self.path("m.hone"), "--iterations", 2).stdout)

    def test_allocation_free_builds_keep_libraries_out(self):
        w = np.random.default_rng(3).standard_normal((8, 3, 3, 3)).astype(np.float32)
        write_model(self.path("m.onnx"), [helper.make_node("Conv", ["x", "w"], ["y"])],
                    [("x", TensorProto.FLOAT, [1, 3, 32, 32])], [("y", TensorProto.FLOAT, [1, 8, 30, 30])],
                    [numpy_helper.from_array(w, "w")])
        report = pathlib.Path(self.path("r.json"))
        for option, refused in (((), False), (("--allocation-free",), True)):
            self.hone("build", self.path("m.onnx"), "-o", self.path("m.hone"), "--report", report, *option)
            self.assertEqual("allocates" in report.read_text(), refused)
        shown = json.loads(self.hone("inspect", self.path("m.hone"), "--json").stdout)
        self.assertFalse(any("onednn" in layer["kernel"] for layer in shown["layers"]))

    def test_quiet_prints_nothing_but_data(self):
        write_linear(self.path("m.onnx"))
        run = self.hone("bench", self.path("m.onnx"), "--shape", "x=1x4", "--iterations", 1, "--json", "--quiet")
        self.assertEqual(run.stderr, "")
        json.loads(run.stdout)

    def test_exit_codes(self):
        write_linear(self.path("m.onnx"))
        self.hone(expect=USAGE)
        self.hone("frobnicate", expect=USAGE)
        self.hone("build", expect=USAGE)
        self.hone("build", self.path("none.onnx"), expect=USAGE)
        self.hone("build", self.path("m.onnx"), "--shape", "x=1x4:2", expect=USAGE)
        self.hone("build", self.path("m.onnx"), "--shape", "z=1x4", expect=USAGE)
        self.hone("run", self.path("m.onnx"), expect=USAGE)
        self.hone("run", self.path("m.onnx"), "-i", "x=random", expect=USAGE)
        np.save(self.path("x.npy"), np.zeros((2, 5), np.float32))
        self.hone("run", self.path("m.onnx"), "-i", f"x={self.path('x.npy')}", expect=USAGE)
        pathlib.Path(self.path("bad.onnx")).write_bytes(b"\x08\x08garbage that is no model")
        self.hone("build", self.path("bad.onnx"), expect=MODEL)
        write_model(self.path("odd.onnx"), [helper.make_node("Frobnicate", ["x"], ["y"])],
                    [("x", 1, [1])], [("y", 1, [1])])
        self.assertIn("Frobnicate", self.hone("build", self.path("odd.onnx"), expect=MODEL).stderr)
        self.hone("build", self.path("m.onnx"), "-o", self.path("m.hone"))
        engine = pathlib.Path(self.path("m.hone")).read_bytes()
        pathlib.Path(self.path("cut.hone")).write_bytes(engine[:-10])
        self.assertIn("hone build", self.hone("inspect", self.path("cut.hone"), expect=ENGINE).stderr)
        failure = json.loads(self.hone("inspect", self.path("cut.hone"), "--json", expect=ENGINE).stdout)
        self.assertEqual(failure["error"]["exit"], ENGINE)
        self.hone("--version")
        self.hone("build", "--help")
        self.hone("doctor", "--json")

    def test_names_from_models_cannot_move_the_terminal(self):
        evil = "a\x1b[31m\x07\x9b"
        write_model(self.path("m.onnx"), [helper.make_node("Relu", ["x" + evil], ["y" + evil], name="n" + evil)],
                    [("x" + evil, 1, ["d" + evil])], [("y" + evil, 1, ["d" + evil])])
        outputs = [self.hone("inspect", self.path("m.onnx"), "--layers"),
                   self.hone("inspect", self.path("m.onnx"), "--graph", "before"),
                   self.hone("inspect", self.path("m.onnx"), "--json"),
                   self.hone("run", self.path("m.onnx"), expect=USAGE),
                   self.hone("bench", self.path("m.onnx"), "--shape", f"x{evil}=3", "--iterations", 1)]
        for output in outputs:
            for text in (output.stdout, output.stderr):
                for character in ("\x1b", "\x07", "\x9b"):
                    self.assertNotIn(character, text)

    def write_case(self, name, expected, model=None):
        folder = self.folder / "cases" / name
        (folder / "test_data_set_0").mkdir(parents=True)
        operator = model or "Relu"
        write_model(str(folder / "model.onnx"), [helper.make_node(operator, ["x"], ["y"])], [("x", 1, [3])],
                    [("y", 1, [3])])
        for kind, array in (("input", [-1, 2, 3]), ("output", expected)):
            tensor = numpy_helper.from_array(np.array(array, np.float32), "")
            (folder / "test_data_set_0" / f"{kind}_0.pb").write_bytes(tensor.SerializeToString())

    def test_test_counts_and_skips(self):
        self.write_case("good", [0, 2, 3])
        self.write_case("wrong", [0, 2, 3.1])
        self.write_case("odd", [0, 2, 3], "Frobnicate")
        cases = self.path("cases")
        run = self.hone("test", cases, expect=COMPARISON)
        self.assertEqual(run.stdout.splitlines()[-1], "1 passed, 1 failed, 1 unsupported")
        self.hone("test", cases, "--filter", "good")
        self.hone("test", cases, "--rtol", "0.1")
        self.assertIn("Frobnicate", self.hone("test", cases, "--list-unsupported", expect=COMPARISON).stdout)
        skips = self.folder / "skip.txt"
        skips.write_text("# comment\nwr*: the expectation is wrong\n")
        run = self.hone("test", cases, "--skip-list", skips)
        self.assertEqual(run.stdout.splitlines()[-1], "1 passed, 0 failed, 2 unsupported")
        skips.write_text("good: it once failed\nwrong: the expectation is wrong\n")
        run = self.hone("test", cases, "--skip-list", skips, expect=COMPARISON)
        self.assertIn("take the line out", run.stdout)
        skips.write_text("a line without a reason\n")
        self.hone("test", cases, "--skip-list", skips, expect=USAGE)
        self.hone("test", self.path("nowhere"), expect=USAGE)

    def test_signals_hand_over_what_there_is(self):
        write_linear(self.path("m.onnx"))
        self.hone("build", self.path("m.onnx"), "-o", self.path("m.hone"))
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process = subprocess.Popen([HONE, "bench", self.path("m.hone"), "--shape", "x=1x4", "--duration", "60",
                                        "--json"], stdout=subprocess.PIPE, text=True, env=self.environment)
            time.sleep(1)
            process.send_signal(number)
            output, _ = process.communicate(timeout=30)
            self.assertEqual(process.returncode, code)
            result = json.loads(output)
            self.assertTrue(result["interrupted"])
            self.assertGreater(result["runs"], 0)

    def test_a_full_disk_leaves_the_old_file(self):
        write_large(self.path("m.onnx"), 2)
        target = self.folder / "m.hone"
        target.write_bytes(b"old")
        before = self.files()

        def small_files_only():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        run = self.hone("build", self.path("m.onnx"), "-o", target, expect=RESOURCE, preexec_fn=small_files_only)
        self.assertIn("can't write", run.stderr)
        self.assertEqual(target.read_bytes(), b"old")
        self.assertEqual(self.files(), before)

    def test_being_killed_leaves_the_old_file_or_the_new_one(self):
        write_large(self.path("m.onnx"), 8)
        target = self.folder / "m.hone"
        self.hone("build", self.path("m.onnx"), "-o", target, "--no-tune")
        first = target.read_bytes()
        before = self.files()
        draw = random.Random(3)
        for number in [signal.SIGKILL] * 10 + [signal.SIGTERM] * 10:
            process = subprocess.Popen([HONE, "build", self.path("m.onnx"), "-o", str(target), "--no-tune", "-q"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
            time.sleep(draw.uniform(0, 0.2))
            process.send_signal(number)
            process.wait(timeout=30)
            if number == signal.SIGTERM:
                self.assertIn(process.returncode, (0, 143))
                self.assertEqual(self.files(), before)
            self.assertEqual(len(target.read_bytes()), len(first))
            self.hone("inspect", target, "--json")

    def test_files_that_are_no_files(self):
        write_linear(self.path("m.onnx"))
        os.mkfifo(self.path("pipe"))
        for command in ("build", "inspect", "bench", "run"):
            self.assertIn(self.hone_code(command, self.path("pipe")), (USAGE, MODEL))
            self.assertIn(self.hone_code(command, "/dev/zero"), (USAGE, MODEL))
            self.assertIn(self.hone_code(command, str(self.folder)), (USAGE, MODEL))
        self.hone("build", self.path("m.onnx"), "-o", "/dev/null", expect=USAGE)
        self.assertTrue(pathlib.Path("/dev/null").is_char_device())

    def hone_code(self, *arguments):
        return subprocess.run([HONE, *arguments], capture_output=True, env=self.environment, timeout=30,
                              check=False).returncode


if __name__ == "__main__":
    HONE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
