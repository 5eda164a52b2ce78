"""Several profiles by the index calls of TensorRT 7 and 8: profile p's bindings begin at p * (bindings / profiles).

    profile_bindings.py MODEL.onnx INPUTS.npz RESULT.npz
Array i of INPUTS belongs to profile i, which takes just its batch. Outputs are saved as NAME.KEY.
"""

import sys

import numpy as np
import pycuda.autoinit  # noqa: F401
import pycuda.driver as cuda
import tensorrt as trt

model, source, target = sys.argv[1:]
arrays = dict(np.load(source))
logger = trt.Logger(trt.Logger.WARNING)
builder = trt.Builder(logger)
network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
parser = trt.OnnxParser(network, logger)
assert parser.parse_from_file(model)
config = builder.create_builder_config()
config.max_workspace_size = 1 << 28
for array in arrays.values():
    profile = builder.create_optimization_profile()
    profile.set_shape(network.get_input(0).name, array.shape, array.shape, array.shape)
    config.add_optimization_profile(profile)
engine = builder.build_engine(network, config)
print(trt.__version__, engine.num_bindings, "bindings,", engine.num_optimization_profiles, "profiles")

each = engine.num_bindings // engine.num_optimization_profiles
results = {}
context = engine.create_execution_context()
for p, (key, array) in enumerate(arrays.items()):
    context.active_optimization_profile = p
    first = p * each
    assert engine.binding_is_input(first)
    assert tuple(engine.get_profile_shape(p, first)[2]) == array.shape
    assert context.set_binding_shape(first, array.shape)
    addresses = [0] * engine.num_bindings
    keep = [cuda.to_device(np.ascontiguousarray(array))]
    hosts = []
    for i in range(first + 1, first + each):
        hosts.append(np.zeros(tuple(context.get_binding_shape(i)), trt.nptype(engine.get_binding_dtype(i))))
        keep.append(cuda.mem_alloc(hosts[-1].nbytes))
    addresses[first : first + each] = [int(k) for k in keep]
    assert context.execute_v2(addresses)
    for i, host in enumerate(hosts):
        cuda.memcpy_dtoh(host, keep[i + 1])
        results["%s.%s" % (engine.get_binding_name(1 + i), key)] = host
np.savez(target, **results)
