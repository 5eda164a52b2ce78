#!/usr/bin/env python3
"""Uses `hone trtexec` as scripts around TensorRT's trtexec do: flags of all generations, report, files, failures.

usage: check_trtexec.py HONE
"""
import json
import os
import pathlib
import re
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
DATA = pathlib.Path(os.environ.get("HONE_DATA", pathlib.Path(__file__).parents[3] / "shared" / "data"))
SHORT = ("--iterations=5", "--warmUp=0", "--duration=0")
# Flags that mean nothing on a CPU, with values as users write them.
WITHOUT_EFFECT = """
--workspace=4096 --memPoolSize=workspace:4096M --batch=1 --maxBatch=8 --plugins=a.so --staticPlugins=b.so
--dynamicPlugins=c.so --setPluginsToSerialize=c.so --ignoreParsedPluginLibs --safetyPlugins=d.so --useCudaGraph
--noCudaGraph --useSpinWait --noSpinWait --threads --device=0 --useDLACore=0 --allowGPUFallback --exposeDMA
--useManagedMemory --sleepTime=1 --tacticSources=+CUDNN --timingCacheFile=t.cache --errorOnTimingCacheMiss --avgTiming=8
--minTiming=1 --maxTactics=3 --maxAuxStreams=2 --preview=+x --heuristic --noBuilderCache --noCompilationCache
--tilingOptimizationLevel=1 --l2LimitForTiling=1 --remoteAutoTuningConfig=x --cpuOnly --distributiveIndependence
--monitorMemory --refit --stripWeights --stripAllWeights --refitFromOnnx --versionCompatible --vc --excludeLeanRuntime
--leanDLLPath=x --useRuntime=full --hardwareCompatibilityLevel=none --runtimePlatform=x --allowWeightStreaming --safe
--consistency --sparsity=disable --noTF32 --directIO --layerDeviceTypes=x:GPU --decomposableAttentions
--buildDLAStandalone --tempdir=/tmp --tempfileControls=x --pluginInstanceNorm --pi --uint8AsymmetricQuantizationDLA
--reportCapabilityDLA --adjustForDLA --enablePluginOverride --markDebug=x --markUnfusedTensorsAsDebugTensors
--dumpKernelText --asyncFileReader --timeDeserialize --timeRefit --persistentCacheRatio=0.5 --allocationStrategy=static
--weightStreamingBudget=1 --saveDebugTensors=x:y --saveAllDebugTensors=npy --dumpRefit --dumpRawBindingsToFile
--tuneBuildRoutes --tuneBuildRouteFile=x --tuningSearch=fast --tuningCacheFile=x --tuningTimeOut=3 --saveAllEngines
--dryRun --continue --helpBuildRoute --setBuildRoute=x --inputIOFormats=fp32:chw --outputIOFormats=fp32:chw
--explicitPrecision --nativeInstanceNorm --ni --nvtxMode=default --calib=x --calibProfile=0 --layerOutputTypes=x:fp32
--layerPrecisions=x:fp32 --minShapesCalib=x:1 --optShapesCalib=x:1 --maxShapesCalib=x:1 --precisionConstraints=none
--restricted --weightless
""".split()
WITH_EFFECT = """
--verbose --explicitBatch --stronglyTyped --skipInference --separateProfileRun --builderOptimizationLevel=3 --avgRuns=5
--percentile=99 --profilingVerbosity=detailed --dumpOptimizationProfile --infStreams=1 --useProfile=0 --idleTime=1
--noDataTransfers --includeDataTransfers
""".split()
PRECISIONS = "--fp16 --bf16 --int8 --fp8 --int4 --best".split()


def write_model(path, nodes, inputs, outputs, initializers=()):
    def values(items):
        return [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in items]

    graph = helper.make_graph(nodes, "g", values(inputs), values(outputs), list(initializers))
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def write_linear(path, batch="N", name="x"):
    """y = x @ w with x float32[batch,4], y float32[batch,3]; returns w."""
    w = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    write_model(path, [helper.make_node("MatMul", [name, "w"], ["y"])], [(name, TensorProto.FLOAT, [batch, 4])],
                [("y", TensorProto.FLOAT, [batch, 3])], [numpy_helper.from_array(w, "w")])
    return w


