"""hone.tensorrt: building from ONNX, loading, names that aren't there, types, loggers."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import numpy as np

import hone
import hone.tensorrt as trt
from tensorrt_models import EngineTest, Log, gather, generation, linear, model, nonzero

EXPLICIT_BATCH = 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)


def run(engine, x):
    """The output of a model with one input and one output."""
    context = engine.create_execution_context()
    assert context.set_input_shape("x", x.shape)
    y = np.empty(tuple(context.get_binding_shape(1)), np.float32)
    assert context.execute_v2([x.ctypes.data, y.ctypes.data])
    return y


class Builds(EngineTest):
    def parsed(self, onnx):
        builder = trt.Builder(self.log)
        network = builder.create_network(EXPLICIT_BATCH)
        parser = trt.OnnxParser(network, self.log)
        self.assertTrue(parser.parse(onnx))
        return builder, network, builder.create_builder_config()

    def check(self, engine, w, rows=4):
        x = self.random.standard_normal((rows, 3)).astype(np.float32)
        np.testing.assert_allclose(run(engine, x), x @ w, rtol=1e-5, atol=1e-6)

    def test_as_8_does(self):
        onnx, w = linear()
        with trt.Builder(self.log) as builder, builder.create_network(EXPLICIT_BATCH) as network, \
                trt.OnnxParser(network, self.log) as parser, builder.create_builder_config() as config:
            self.assertTrue(parser.parse(onnx))
            self.assertEqual((network.num_inputs, network.num_outputs, network.num_layers), (1, 1, 1))
            self.assertEqual((network.get_input(0).name, network.get_input(0).shape), ("x", (-1, 3)))
            self.assertEqual(network.get_output(0).dtype, trt.float32)
            config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 20)
            self.assertEqual(config.get_memory_pool_limit(trt.MemoryPoolType.WORKSPACE), 1 << 20)
            config.set_flag(trt.BuilderFlag.FP16)
            self.assertTrue(config.get_flag(trt.BuilderFlag.FP16))
            profile = builder.create_optimization_profile()
            profile.set_shape("x", (1, 3), (4, 3), (8, 3))
            self.assertEqual(profile.get_shape("x"), [(1, 3), (4, 3), (8, 3)])
            self.assertEqual(config.add_optimization_profile(profile), 0)
            plan = builder.build_serialized_network(network, config)
        told = [text for severity, text in self.log.lines if severity == trt.Logger.WARNING]
        self.assertEqual(len(told), 1)
        self.assertIn("FP32 is computed", told[0])
        with tempfile.TemporaryFile() as file, plan as opened:
            file.write(opened)
            file.seek(0)
            self.assertEqual(len(file.read()), plan.nbytes)
        self.assertEqual(repr(plan), f"<tensorrt.IHostMemory of {plan.nbytes} bytes>")
        engine = trt.Runtime(self.log).deserialize_cuda_engine(plan)
        self.assertEqual(engine.get_profile_shape(0, "x"), [(1, 3), (4, 3), (8, 3)])
        self.check(engine, w)
        self.check(trt.Runtime(self.log).deserialize_cuda_engine(engine.serialize()), w)

    def test_as_7_does(self):
        onnx, w = linear(4)
        builder, network, _ = self.parsed(onnx)
        builder.max_workspace_size = 1 << 28
        builder.max_batch_size = 1
        builder.fp16_mode = False
        engine = builder.build_cuda_engine(network)
        self.assertEqual((engine.max_batch_size, engine.has_implicit_batch_dimension), (1, False))
        self.check(engine, w)

    def test_fixed_input(self):
        onnx, w = linear()
        builder, network, config = self.parsed(onnx)
        network.get_input(0).shape = [5, 3]
        with self.assertRaisesRegex(ValueError, "model's"):
            network.get_input(0).shape = [5, 4]
        plan = builder.build_serialized_network(network, config)
        engine = trt.Runtime(self.log).deserialize_cuda_engine(plan)
        self.assertEqual(engine.get_binding_shape(0), (5, 3))
        self.assertEqual(network.get_output(0).shape, (5, 2))
        self.assertEqual(engine.get_tensor_shape("y"), (5, 2))
        context = engine.create_execution_context()
        self.assertEqual(context.get_binding_shape(1), (5, 2))
        x, y = self.random.standard_normal((5, 3)).astype(np.float32), np.empty((5, 2), np.float32)
        self.assertTrue(context.execute_v2([x.ctypes.data, y.ctypes.data]))
        np.testing.assert_allclose(y, x @ w, rtol=1e-5, atol=1e-6)

    def test_partly_fixed_input(self):
        two = model([("Add", ["x", "x"], ["y"])], [("x", "float32", ["N", "C"])], [("y", "float32", ["N", "C"])])
        builder, network, config = self.parsed(two)
        network.get_input(0).shape = [-1, 3]
        self.assertEqual(network.get_output(0).shape, (-1, -1))
        engine = builder.build_engine(network, config)
        self.assertEqual(engine.get_binding_shape(0), (-1, 3))
        context = engine.create_execution_context()
        self.refused(context.set_input_shape("x", (2, 4)), "(-1, 3)")
        x = self.random.standard_normal((2, 3)).astype(np.float32)
        np.testing.assert_array_equal(run(engine, x), 2 * x)

    def test_fixed_input_with_a_size_that_the_data_decides(self):
        builder, network, config = self.parsed(nonzero())
        network.get_input(0).shape = (6,)
        self.assertEqual(builder.build_engine(network, config).get_tensor_shape("places"), (1, -1))

    def test_layers(self):
        builder, network, config = self.parsed(gather())
        layers = [network.get_layer(i) for i in range(network.num_layers)]
        self.assertEqual([layer.type for layer in layers], [trt.LayerType.GATHER, trt.LayerType.ELEMENTWISE])
        self.assertEqual([layer.num_outputs for layer in layers], [1, 1])
        tensor = layers[0].get_output(0)
        self.assertIs(tensor, network.get_output(0))
        self.assertTrue(tensor.is_network_output)
        network.mark_output(tensor)
        self.assertEqual(network.num_outputs, 2)
        self.assertIsNone(layers[0].get_output(1))
        self.assertIsNone(network.get_layer(2))
        layers[0].precision = trt.float16
        layers[0].set_output_type(0, trt.float16)

    def test_tensors_inside(self):
        builder, network, config = self.parsed(
            model([("MaxPool", ["x"], ["t"], {"kernel_shape": [2, 2]}), ("Transpose", ["t"], ["y"])],
                  [("x", "float32", ["N", 2, "H", 6])], [("y", "float32", ["a", "b", "c", "d"])]))
        tensor = network.get_layer(0).get_output(0)
        self.assertEqual((tensor.name, tensor.shape, tensor.dtype), ("t", (-1, 2, -1, 5), trt.float32))
        self.assertFalse(tensor.is_network_output or tensor.is_network_input)
        with self.assertRaisesRegex(RuntimeError, "'t' is no output.*graph.output"):
            network.mark_output(tensor)
        images = network.get_input(0)
        images.dtype, images.allowed_formats = trt.float32, 1 << int(trt.TensorFormat.LINEAR)
        with self.assertRaisesRegex(ValueError, "Cast"):
            images.dtype = trt.float16
        with self.assertRaisesRegex(AttributeError, "ITensor.name can't be set"):
            images.name = "pictures"
        with self.assertRaisesRegex(ValueError, "LINEAR"):
            images.allowed_formats = 1 << int(trt.TensorFormat.CHW32)

    def test_timing_cache(self):
        builder, network, config = self.parsed(linear()[0])
        self.assertIsNone(config.get_timing_cache())
        cache = config.create_timing_cache(b"kept")
        self.assertTrue(config.set_timing_cache(cache, False))
        self.check(builder.build_engine(network, config), linear()[1])
        self.assertEqual(bytes(config.get_timing_cache().serialize()), b"kept")
        self.assertTrue(cache.combine(config.create_timing_cache(b""), True))

    def test_generation_is_stored(self):
        with generation(8):
            builder, network, config = self.parsed(gather())
            self.assertEqual(network.get_input(1).dtype, trt.int32)
            plan = builder.build_serialized_network(network, config)
        with generation(11):
            engine = trt.Runtime(self.log).deserialize_cuda_engine(plan)
        self.assertEqual(engine.get_binding_dtype("i"), trt.int32)
        self.assertEqual(hone.load(bytes(plan)).metadata["hone.tensorrt_generation"], "8")

    def test_wrong_models(self):
        builder = trt.Builder(self.log)
        network = builder.create_network()
        parser = trt.OnnxParser(network, self.log)
        config = builder.create_builder_config()
        self.refused(builder.build_serialized_network(network, config), "OnnxParser", answer=None)
        self.refused(parser.parse(b"\x08\x08 no model"))
        self.assertEqual(parser.num_errors, 1)
        unknown = model([("Frobnicate", ["x"], ["y"])], [("x", "float32", [2])], [("y", "float32", [2])])
        self.refused(parser.parse(unknown), "Frobnicate")
        self.assertIn("Frobnicate", parser.get_error(0).desc())
        self.assertEqual(parser.get_error(0).code(), trt.ErrorCode.UNSUPPORTED_NODE)
        self.refused(parser.parse_from_file("/none.onnx"), "/none.onnx")
        parser.clear_errors()
        self.assertEqual(parser.num_errors, 0)

    def test_wrong_profiles(self):
        builder, network, config = self.parsed(linear()[0])
        profile = builder.create_optimization_profile()
        with self.assertRaisesRegex(RuntimeError, "min .* <= opt"):
            profile.set_shape("x", (4, 3), (2, 3), (8, 3))
        profile.set_shape("z", (1, 3), (2, 3), (3, 3))
        config.add_optimization_profile(profile)
        self.refused(builder.build_serialized_network(network, config), "'z'", answer=None)

    def test_from_file_with_external_data(self):
        import onnx
        data, w = linear()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "m.onnx"
            onnx.save_model(onnx.load_from_string(data), path, save_as_external_data=True, location="w.bin",
                            size_threshold=0)
            for parse in (lambda parser: parser.parse_from_file(str(path)),
                          lambda parser: parser.parse(path.read_bytes(), path=str(path))):
                builder = trt.Builder(self.log)
                network = builder.create_network()
                self.assertTrue(parse(trt.OnnxParser(network, self.log)))
                self.check(builder.build_engine(network, builder.create_builder_config()), w)
            self.refused(trt.OnnxParser(builder.create_network(), self.log).parse(path.read_bytes()), "external data")


class Loads(EngineTest):
    def test_what_is_no_engine(self):
        runtime = trt.Runtime(self.log)
        self.refused(runtime.deserialize_cuda_engine(b""), "empty", "trtexec", answer=None)
        self.refused(runtime.deserialize_cuda_engine(bytes(range(200))), "NVIDIA", answer=None)
        self.refused(runtime.deserialize_cuda_engine(linear()[0]), "ONNX model", "trtexec", answer=None)
        good = hone.build(linear()[0], tune=False).serialize()
        header = b'{"task": "detect"}'
        self.refused(runtime.deserialize_cuda_engine(len(header).to_bytes(4, "little") + header + good), "Ultralytics",
                     answer=None)
        self.refused(runtime.deserialize_cuda_engine(good[:-20]), answer=None)
        self.assertIsNotNone(runtime.deserialize_cuda_engine(memoryview(good)))
        self.assertIsNotNone(runtime.deserialize_cuda_engine(np.frombuffer(good, np.uint8)))

    def test_wrong_generation(self):
        data = hone.build(linear()[0], tune=False).serialize()
        with generation("12"):
            self.refused(trt.Runtime(self.log).deserialize_cuda_engine(data), "HONE_TENSORRT_GENERATION", "'12'",
                         answer=None)

    def test_both_ways_to_ask(self):
        engine = self.engine(gather(), shapes={"x": ((1, 4), (2, 4), (3, 4)), "i": ((1,), (2,), (3,))})
        self.assertEqual([engine.get_binding_name(k) for k in range(4)], list("xiyj"))
        self.assertEqual([engine.get_tensor_name(k) for k in range(4)], list(engine))
        self.assertEqual((engine["j"], engine[3], engine[-1], engine.get_binding_index("y")), (3, "j", "j", 2))
        for key in (1, "i"):
            self.assertTrue(engine.binding_is_input(key))
            self.assertEqual(engine.get_binding_shape(key), (-1,))
            self.assertEqual(engine.get_binding_dtype(key), trt.int64)
            self.assertEqual(engine.get_location(key), trt.TensorLocation.DEVICE)
            self.assertEqual(engine.get_profile_shape(0, key), engine.get_tensor_profile_shape("i", 0))
        self.assertEqual(engine.get_tensor_mode("y"), trt.TensorIOMode.OUTPUT)
        self.assertEqual(engine.get_tensor_format("x"), trt.TensorFormat.LINEAR)
        self.assertEqual(engine.num_layers, len(engine._engine.layers()))
        self.assertGreaterEqual(engine.device_memory_size, 0)
        inspector = engine.create_engine_inspector()
        whole = json.loads(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
        self.assertEqual((len(whole["Layers"]), whole["Bindings"]), (engine.num_layers, list("xiyj")))
        self.assertIn("Gather", inspector.get_layer_information(0, trt.LayerInformationFormat.ONELINE))
        self.assertEqual(inspector.get_engine_information(trt.LayerInformationFormat.ONELINE).count("\n"), 2)
        self.assertEqual(engine.get_tensor_vectorized_dim("x"), -1)
        self.assertEqual(engine.get_tensor_bytes_per_component("x", 0), -1)
        self.assertFalse(engine.is_shape_inference_io("i"))
        context = engine.create_execution_context_without_device_memory()
        context.device_memory, context.name, context.debug_sync = 4096, "one", True
        context.nvtx_verbosity = trt.ProfilingVerbosity.DETAILED
        self.assertEqual((context.name, context.device_memory), ("one", 4096))
        self.assertIs(trt.tensorrt, trt)
        self.assert_quiet()


class Names(unittest.TestCase):
    def test_what_is_not_there(self):
        builder = trt.Builder(Log())
        network = builder.create_network()
        for owner, name in ((trt, "Refitter"), (network, "add_convolution_nd"), (trt.Runtime, "load_runtime"),
                            (trt.BuilderFlag, "NONSENSE"), (builder, "create_refitter")):
            self.assertFalse(hasattr(owner, name))
            with self.assertRaisesRegex(AttributeError, f"{name} isn't in hone.tensorrt yet"):
                getattr(owner, name)
        with self.assertRaisesRegex(AttributeError, "IBuilderConfig.algorithm_selector isn't"):
            builder.create_builder_config().algorithm_selector = None

    def test_types(self):
        dims = trt.Dims((1, 3, 640, 640))
        self.assertEqual(repr(dims), "(1, 3, 640, 640)")
        self.assertEqual(repr(trt.Dims([5])), "(5,)")
        self.assertEqual(eval(repr(dims)), tuple(dims))
        self.assertEqual(dims[2:], (640, 640))
        self.assertEqual((1,) + dims[1:], tuple(dims))
        dims[0] = 4
        self.assertEqual(dims, [4, 3, 640, 640])
        self.assertNotEqual(dims, (4, 3, 640))
        self.assertEqual(np.zeros(trt.Dims((2, 3))).shape, (2, 3))
        for wrong in ((1.5, 2), ("3",)):
            with self.assertRaises(TypeError):
                trt.Dims(wrong)
        self.assertEqual((trt.DimsHW(5, 6).w, trt.Dims3(1, 2, 3)), (6, (1, 2, 3)))
        with self.assertRaises(ValueError):
            trt.Dims(range(9))
        self.assertEqual((trt.volume(dims), trt.volume(())), (4 * 3 * 640 * 640, 1))
        self.assertEqual(str(trt.float32), "DataType.FLOAT")
        self.assertEqual({trt.DataType.HALF: 1}[trt.float16], 1)
        self.assertEqual((trt.nptype(trt.int64), trt.int64.itemsize), (np.int64, 8))
        with self.assertRaises(TypeError):
            trt.nptype(trt.bfloat16)

    def test_loggers(self):
        text = io.StringIO()
        with contextlib.redirect_stderr(text), trt.Logger(trt.Logger.WARNING) as logger:
            logger.log(trt.Logger.INFO, "quiet")
            logger.log(trt.Logger.ERROR, "loud")
        self.assertRegex(text.getvalue(), r"^\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] \[TRT\] \[E\] loud\n$")
        self.assertEqual(trt.Logger.Severity.ERROR, trt.ILogger.ERROR)
        with self.assertRaisesRegex(TypeError, "logger"):
            trt.Runtime(None)

    def test_plugins(self):
        self.assertTrue(trt.init_libnvinfer_plugins(None, ""))
        self.assertTrue(trt.init_libnvinfer_plugins(trt.Logger(), namespace=""))
        registry = trt.get_plugin_registry()
        self.assertEqual(registry.get_plugin_creator("EfficientNMS_TRT", "1", "").name, "EfficientNMS_TRT")
        self.assertIsNone(registry.get_plugin_creator("Unheard_TRT", "1", ""))
        self.assertIn("BatchedNMSDynamic_TRT", [creator.name for creator in registry.plugin_creator_list])


if __name__ == "__main__":
    unittest.main()
