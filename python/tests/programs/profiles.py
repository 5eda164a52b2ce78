"""Builds one engine with three shape profiles and runs each in a context of its own and by switching one context.

    profiles.py MODEL.onnx INPUTS.npz RESULT.npz
Array i of INPUTS fits profile i; its outputs are saved as NAME.KEY.
"""

import sys

import numpy as np
import pycuda.autoinit
import pycuda.driver as cuda
import tensorrt as trt

RANGES = [((1, 1), (1, 1), (1, 1)), ((2, 2), (3, 3), (4, 4)), ((5, 5), (6, 6), (8, 8))]  # batches: min, opt, max


def make(path):
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    parser = trt.OnnxParser(network, logger)
    assert parser.parse_from_file(path), parser.get_error(0).desc()
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 26)
    tensor = network.get_input(0)
    for low, best, high in RANGES:
        profile = builder.create_optimization_profile()
        rest = tuple(tensor.shape)[1:]
        profile.set_shape(tensor.name, (low[0],) + rest, (best[0],) + rest, (high[0],) + rest)
        assert profile.get_shape(tensor.name)[1] == (best[0],) + rest
        index = config.add_optimization_profile(profile)
        print("profile", index)
    plan = builder.build_serialized_network(network, config)
    return trt.Runtime(logger).deserialize_cuda_engine(plan)


def run(engine, context, array):
    name_in = engine.get_tensor_name(0)
    if not context.set_input_shape(name_in, array.shape):
        return None
    d_in = cuda.to_device(np.ascontiguousarray(array))
    context.set_tensor_address(name_in, int(d_in))
    outputs, keep = {}, [d_in]
    for i in range(1, engine.num_io_tensors):
        name = engine.get_tensor_name(i)
        outputs[name] = np.zeros(tuple(context.get_tensor_shape(name)), trt.nptype(engine.get_tensor_dtype(name)))
        keep.append(cuda.mem_alloc(outputs[name].nbytes))
        context.set_tensor_address(name, int(keep[-1]))
    stream = cuda.Stream()
    assert context.execute_async_v3(stream.handle)
    stream.synchronize()
    for host, device in zip(outputs.values(), keep[1:]):
        cuda.memcpy_dtoh(host, device)
    return outputs


engine = make(sys.argv[1])
assert engine.num_optimization_profiles == len(RANGES)
for p in range(engine.num_optimization_profiles):
    low, best, high = engine.get_tensor_profile_shape(engine.get_tensor_name(0), p)
    assert (low[0], best[0], high[0]) == tuple(r[0] for r in RANGES[p]), (low, best, high)
arrays = list(np.load(sys.argv[2]).items())
results = {}
switched = engine.create_execution_context()
stream = cuda.Stream()
for p, (key, array) in enumerate(arrays):
    own = engine.create_execution_context()
    assert own.set_optimization_profile_async(p, stream.handle)
    assert own.active_optimization_profile == p
    outputs = run(engine, own, array)
    switched.set_optimization_profile_async(p, stream.handle)
    stream.synchronize()
    again = run(engine, switched, array)
    for name, value in outputs.items():
        assert np.array_equal(value, again[name]), name
        results["%s.%s" % (name, key)] = value
    assert run(engine, own, arrays[p - 1][1]) is None, "a shape of another profile was taken"
np.savez(sys.argv[3], **results)