def write_gather(path):
    """y = src[index]: an index input, and two inputs that share the dimension 'voxels'."""
    nodes = [helper.make_node("Add", ["src", "position"], ["sum"]), helper.make_node("Gather", ["sum", "index"], ["y"])]
    write_model(path, nodes, [("src", TensorProto.FLOAT, ["voxels", 4]), ("position", TensorProto.FLOAT, ["voxels", 4]),
                              ("index", TensorProto.INT64, ["sets", 2])], [("y", TensorProto.FLOAT, ["sets", 2, 4])])


class Trtexec(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.environment = {k: v for k, v in os.environ.items() if k != "HONE_TENSORRT_GENERATION"}

    def tearDown(self):
        self.scratch.cleanup()

    def path(self, name):
        return str(self.folder / name)

    def trtexec(self, *arguments, expect=0, command=None, prepare=None, **environment):
        run = subprocess.run([*(command or [HONE, "trtexec"]), *map(str, arguments)], capture_output=True, text=True,
                             env={**self.environment, **environment}, timeout=120, check=False,
                             preexec_fn=prepare)
        shown = f"{arguments}:\n{run.stdout}\n{run.stderr}"
        self.assertEqual(run.returncode, expect, shown)
        lines = run.stdout.splitlines()
        verdict = "PASSED" if expect == 0 else "FAILED"
        self.assertRegex(lines[0], r"^&&&& RUNNING TensorRT\.trtexec \[TensorRT v\d{4,6}\] # ", shown)
        self.assertRegex(lines[-1], rf"^&&&& {verdict} TensorRT\.trtexec \[TensorRT v\d{{4,6}}\] # ", shown)
        self.assertEqual(lines[0].split(" ", 2)[2], lines[-1].split(" ", 2)[2])
        return run

    def fails(self, pattern, *arguments, **options):
        run = self.trtexec(*arguments, expect=1, **options)
        self.assertRegex(run.stderr, r"\] \[E\] .*" + pattern)
        return run

    def test_the_report_is_what_scripts_read(self):
        write_linear(self.path("m.onnx"))
        out = self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={self.path('m.engine')}", "--shapes=x:2x4",
                           "--iterations=40", "--duration=0", "--warmUp=5").stdout
        for line in out.splitlines()[1:-1]:
            self.assertRegex(line, r"^\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] \[[IVWE]\] ")
        sections = re.findall(r"=== (.*) ===", out)
        self.assertEqual(sections, ["Model Options", "Build Options", "System Options", "Inference Options",
                                    "Reporting Options", "Device Information", "Trace details", "Performance summary"])
        for pattern in (r"TensorRT version: \d+\.\d+\.\d+$", r"Engine built in [\d.]+ sec\.",
                        r"Created engine with size: [\d.]+ MiB", r"Using random values for input x",
                        r"Input binding for x with dimensions 2x4", r"Output binding for y with dimensions 2x3",
                        r"Input build shape \(profile 0\): x=2x4\+2x4\+2x4", r"Precision: FP32$",
                        r"Warmup completed \d+ queries over [\d.]+ ms", r"Total Host Walltime: [\d.]+ s$",
                        r"Total GPU Compute Time: [\d.]+ s$", r"Explanations of the performance metrics"):
            self.assertRegex(out, re.compile(pattern, re.M))
        trace = re.search(r"Timing trace has (\d+) queries over ([\d.]+) s", out)
        self.assertEqual(int(trace[1]), 40)
        throughput = float(re.search(r"Throughput: ([\d.]+) qps", out)[1])
        self.assertAlmostEqual(throughput, 40 / float(trace[2]), delta=throughput * 1e-3)
        averages = re.findall(r"Average on 10 runs - GPU latency: ([\d.]+) ms - Host latency: ([\d.]+) ms "
                              r"\(enqueue ([\d.]+) ms\)", out)
        self.assertEqual(len(averages), 4)
        for name in ("Latency", "Enqueue Time", "H2D Latency", "GPU Compute Time", "D2H Latency"):
            found = re.search(rf"\] {name}: min = ([\d.]+) ms, max = ([\d.]+) ms, mean = ([\d.]+) ms, "
                              r"median = ([\d.]+) ms, percentile\(90%\) = ([\d.]+) ms, "
                              r"percentile\(95%\) = ([\d.]+) ms, percentile\(99%\) = ([\d.]+) ms", out)
            self.assertIsNotNone(found, name)
            low, high, mean, median, p90, p95, p99 = map(float, found.groups())
            self.assertTrue(low <= median <= p90 <= p95 <= p99 <= high, name)
            self.assertTrue(low <= mean <= high, name)

    def test_times_are_consistent(self):
        write_linear(self.path("m.onnx"))
        self.trtexec(f"--onnx={self.path('m.onnx')}", "--shapes=x:64x4", "--iterations=30", "--duration=0",
                     "--warmUp=1", f"--exportTimes={self.path('t.json')}")
        rows = json.loads(pathlib.Path(self.path("t.json")).read_text())
        self.assertEqual(len(rows), 30)
        before = 0
        for row in rows:
            moments = [row[k] for k in ("startH2dMs", "endH2dMs", "startComputeMs", "endComputeMs", "startD2hMs",
                                        "endD2hMs")]
            self.assertEqual(moments, sorted(moments))
            self.assertGreaterEqual(moments[0], before)
            before = moments[-1]
            for kind in ("h2d", "compute", "d2h"):
                start, end = (row[f"{edge}{kind[0].upper()}{kind[1:]}Ms"] for edge in ("start", "end"))
                self.assertAlmostEqual(row[f"{kind}Ms"], end - start, places=6)
            self.assertAlmostEqual(row["latencyMs"], row["h2dMs"] + row["computeMs"] + row["d2hMs"], places=6)
            self.assertGreater(row["computeMs"], 0)
            self.assertLessEqual(row["startEnqMs"], row["endEnqMs"])

    def test_duration_and_warm_up_are_lower_bounds(self):
        write_linear(self.path("m.onnx"))
        out = self.trtexec(f"--onnx={self.path('m.onnx')}", "--shapes=x:1x4", "--iterations=1", "--duration=0.5",
                           "--warmUp=100").stdout
        self.assertGreaterEqual(float(re.search(r"Total Host Walltime: ([\d.]+)", out)[1]), 0.45)
        warm_up = re.search(r"Warmup completed (\d+) queries over ([\d.]+) ms", out)
        self.assertGreater(int(warm_up[1]), 1)
        self.assertGreaterEqual(float(warm_up[2]), 100)

    def test_open_dimensions_stay_open(self):
        write_linear(self.path("m.onnx"))
        run = self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={self.path('m.engine')}", "--fp16", *SHORT)
        self.assertRegex(run.stderr, r"\[W\] Dynamic dimensions required for input: x\b.*1x4")
        self.assertEqual(len(re.findall("FP32 is computed", run.stderr)), 1)
        self.assertIn("Input binding for x with dimensions 1x4", run.stdout)
        for rows in (1, 7):
            out = self.trtexec(f"--loadEngine={self.path('m.engine')}", f"--shapes=x:{rows}x4", *SHORT).stdout
            self.assertRegex(out, r"Engine loaded in [\d.]+ sec\.")
            self.assertIn(f"Output binding for y with dimensions {rows}x3", out)

    def test_a_run_that_cannot_do_with_ones_says_which_shapes(self):
        node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3])
        write_model(self.path("m.onnx"), [node], [("x", TensorProto.FLOAT, ["N", 3, "H", "W"])],
                    [("y", TensorProto.FLOAT, ["N", 3, "h", "w"])])
        save = f"--saveEngine={self.path('m.engine')}"
        run = self.fails(r"--shapes=x:Ax3xBxC", f"--onnx={self.path('m.onnx')}", save, *SHORT)
        self.assertIn("saved", run.stderr)
        self.trtexec(f"--loadEngine={self.path('m.engine')}", "--shapes=x:1x3x8x9", *SHORT)
        self.trtexec(f"--onnx={self.path('m.onnx')}", save, "--buildOnly")

    def test_profiles(self):
        write_linear(self.path("m.onnx"))
        engine = self.path("m.engine")
        run = self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={engine}", "--minShapes=x:1x4",
                           "--optShapes=x:2x4", "--maxShapes=x:8x4", "--dumpOptimizationProfile", *SHORT)
        self.assertIn("Input binding for x with dimensions 2x4", run.stdout)
        self.assertIn("x: MIN=1x4 OPT=2x4 MAX=8x4", run.stdout)
        self.trtexec(f"--loadEngine={engine}", "--shapes=x:8x4", *SHORT)
        self.fails(r"x", f"--loadEngine={engine}", "--shapes=x:9x4", *SHORT)
        self.fails(r"x", f"--loadEngine={engine}", "--shapes=x:2x5", *SHORT)
        self.fails(r"no input 'z'", f"--loadEngine={engine}", "--shapes=z:2x4", *SHORT)
        self.fails(r"--useProfile", f"--loadEngine={engine}", "--useProfile=1", *SHORT)
        self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={engine}", "--profile=0", "--optShapes=x:1x4",
                     "--profile=1", "--optShapes=x:5x4", "--skipInference")
        out = self.trtexec(f"--loadEngine={engine}", "--useProfile=1", *SHORT).stdout
        self.assertIn("Input binding for x with dimensions 5x4", out)

    def test_names_with_colons_quotes_and_commas(self):
        write_linear(self.path("m.onnx"), name="a,b:0")
        for text in ("'a,b:0':3x4", "'a,b':0:3x4"):
            out = self.trtexec(f"--onnx={self.path('m.onnx')}", f"--shapes={text}", *SHORT).stdout
            self.assertIn("Input binding for a,b:0 with dimensions 3x4", out)
        write_linear(self.path("m.onnx"), name="in:0")
        out = self.trtexec(f"--onnx={self.path('m.onnx')}", "--shapes=in:0:3x4", *SHORT).stdout
        self.assertIn("Input binding for in:0 with dimensions 3x4", out)

    def test_scalars_and_empty_dimensions(self):
        node = helper.make_node("Mul", ["x", "s"], ["y"])
        write_model(self.path("m.onnx"), [node], [("x", TensorProto.FLOAT, ["N"]), ("s", TensorProto.FLOAT, [])],
                    [("y", TensorProto.FLOAT, ["N"])])
        for shapes in ("x:3,s:", "x:3,s:scalar", "x:0,s:"):
            self.trtexec(f"--onnx={self.path('m.onnx')}", f"--shapes={shapes}", *SHORT)

    def test_index_inputs(self):
        write_gather(self.path("m.onnx"))
        src = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
        position = np.random.default_rng(2).standard_normal((5, 4)).astype(np.float32)
        index = np.array([[4, 0], [1, 3], [2, 2]], np.int64)
        src.tofile(self.path("src.bin"))
        np.save(self.path("position.npy"), position)
        out = self.trtexec(f"--onnx={self.path('m.onnx')}", "--shapes=src:5x4,index:3x2", *SHORT).stdout
        self.assertIn("Using zeros for input index (int64)", out)
        for generation, kind in ((8, np.int32), (10, np.int64)):
            index.astype(kind).tofile(self.path("index.bin"))
            loads = f"src:{self.path('src.bin')},position:{self.path('position.npy')},index:{self.path('index.bin')}"
            run = self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={self.path('m.engine')}",
                               f"--tensorrt-generation={generation}", "--skipInference")
            run = self.trtexec(f"--loadEngine={self.path('m.engine')}", "--shapes=src:5x4,index:3x2",
                               f"--loadInputs={loads}", f"--exportOutput={self.path('o.json')}", "--dumpOutput", *SHORT)
            (output,) = json.loads(pathlib.Path(self.path("o.json")).read_text())
            self.assertEqual((output["name"], output["dimensions"]), ("y", "3x2x4"))
            expected = (src + position)[index]
            np.testing.assert_allclose(np.reshape(output["values"], expected.shape), expected, rtol=1e-5, atol=1e-6)
            printed = re.search(r"\] y: \(3x2x4\)\n\S+ \S+ (.*)", run.stdout)[1].split()
            np.testing.assert_allclose(np.array(printed, float), expected.ravel(), rtol=1e-4, atol=1e-5)
        self.fails(r"bytes", f"--loadEngine={self.path('m.engine')}", "--shapes=src:5x4,index:4x2",
                   f"--loadInputs=index:{self.path('index.bin')}", *SHORT)
        self.fails(r"none\.bin", f"--loadEngine={self.path('m.engine')}", f"--loadInputs=index:{self.path('none.bin')}",
                   *SHORT)

    def test_inputs_whose_contents_decide_shapes(self):
        write_model(self.path("m.onnx"), [helper.make_node("Reshape", ["x", "s"], ["y"])],
                    [("x", TensorProto.FLOAT, ["N"]), ("s", TensorProto.INT64, [2])],
                    [("y", TensorProto.FLOAT, ["a", "b"])])
        model = f"--onnx={self.path('m.onnx')}"
        out = self.trtexec(model, "--minShapes=x:1,s:1x1", "--optShapes=x:12,s:3x4", "--maxShapes=x:99,s:9x11",
                           f"--saveEngine={self.path('m.engine')}", *SHORT).stdout
        self.assertIn("Output binding for y with dimensions 3x4", out)
        out = self.trtexec(f"--loadEngine={self.path('m.engine')}", "--shapes=x:10,s:2x5", *SHORT).stdout
        self.assertIn("Output binding for y with dimensions 2x5", out)
        self.trtexec(model, *SHORT)
        self.fails("'s'", model, "--shapes=x:6,s:2", *SHORT)
        self.fails(r"--shapes=s:AxB", f"--loadEngine={self.path('m.engine')}", "--shapes=x:6,s:2x3x1", *SHORT)

    def test_sizes_of_one_input_serve_the_others(self):
        write_gather(self.path("m.onnx"))
        run = self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={self.path('m.engine')}", *SHORT)
        run = self.trtexec(f"--loadEngine={self.path('m.engine')}", "--shapes=src:6x4", *SHORT)
        self.assertIn("Input binding for position with dimensions 6x4", run.stdout)
        self.assertIn("Input binding for index with dimensions 1x2", run.stdout)
        self.assertNotIn("required for input: position", run.stderr)

    def test_layers_and_their_times(self):
        write_gather(self.path("m.onnx"))
        out = self.trtexec(f"--onnx={self.path('m.onnx')}", "--shapes=src:6x4,position:6x4,index:3x2", "--dumpProfile",
                           f"--exportProfile={self.path('p.json')}", "--dumpLayerInfo", "--profilingVerbosity=detailed",
                           f"--exportLayerInfo={self.path('l.json')}", *SHORT).stdout
        profile = json.loads(pathlib.Path(self.path("p.json")).read_text())
        self.assertEqual(list(profile[0]), ["count"])
        self.assertEqual(profile[0]["count"], 5)
        self.assertAlmostEqual(sum(layer["percentage"] for layer in profile[1:]), 100, places=3)
        for layer in profile[1:]:
            self.assertAlmostEqual(layer["averageMs"] * 5, layer["timeMs"], places=6)
            self.assertEqual(list(layer), ["name", "timeMs", "averageMs", "medianMs", "percentage"])
        self.assertRegex(out, r"=== Profile \(5 iterations \) ===\n"
                              r".*Time\(ms\) +Avg\.\(ms\) +Median\(ms\) +Time\(%\) +Layer")
        rows = re.findall(r"\[I\] +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+   (\S.*)", out)
        self.assertEqual(rows, [layer["name"] for layer in profile[1:]] + ["Total"])
        layers = json.loads(pathlib.Path(self.path("l.json")).read_text())
        self.assertEqual(layers["Bindings"], ["src", "position", "index", "y"])
        self.assertIn("Gather", [layer["LayerType"] for layer in layers["Layers"]])
        self.assertIn("Layer Information:", out)

    def test_generations(self):
        write_linear(self.path("m.onnx"), batch=2)
        model, engine = f"--onnx={self.path('m.onnx')}", self.path("m.engine")
        transfers = {}
        for generation, version in ((7, "7202"), (8, "8601"), (10, "100001"), (11, "110100")):
            run = self.trtexec(model, f"--saveEngine={engine}", "--tensorrt-generation", generation, *SHORT)
            self.assertIn(f"[TensorRT v{version}]", run.stdout)
            loaded = self.trtexec(f"--loadEngine={engine}", *SHORT, HONE_TENSORRT_GENERATION="9")
            self.assertIn(f"[TensorRT v{version}]", loaded.stdout)
            transfers[generation] = re.search(r"Data transfers: (\w+)", loaded.stdout)[1]
        self.assertEqual(transfers, {7: "Enabled", 8: "Enabled", 10: "Enabled", 11: "Disabled"})
        out = self.trtexec(f"--loadEngine={engine}", "--includeDataTransfers", *SHORT).stdout
        self.assertGreater(float(re.search(r"H2D Latency: .* max = ([\d.]+)", out)[1]), 0)
        out = self.trtexec(f"--loadEngine={engine}", *SHORT).stdout
        self.assertEqual(float(re.search(r"H2D Latency: .* max = ([\d.]+)", out)[1]), 0)
        out = self.trtexec(f"--loadEngine={engine}", "--getPlanVersionOnly").stdout
        self.assertIn("Plan was created with TensorRT version: 11.1.0", out)
        self.trtexec(model, f"--saveEngine={engine}", "--skipInference", HONE_TENSORRT_GENERATION="8")
        self.assertEqual(self.metadata(engine)["hone.tensorrt_generation"], "8")
        self.trtexec(model, f"--saveEngine={engine}", "--skipInference")
        self.assertNotIn("hone.tensorrt_generation", self.metadata(engine))
        self.fails(r"HONE_TENSORRT_GENERATION", model, *SHORT, HONE_TENSORRT_GENERATION="x")
        nine = ["--tensorrt-generation", "9"]
        for arguments, variable, expected in ((nine, "7", "9"), ([], "7", "7"), ([], "", None)):
            subprocess.run([HONE, "build", self.path("m.onnx"), "-o", engine, "-q", *arguments], check=True,
                           stdout=subprocess.DEVNULL, env={**self.environment, "HONE_TENSORRT_GENERATION": variable})
            self.assertEqual(self.metadata(engine).get("hone.tensorrt_generation"), expected)

    def metadata(self, engine):
        shown = subprocess.run([HONE, "inspect", engine, "--json"], capture_output=True, check=True,
                               env=self.environment)
        return json.loads(shown.stdout)["metadata"]

    def test_every_flag_is_taken(self):
        write_linear(self.path("m.onnx"), batch=2)
        self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={self.path('m.engine')}", "--skipInference")
        run = self.trtexec(f"--loadEngine={self.path('m.engine')}", *SHORT, *WITHOUT_EFFECT)
        for flag in WITHOUT_EFFECT:
            name = flag.split("=")[0]
            self.assertEqual(len(re.findall(rf"\[W\] {name} has no effect here: ", run.stderr)), 1, name)
        for flag in WITH_EFFECT:
            run = self.trtexec(f"--loadEngine={self.path('m.engine')}", *SHORT, flag)
            self.assertNotIn("no effect", run.stderr)
        for flag in PRECISIONS:
            run = self.trtexec(f"--onnx={self.path('m.onnx')}", *SHORT, flag)
            self.assertEqual(len(re.findall("FP32 is computed", run.stderr)), 1, flag)
        run = self.trtexec(f"--loadEngine={self.path('m.engine')}", *SHORT, "--streams=4")
        self.assertRegex(run.stderr, r"\[W\] one stream runs, not 4")

    def test_the_old_command_lines_of_yolov7(self):
        write_linear(self.path("m.onnx"))
        self.trtexec(f"--onnx={self.path('m.onnx')}", f"--saveEngine={self.path('m.engine')}", "--fp16",
                     "--workspace=4096", "--explicitBatch", "--minShapes=x:1x4", "--optShapes=x:1x4",
                     "--maxShapes=x:8x4", "--shapes=x:4x4", "--timingCacheFile=t.cache", "--buildOnly",
                     "--verbose", "--plugins=libyolo.so")
        self.assertTrue(os.path.getsize(self.path("m.engine")))
        self.assertFalse(os.path.exists("t.cache"))

    def test_a_link_named_trtexec(self):
        write_linear(self.path("m.onnx"))
        link = self.path("trtexec")
        os.symlink(HONE, link)
        run = self.trtexec(f"--onnx={self.path('m.onnx')}", *SHORT, command=[link])
        self.assertIn(f"# {link} --onnx=", run.stdout)

    def test_failures(self):
        write_linear(self.path("m.onnx"))
        model, engine = f"--onnx={self.path('m.onnx')}", self.path("m.engine")
        self.trtexec(model, f"--saveEngine={engine}", "--skipInference")
        self.fails("none.onnx", f"--onnx={self.path('none.onnx')}")
        self.fails("none.engine", f"--loadEngine={self.path('none.engine')}")
        pathlib.Path(self.path("bad.onnx")).write_bytes(b"\x08\x08garbage that is no model")
        self.fails("bad.onnx", f"--onnx={self.path('bad.onnx')}")
        write_model(self.path("odd.onnx"), [helper.make_node("Frobnicate", ["x"], ["y"])], [("x", 1, [1])],
                    [("y", 1, [1])])
        self.fails("Frobnicate", f"--onnx={self.path('odd.onnx')}")
        self.fails("z", model, "--shapes=z:1x4", *SHORT)
        self.fails("x", model, "--shapes=x:1x5", *SHORT)
        self.fails("x", model, "--shapes=x:4", *SHORT)
        self.fails("NAME:1x3x640x640", model, "--shapes=x")
        run = self.fails("Unknown option: --frobnicate 3", model, "--frobnicate=3")
        self.assertIn("--saveEngine=FILE", run.stdout)
        self.fails("Unknown option", "--onnx", self.path("m.onnx"))
        self.fails("can't both", model, f"--loadEngine={engine}")
        self.fails("no model", "--fp16")
        self.fails("aren't read", "--deploy=m.prototxt", "--model=m.caffemodel", "--output=prob")
        self.fails("aren't compared", f"--loadEngine={engine}", "--loadRefOutputs=y:y.bin")
        whole = pathlib.Path(engine).read_bytes()
        for name, contents in (("cut", whole[:-10]), ("flipped", whole[:200] + bytes([whole[200] ^ 255]) + whole[201:]),
                               ("text", b"no engine"), ("empty", b"")):
            pathlib.Path(self.path(name)).write_bytes(contents)
            self.fails(name, f"--loadEngine={self.path(name)}", *SHORT)
        self.fails("", f"--loadEngine={self.path('m.onnx')}", *SHORT)
        self.fails("", f"--loadEngine={self.folder}", *SHORT)
        self.fails("overwrite", model, f"--saveEngine={self.path('m.onnx')}")

    def test_targets_that_cannot_be_written_fail_before_the_build(self):
        write_linear(self.path("m.onnx"))
        model = f"--onnx={self.path('m.onnx')}"
        for flag in ("--saveEngine", "--exportTimes", "--exportOutput", "--exportProfile", "--exportLayerInfo"):
            for target in ("/dev/full", self.path("no/such/folder/f"), str(self.folder)):
                run = self.fails("can't write", model, f"{flag}={target}", *SHORT)
                self.assertNotIn("Engine built", run.stdout)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["m.onnx"])
        with open("/dev/full", "w", encoding="utf-8") as full:
            run = subprocess.run([HONE, "trtexec", model, *SHORT], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(run.returncode, 1)

    def test_a_full_disk_leaves_the_old_file(self):
        w = np.random.default_rng(3).standard_normal((512, 512)).astype(np.float32)
        write_model(self.path("m.onnx"), [helper.make_node("MatMul", ["x", "w"], ["y"])],
                    [("x", TensorProto.FLOAT, [1, 512])], [("y", TensorProto.FLOAT, [1, 512])],
                    [numpy_helper.from_array(w, "w")])
        target = self.folder / "m.engine"
        target.write_bytes(b"old")

        def small_files_only():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        run = self.fails("can't write", f"--onnx={self.path('m.onnx')}", f"--saveEngine={target}",
                         prepare=small_files_only)
        self.assertIn("Engine built", run.stdout)
        self.assertEqual(target.read_bytes(), b"old")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["m.engine", "m.onnx"])

    def test_help(self):
        for arguments in (["--help"], ["-h"], ["--onnx=x", "--help"], []):
            run = subprocess.run([HONE, "trtexec", *arguments], capture_output=True, text=True, check=True)
            for flag in [*WITHOUT_EFFECT, *WITH_EFFECT, "--onnx", "--exportTimes"]:
                name = flag.split("=")[0]
                if name in ("--explicitBatch", "--stronglyTyped", "--separateProfileRun"):
                    continue
                self.assertIn(name, run.stdout)
            self.assertIn("Examples:", run.stdout)

    def test_names_from_models_cannot_move_the_terminal(self):
        evil = "a\x1b[31m\x07"
        write_linear(self.path("m.onnx"), name=evil)
        run = self.trtexec(f"--onnx={self.path('m.onnx')}", "--dumpLayerInfo", "--verbose", *SHORT)
        run = self.fails("no input", f"--onnx={self.path('m.onnx')}", f"--loadInputs={evil}x:f", *SHORT)
        for text in (run.stdout, run.stderr):
            self.assertNotIn("\x1b", text)
            self.assertNotIn("\x07", text)

    def test_signals_hand_over_what_there_is(self):
        write_linear(self.path("m.onnx"))
        for duration, number, code, verdict in (("60", signal.SIGINT, 130, "FAILED"),
                                                ("60", signal.SIGTERM, 143, "FAILED"),
                                                ("-1", signal.SIGINT, 0, "PASSED")):
            command = [HONE, "trtexec", f"--onnx={self.path('m.onnx')}", "--shapes=x:1x4", f"--duration={duration}",
                       "--warmUp=10", f"--exportTimes={self.path('t.json')}"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                       env=self.environment)
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Starting inference" in line:
                    break
            time.sleep(0.3)
            process.send_signal(number)
            output, _ = process.communicate(timeout=30)
            self.assertEqual(process.returncode, code, output)
            self.assertIn("=== Performance summary ===", output)
            self.assertTrue(output.splitlines()[-1].startswith(f"&&&& {verdict}"))
            self.assertGreater(len(json.loads(pathlib.Path(self.path("t.json")).read_text())), 0)

    @unittest.skipUnless((DATA / "models" / "dsvt_two_blocks.onnx").exists(), "dsvt_two_blocks.onnx isn't there")
    def test_dsvt_without_shapes_is_open(self):
        model, engine = DATA / "models" / "dsvt_two_blocks.onnx", self.path("dsvt.engine")
        self.trtexec(f"--onnx={model}", f"--saveEngine={engine}", "--verbose", "--fp16", *SHORT)
        with np.load(DATA / "models" / "dsvt_two_blocks.npz") as arrays:
            names = [key for key in arrays if key.startswith("in__")]
            loads = ",".join(f"{name[4:]}:{DATA / 'models' / 'dsvt_two_blocks.npz'}:{name}" for name in names)
            expected = arrays["out__output"]
        self.trtexec(f"--loadEngine={engine}", f"--loadInputs={loads}", f"--exportOutput={self.path('o.json')}",
                     "--iterations=1", "--duration=0", "--warmUp=0")
        (output,) = json.loads(pathlib.Path(self.path("o.json")).read_text())
        np.testing.assert_allclose(np.reshape(output["values"], expected.shape), expected, rtol=1e-3, atol=1e-4)


if __name__ == "__main__":
    HONE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
