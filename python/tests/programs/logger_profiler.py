"""A logger and a profiler of one's own, given to the builder, the runtime and the context.

    logger_profiler.py MODEL.onnx INPUT.npy RESULT.npz
"""

import sys
from collections import defaultdict

import numpy as np
import pycuda.autoinit
import pycuda.driver as cuda
import tensorrt as trt


class ListLogger(trt.ILogger):
    def __init__(self):
        trt.ILogger.__init__(self)
        self.lines = []

    def log(self, severity, msg):
        self.lines.append((severity, msg))
        if severity <= trt.ILogger.WARNING:
            print("[%s] %s" % (severity, msg), file=sys.stderr)


class LayerTimes(trt.IProfiler):
    def __init__(self):
        super().__init__()
        self.times = defaultdict(list)

    def report_layer_time(self, layer_name, ms):
        self.times[layer_name].append(ms)


log = ListLogger()
builder = trt.Builder(log)
network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
parser = trt.OnnxParser(network, log)
with open(sys.argv[1], "rb") as f:
    assert parser.parse(f.read()), [str(parser.get_error(i)) for i in range(parser.num_errors)]
config = builder.create_builder_config()
config.max_workspace_size = 1 << 26
config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
engine = builder.build_engine(network, config)
assert engine is not None
context = engine.create_execution_context()
context.profiler = LayerTimes()
assert isinstance(context.profiler, trt.IProfiler)

x = np.ascontiguousarray(np.load(sys.argv[2]))
hosts = [x] + [
    np.zeros(tuple(context.get_binding_shape(i)), trt.nptype(engine.get_binding_dtype(i)))
    for i in range(1, engine.num_bindings)
]
devices = [cuda.mem_alloc(host.nbytes) for host in hosts]
cuda.memcpy_htod(devices[0], x)
RUNS = 5
for _ in range(RUNS):
    assert context.execute_v2([int(d) for d in devices])
for host, device in zip(hosts[1:], devices[1:]):
    cuda.memcpy_dtoh(host, device)

times = context.profiler.times
assert len(times) >= 1 and all(len(t) == RUNS for t in times.values()), {k: len(v) for k, v in times.items()}
assert all(ms >= 0 for t in times.values() for ms in t)
print("%d log lines; %d layers (%d in the engine)" % (len(log.lines), len(times), engine.num_layers))
assert all(isinstance(severity, trt.ILogger.Severity) and isinstance(m, str) for severity, m in log.lines)
for name, t in sorted(times.items(), key=lambda item: -sum(item[1]))[:5]:
    print("%-60s %8.3f ms" % (name, np.mean(t)))

plain = trt.Logger(trt.Logger.VERBOSE)
plain.log(trt.Logger.WARNING, "my own line")
plain.min_severity = trt.Logger.ERROR
plain.log(trt.Logger.WARNING, "a line that isn't shown")
np.savez(sys.argv[3], **{engine.get_binding_name(i): hosts[i] for i in range(1, len(hosts))})
