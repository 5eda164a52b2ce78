"""hone.tensorrt: shapes, buffers and runs, in both generations, and what wrong ones give."""

import threading
import unittest

import numpy as np

import hone
import hone.tensorrt as trt
from hone._pycuda import driver as cuda
from tensorrt_models import EngineTest, expand, gather, linear, model, nonzero


def addresses(*arrays):
    return [array.ctypes.data for array in arrays]


class Runs(EngineTest):
    def gather_buffers(self, engine, rows=6, count=3):
        x = self.random.standard_normal((rows, 4)).astype(np.float32)
        dtype = trt.nptype(engine.get_tensor_dtype("i"))
        i = self.random.integers(0, rows, count).astype(dtype)
        return x, i, np.empty((count, 4), np.float32), np.empty(count, dtype)

    def gather_context(self, number, **options):
        engine = self.engine(gather(), number, **options)
        x, i, y, j = self.gather_buffers(engine)
        context = engine.create_execution_context()
        self.assertTrue(context.set_input_shape("x", x.shape))
        self.assertTrue(context.set_binding_shape(1, i.shape))
        return engine, context, (x, i, y, j)

    def test_both_generations_read_indices_as_they_say(self):
        for number, dtype in (7, np.int32), (8, np.int32), (10, np.int64), (11, np.int64):
            engine, context, (x, i, y, j) = self.gather_context(number)
            self.assertEqual([trt.nptype(engine.get_binding_dtype(k)) for k in range(4)], [np.float32, dtype] * 2)
            self.assertEqual(engine.get_tensor_dtype("j"), engine.get_binding_dtype("j"))
            self.assertTrue(context.execute_v2(addresses(x, i, y, j)))
            np.testing.assert_array_equal(y, x[i])
            np.testing.assert_array_equal(j, 3 * i)
            i[:] = i[::-1].copy()
            y.fill(0)
            self.assertTrue(context.execute_async_v2(bindings=addresses(x, i, y, j), stream_handle=0))
            np.testing.assert_array_equal(y, x[i])
        self.assert_quiet()

    def test_by_name(self):
        engine, context, (x, i, y, j) = self.gather_context(10)
        self.assertEqual(context.infer_shapes(), [])
        self.assertEqual(context.get_tensor_shape("y"), (3, 4))
        for name, array in zip("xiyj", (x, i, y, j)):
            self.assertTrue(context.set_tensor_address(name, array.ctypes.data))
            self.assertEqual(context.get_tensor_address(name), array.ctypes.data)
        self.assertTrue(context.execute_async_v3(0))
        np.testing.assert_array_equal(y, x[i])

    def test_int64_beyond_int32_saturates_before_10(self):
        engine, context, (x, i, y, j) = self.gather_context(8)
        big = model([("Mul", ["i", "k"], ["j"])], [("i", "int64", [2])], [("j", "int64", [2])],
                    {"k": np.array(2**31, np.int64)})
        context = self.engine(big, 8).create_execution_context()
        i, j = np.array([5, -5], np.int32), np.empty(2, np.int32)
        self.assertTrue(context.execute_v2(addresses(i, j)))
        self.assertEqual(j.tolist(), [2**31 - 1, -(2**31)])
        self.assertTrue(any("don't fit" in text for _, text in self.log.lines))

    def test_double_is_bound_as_float(self):
        double = model([("Add", ["x", "x"], ["y"])], [("x", "float64", [4])], [("y", "float64", [4])])
        for number in 8, 10:
            engine = self.engine(double, number)
            self.assertEqual(engine.get_binding_dtype(0), trt.float32)
            x, y = self.random.standard_normal(4).astype(np.float32), np.empty(4, np.float32)
            self.assertTrue(engine.create_execution_context().execute_v2(addresses(x, y)))
            np.testing.assert_array_equal(y, 2 * x)

    def test_bool(self):
        engine = self.engine(model([("Not", ["x"], ["y"])], [("x", "bool", [5])], [("y", "bool", [5])]))
        self.assertEqual(engine.get_binding_dtype(0), trt.bool)
        x, y = np.array([1, 0, 1, 1, 0], bool), np.empty(5, bool)
        self.assertTrue(engine.create_execution_context().execute_v2(addresses(x, y)))
        np.testing.assert_array_equal(y, ~x)

    def test_anything_with_int_or_index_is_a_pointer(self):
        class Index:
            def __init__(self, value):
                self.value = value

            def __index__(self):
                return self.value

        engine, context, arrays = self.gather_context(10)
        x, i, y, j = arrays
        device = [cuda.to_device(x), np.uint64(i.ctypes.data), Index(y.ctypes.data), cuda.mem_alloc(j.nbytes)]
        self.assertTrue(context.execute_v2(device))
        np.testing.assert_array_equal(y, x[i])
        np.testing.assert_array_equal(cuda.from_device_like(device[3], j), 3 * i)
        with self.assertRaisesRegex(TypeError, r"bindings\[0\] is a ndarray.*ctypes.data"):
            context.execute_v2([x, i, y, j])

    def test_shapes_of_all_sizes_in_one_context(self):
        for number in 8, 10:
            engine = self.engine(gather(), number)
            context = engine.create_execution_context()
            for count in 2, 0, 5, 1, 9, 0, 3:
                x, i, y, j = self.gather_buffers(engine, count + 3, count)
                self.assertTrue(context.set_input_shape("x", x.shape))
                self.assertTrue(context.set_input_shape("i", i.shape))
                self.assertEqual(context.get_tensor_shape("j"), (count,))
                self.assertTrue(context.execute_v2(addresses(x, i, y, j)))
                np.testing.assert_array_equal(y, x[i])
                np.testing.assert_array_equal(j, 3 * i)
        self.assert_quiet()

    def test_nothing_to_do(self):
        context = self.engine(linear()[0]).create_execution_context()
        context.set_input_shape("x", (0, 3))
        self.assertEqual(context.get_tensor_shape("y"), (0, 2))
        self.assertTrue(context.execute_v2([0, 0]))

    def test_batch_arguments_of_7(self):
        engine, context, (x, i, y, j) = self.gather_context(7)
        self.assertTrue(context.execute(1, addresses(x, i, y, j)))
        self.assertTrue(context.execute_async(batch_size=1, bindings=addresses(x, i, y, j), stream_handle=0))
        self.refused(context.execute(4, addresses(x, i, y, j)), "batch_size 4")

    def test_two_threads_in_one_context(self):
        size = 600
        onnx = model([("MatMul", ["x", "x"], ["t"]), ("MatMul", ["t", "x"], ["y"])],
                     [("x", "float32", [size, size])], [("y", "float32", [size, size])])
        context = self.engine(onnx).create_execution_context()
        x = self.random.standard_normal((size, size)).astype(np.float32)
        ys = [np.empty_like(x) for _ in range(2)]
        answers = [[], []]
        gate = threading.Barrier(2)

        def run(k):
            gate.wait()
            answers[k] = [context.execute_v2(addresses(x, ys[k])) for _ in range(20)]

        threads = [threading.Thread(target=run, args=(k,)) for k in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused = sum(a.count(False) for a in answers)
        self.assertGreater(refused, 0)
        errors = self.log.errors()
        self.assertEqual(len(errors), refused)
        self.assertIn("another thread", errors[0])
        self.assertTrue(context.execute_v2(addresses(x, ys[0])))
        np.testing.assert_allclose(ys[0], x @ x @ x, rtol=1e-2, atol=0.5)

    def test_profiler(self):
        class Times(trt.IProfiler):
            def __init__(self):
                super().__init__()
                self.seen = {}

            def report_layer_time(self, layer_name, ms):
                self.seen[layer_name] = ms

        engine, context, arrays = self.gather_context(10)
        context.profiler = Times()
        self.assertTrue(context.execute_v2(addresses(*arrays)))
        self.assertEqual(len(context.profiler.seen), engine.num_layers)
        self.assertTrue(all(ms >= 0 for ms in context.profiler.seen.values()))

    def test_cycles_do_not_grow(self):
        def resident():
            with open("/proc/self/statm") as file:
                return int(file.read().split()[1]) * 4096

        data = hone.build(gather(), tune=False).serialize()
        runtime = trt.Runtime(self.log)

        def cycle():
            engine = runtime.deserialize_cuda_engine(data)
            context = engine.create_execution_context()
            buffers = self.gather_buffers(engine)
            context.set_input_shape("x", buffers[0].shape)
            context.set_input_shape("i", buffers[1].shape)
            self.assertTrue(context.execute_v2([cuda.to_device(array) for array in buffers]))
            self.log.lines.clear()

        for _ in range(200):
            cycle()
        before = resident()
        for _ in range(1000):
            cycle()
        self.assertLess(resident() - before, 2 << 20)


class Mistakes(EngineTest):
    def setUp(self):
        super().setUp()
        onnx, self.w = linear()
        self.loaded = self.engine(onnx, shapes={"x": ((1, 3), (4, 3), (8, 3))})
        self.context = self.loaded.create_execution_context()
        self.x, self.y = self.random.standard_normal((4, 3)).astype(np.float32), np.empty((4, 2), np.float32)

    def tearDown(self):
        """After each mistake the context still works."""
        self.log.lines.clear()
        self.assertTrue(self.context.set_input_shape("x", (4, 3)))
        self.assertTrue(self.context.execute_v2(addresses(self.x, self.y)))
        np.testing.assert_allclose(self.y, self.x @ self.w, rtol=1e-5, atol=1e-6)

    def test_shapes(self):
        context = self.context
        self.refused(context.execute_v2(addresses(self.x, self.y)), "'x' (-1, 3)", "set_input_shape")
        self.refused(context.set_input_shape("z", (4, 3)), "'z'", "'x', 'y'")
        self.refused(context.set_input_shape("y", (4, 2)), "output 'y'", "follows from the inputs")
        self.refused(context.set_input_shape("x", (4,)), "1 dimensions", "(-1, 3)")
        self.refused(context.set_input_shape("x", (4, 5)), "(4, 5)", "(-1, 3)")
        self.refused(context.set_input_shape("x", (-1, 3)), "from 0 up")
        self.refused(context.set_input_shape("x", (9, 3)), "profile 0", "(1, 3) to (8, 3)")
        self.refused(context.set_input_shape("x", (2**63, 3)), "input 'x'", "(9223372036854775808, 3)")
        self.refused(context.set_binding_shape(5, (4, 3)), "no binding 5")
        with self.assertRaises(TypeError):
            context.set_input_shape("x", (4.0, 3))
        self.assertFalse(context.all_binding_shapes_specified)
        self.assertEqual(context.infer_shapes(), ["x"])
        self.assertEqual(context.get_tensor_shape("y"), (-1, 2))
        self.assertTrue(context.set_input_shape("x", [2, 3]))
        self.assertTrue(context.all_binding_shapes_specified)
        self.assertEqual(context.get_binding_shape(1), (2, 2))

    def test_buffers(self):
        context, x, y = self.context, *addresses(self.x, self.y)
        context.set_input_shape("x", (4, 3))
        self.refused(context.execute_v2([x]), "1 addresses", "'x', 'y'")
        self.refused(context.execute_v2([x, y, y]), "3 addresses")
        self.refused(context.execute_v2([x, 0]), "output 'y'", "null", "32 bytes")
        self.refused(context.execute_v2([None, y]), "input 'x'", "null")
        self.refused(context.execute_v2([x + 2, y]), "multiple of 4")
        self.refused(context.execute_v2([x, 0x7F5500000000]), "output 'y'", "CPU", "host memory")
        self.refused(context.execute_v2([2**70, y]), "input 'x'")
        self.refused(context.execute_v2([-16, y]), "input 'x'")
        self.refused(context.execute_async_v3(0), "input 'x'", "null")
        for wrong in None, 3.5, "0x10", np.float64(x):
            with self.assertRaisesRegex(TypeError, "the address of tensor 'x' is a .*ctypes.data"):
                context.set_tensor_address("x", wrong)
        with self.assertRaisesRegex(TypeError, r"bindings\[1\] is a str"):
            context.execute_v2([x, "y"])

    def test_size_of_an_output(self):
        self.refused(self.context.get_max_output_size("y"), "isn't known", answer=-1)
        self.context.set_input_shape("x", (4, 3))
        self.assertEqual(self.context.get_max_output_size("y"), 32)

    def test_buffers_by_turns(self):
        """Ones that were seen before are as right, or as wrong, as the first time."""
        context = self.context
        context.set_input_shape("x", (4, 3))
        outputs = np.empty((40, 4, 2), np.float32)
        for turn in range(120):
            x = self.random.standard_normal((4, 3)).astype(np.float32)
            y = outputs[turn * 7 % 40]
            self.assertTrue(context.execute_v2(addresses(x, y)))
            np.testing.assert_allclose(y, x @ self.w, rtol=1e-5, atol=1e-6)
            if turn % 5 == 0:
                self.refused(context.execute_v2([x.ctypes.data, 0x7F5500000000]), "output 'y'", "host memory")

    def test_memory_that_may_not_be_written(self):
        import mmap
        with open("/proc/self/exe", "rb") as file, mmap.mmap(file.fileno(), 4096, access=mmap.ACCESS_READ) as mapped:
            array = np.frombuffer(mapped, np.uint8)
            self.context.set_input_shape("x", (4, 3))
            self.refused(self.context.execute_v2([self.x.ctypes.data, array.ctypes.data]), "output 'y'", "write")
            del array

    def test_allocations_of_the_stand_in(self):
        self.context.set_input_shape("x", (4, 3))
        x, y = cuda.to_device(self.x), cuda.mem_alloc(24)
        self.refused(self.context.execute_v2([x, y]), "output 'y' needs 32 bytes", "has 24")
        y = cuda.mem_alloc(32)
        self.assertTrue(self.context.execute_v2([x, y]))
        self.refused(self.context.execute_v2([x, int(y) + 4]), "has 28")
        held = [int(x), int(y)]
        self.assertTrue(self.context.execute_v2(held))
        self.assertTrue(self.context.set_input_shape("x", (5, 3)))
        self.refused(self.context.execute_v2(held), "60 bytes", "has 48")

    def test_names(self):
        engine, context = self.loaded, self.context
        self.refused(engine.get_binding_index("z"), "'z'", answer=-1)
        self.refused(engine.get_binding_name(7), "no binding 7", answer=None)
        self.refused(engine.get_tensor_mode("z"), "'z'", answer=trt.TensorIOMode.NONE)
        self.refused(engine.binding_is_input(-1), "no binding -1")
        self.refused(engine.get_tensor_dtype("z"), "'z'", answer=trt.float32)
        self.refused(context.set_tensor_address("z", 64), "'z'")
        self.refused(context.get_tensor_address("z"), "'z'", answer=0)
        self.refused(engine.get_profile_shape(3, "x"), "no profile 3", answer=[])
        self.refused(engine.get_profile_shape(0, "y"), "only inputs", answer=[])
        with self.assertRaises(IndexError):
            engine[2]
        with self.assertRaisesRegex(RuntimeError, "profile 4"):
            context.active_optimization_profile = 4


class Decided(EngineTest):
    """Shapes that contents decide."""

    def test_contents_of_an_input(self):
        for number, dtype in (8, np.int32), (10, np.int64):
            engine = self.engine(expand(), number)
            self.assertTrue(engine.is_shape_binding(1))
            self.assertEqual(engine.get_tensor_location("s"), trt.TensorLocation.HOST)
            self.assertEqual(trt.nptype(engine.get_tensor_dtype("s")), dtype)
            context = engine.create_execution_context()
            x = self.random.standard_normal((3, 1)).astype(np.float32)
            s, y = np.array([3, 5], dtype), np.zeros((3, 7), np.float32)
            self.assertFalse(context.all_shape_inputs_specified)
            for name, array in zip("xsy", (x, s, y)):
                context.set_tensor_address(name, array.ctypes.data)
            self.assertTrue(context.all_shape_inputs_specified)
            for columns in 5, 7, 2:
                s[1] = columns
                self.assertEqual(context.infer_shapes(), [])
                self.assertEqual(context.get_tensor_shape("y"), (3, columns))
                self.assertTrue(context.execute_async_v3(0))
                found = y.ravel()[: 3 * columns].reshape(3, columns)
                np.testing.assert_array_equal(found, np.broadcast_to(x, (3, columns)))
            s[1] = 4
            self.assertTrue(context.execute_v2(addresses(x, s, y)))
            np.testing.assert_array_equal(y.ravel()[:12].reshape(3, 4), np.broadcast_to(x, (3, 4)))
        self.assert_quiet()

    def test_contents_given_by_values(self):
        context = self.engine(expand(), 8).create_execution_context()
        x, y = self.random.standard_normal((3, 1)).astype(np.float32), np.zeros((3, 6), np.float32)
        self.refused(context.execute_v2([x.ctypes.data, 0, y.ctypes.data]), "'s'", "null")
        self.assertTrue(context.set_shape_input(1, [3, 6]))
        self.assertEqual(context.get_shape(1), [3, 6])
        self.assertEqual(context.get_binding_shape(2), (3, 6))
        self.assertTrue(context.execute_v2([x.ctypes.data, 0, y.ctypes.data]))
        np.testing.assert_array_equal(y, np.broadcast_to(x, (3, 6)))
        self.refused(context.set_shape_input(0, [1, 1]), "decide no shapes")
        self.assertTrue(context.set_shape_input(1, [2, 2]))
        self.refused(context.execute_v2([x.ctypes.data, 0, y.ctypes.data]), "Expand")

    def test_size_that_the_data_decides(self):
        x = self.random.integers(0, 2, 20).astype(np.float32)
        places = np.nonzero(x)[0]
        for number, dtype in (8, np.int32), (10, np.int64):
            context = self.engine(nonzero(), number).create_execution_context()
            context.set_input_shape("x", x.shape)
            self.assertEqual(context.get_tensor_shape("places"), (1, -1))
            for y in np.empty(20, dtype), cuda.pagelocked_empty(20, dtype):
                self.assertTrue(context.execute_v2(addresses(x, y)))
                self.assertEqual(context.get_tensor_shape("places"), (1, len(places)))
                np.testing.assert_array_equal(y[: len(places)], places)
            small = cuda.mem_alloc(len(places) * np.dtype(dtype).itemsize - 8)
            self.refused(context.execute_v2([x.ctypes.data, small]), "places")

    def test_output_allocator(self):
        class Allocator(trt.IOutputAllocator):
            def reallocate_output(self, tensor_name, memory, size, alignment):
                self.array = np.zeros(size, np.uint8)
                return self.array.ctypes.data

            def notify_shape(self, tensor_name, shape):
                self.shape = tuple(shape)

        x = self.random.integers(0, 2, 30).astype(np.float32)
        context = self.engine(nonzero()).create_execution_context()
        context.set_input_shape("x", x.shape)
        context.set_tensor_address("x", x.ctypes.data)
        allocator = Allocator()
        self.assertTrue(context.set_output_allocator("places", allocator))
        self.assertTrue(context.execute_async_v3(0))
        self.assertEqual(allocator.shape, (1, np.count_nonzero(x)))
        np.testing.assert_array_equal(allocator.array.view(np.int64), np.nonzero(x)[0])


class Profiles(EngineTest):
    RANGES = [{"x": ((1, 3), (2, 3), (4, 3))}, {"x": ((5, 3), (6, 3), (16, 3))}]

    def test_profiles_have_bindings_of_their_own_before_10(self):
        onnx, w = linear()
        engine = self.engine(onnx, 8, shapes=self.RANGES)
        self.assertEqual((engine.num_bindings, len(engine), engine.num_optimization_profiles), (4, 4, 2))
        self.assertEqual(list(engine), ["x", "y", "x [profile 1]", "y [profile 1]"])
        self.assertEqual(engine.get_binding_index("y [profile 1]"), 3)
        context = engine.create_execution_context()
        self.assertTrue(context.set_optimization_profile_async(1, 0))
        self.assertEqual(context.active_optimization_profile, 1)
        self.refused(context.set_binding_shape(2, (4, 3)), "profile 1")
        self.assertTrue(context.set_binding_shape(2, (7, 3)))
        x, y = self.random.standard_normal((7, 3)).astype(np.float32), np.empty((7, 2), np.float32)
        self.assertTrue(context.execute_v2([0, 0, *addresses(x, y)]))
        np.testing.assert_allclose(y, x @ w, rtol=1e-5, atol=1e-6)

    def test_profiles_share_tensors_from_10_on(self):
        engine = self.engine(linear()[0], 10, shapes=self.RANGES)
        self.assertEqual((engine.num_bindings, engine.num_io_tensors), (2, 2))
        self.assertEqual(engine.get_tensor_profile_shape("x", 1), [(5, 3), (6, 3), (16, 3)])
        self.assertEqual(engine.get_profile_shape(1, 0), [(5, 3), (6, 3), (16, 3)])
        self.assertGreater(engine.device_memory_size_v2, -1)

    def test_open_profile(self):
        onnx, w = linear()
        engine = self.engine(onnx)
        low, _, high = engine.get_profile_shape(0, "x")
        self.assertEqual(engine.num_optimization_profiles, 1)
        self.assertTrue(all(a <= b <= c for a, b, c in zip(low, (1000, 3), high)))
        context = engine.create_execution_context()
        self.assertTrue(context.set_binding_shape(0, high))
        self.assertEqual(context.get_binding_shape(0), (1, 3))
        self.assertTrue(any("--maxShapes" in text for _, text in self.log.lines))
        self.assertTrue(context.set_input_shape("x", (1000, 3)))
        self.assertEqual(context.get_tensor_shape("y"), (1000, 2))


if __name__ == "__main__":
    unittest.main()
