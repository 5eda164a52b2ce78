"""Does what one shouldn't, and looks at the answers: None, False or an exception, and never an end of the process.

    mistakes.py ENGINE INPUT.npy
"""

import sys

import numpy as np
import pycuda.autoinit
import pycuda.driver as cuda
import tensorrt as trt


class Recorder(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)
        self.errors = []

    def log(self, severity, msg):
        if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
            self.errors.append(msg)


logger = Recorder()
runtime = trt.Runtime(logger)
plan = open(sys.argv[1], "rb").read()
x = np.ascontiguousarray(np.load(sys.argv[2]))
failures = []


def refused(what, call, *args):
    """The call must answer None or False, or raise, and leave a line in the log or in the exception."""
    before = len(logger.errors)
    try:
        answer = call(*args)
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError, cuda.Error) as error:
        print("%-36s raises %s: %s" % (what, type(error).__name__, error))
        if not str(error):
            failures.append(what + ": an exception without a word")
        return
    said = logger.errors[before:]
    print("%-36s %s %s" % (what, answer, said))
    if answer is not None and answer is not False and answer != -1:
        failures.append("%s: answered %r" % (what, answer))
    elif not said and answer != -1:
        failures.append(what + ": no word in the log")


for what, data in (
    ("an empty file", b""),
    ("no engine", b"this is a text, not an engine" * 100),
    ("a truncated engine", plan[: len(plan) // 2]),
    ("all but the last byte", plan[:-1]),
    ("a changed byte", plan[: len(plan) // 2] + bytes([plan[len(plan) // 2] ^ 255]) + plan[len(plan) // 2 + 1 :]),
    ("ONNX in place of an engine", b"\x08\x07\x12\x07pytorch"),
):
    refused(what, runtime.deserialize_cuda_engine, data)

engine = runtime.deserialize_cuda_engine(plan)
context = engine.create_execution_context()
name, out = engine[0], engine[1]
addresses = [int(cuda.mem_alloc(1 << 20)) for _ in range(engine.num_bindings)]
refused("run before a shape is set", context.execute_v2, addresses)
refused("too few dimensions", context.set_input_shape, name, x.shape[1:])
refused("a fixed dimension changed", context.set_input_shape, name, x.shape[:1] + (x.shape[1] + 1,) + x.shape[2:])
refused("a negative dimension", context.set_input_shape, name, (-5,) + x.shape[1:])
refused("above the profile's maximum", context.set_input_shape, name, (1000,) + x.shape[1:])
refused("an unknown input's shape", context.set_input_shape, "no_such_input", x.shape)
refused("an output's shape", context.set_input_shape, out, x.shape)
refused("binding 99's shape", context.set_binding_shape, 99, x.shape)
refused("an unknown tensor's address", context.set_tensor_address, "no_such_tensor", addresses[0])
refused("an unknown name's index", engine.get_binding_index, "no_such_tensor")
refused("binding name 99", engine.get_binding_name, 99)
refused("profile 7", context.set_optimization_profile_async, 7, 0)
assert context.set_input_shape(name, x.shape)
refused("too few buffers", context.execute_v2, addresses[:1])
refused("a null buffer", context.execute_v2, [0] + addresses[1:])
refused("a misaligned buffer", context.execute_v2, [addresses[0] + 1] + addresses[1:])
refused("no addresses set", engine.create_execution_context().execute_async_v3, 0)
small = cuda.mem_alloc(x.nbytes - 4)
refused("a copy that is too large", cuda.memcpy_htod, small, x)
small.free()
refused("a buffer that is free again", context.execute_v2, [small] + addresses[1:])

builder = trt.Builder(logger)
network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
parser = trt.OnnxParser(network, logger)
if parser.parse(b"not ONNX at all") or parser.num_errors < 1:
    failures.append("a text was parsed as ONNX")
else:
    print("parse:", parser.get_error(0).desc())
if parser.parse_from_file("/no/such/file.onnx"):
    failures.append("a missing file was parsed")
refused("an empty network", builder.build_serialized_network, network, builder.create_builder_config())

good = cuda.mem_alloc(x.nbytes)
cuda.memcpy_htod(good, x)
assert context.execute_v2([int(good)] + addresses[1:]), "the context is broken after the mistakes"
print(len(failures), "failures")
sys.exit("\n".join(failures) or 0)
