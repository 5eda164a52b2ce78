"""Goes through batch sizes and picture sizes with one context; allocates anew when they grow.

    batch_loop.py ENGINE INPUTS.npz RESULT.npz
Run KEY's outputs are saved as NAME.KEY.
"""

import sys

import numpy as np
import pycuda.autoinit
import pycuda.driver as cuda
import tensorrt as trt


class OutputAllocator:
    """A pool of one buffer per binding that only grows."""

    def __init__(self):
        self.buffers = {}

    def get(self, name, nbytes):
        buffer, size = self.buffers.get(name, (None, 0))
        if size < nbytes:
            if buffer is not None:
                buffer.free()
            buffer = cuda.mem_alloc(nbytes)
            self.buffers[name] = (buffer, nbytes)
        return buffer


logger = trt.Logger(min_severity=trt.Logger.Severity.ERROR)
runtime = trt.Runtime(logger)
engine = runtime.deserialize_cuda_engine(open(sys.argv[1], "rb").read())
context = engine.create_execution_context()
pool = OutputAllocator()
stream = cuda.Stream()
results = {}
name_in = engine.get_tensor_name(0)
assert -1 in engine.get_tensor_shape(name_in), "the shapes are fixed"
start, end = cuda.Event(), cuda.Event()
for key, batch in np.load(sys.argv[2]).items():
    batch = np.ascontiguousarray(batch)
    if tuple(context.get_tensor_shape(name_in)) != batch.shape:
        if not context.set_input_shape(name_in, trt.Dims(batch.shape)):
            sys.exit("shape %s was refused" % (batch.shape,))
    device = pool.get(name_in, batch.nbytes)
    cuda.memcpy_htod_async(device, batch, stream)
    context.set_tensor_address(name_in, device)
    hosts = {}
    for i in range(1, len(engine)):
        name = engine[i]
        shape = context.get_tensor_shape(name)
        assert all(d >= 0 for d in shape), (name, shape)
        hosts[name] = cuda.pagelocked_empty(tuple(shape), trt.nptype(engine.get_tensor_dtype(name)))
        context.set_tensor_address(name, int(pool.get(name, hosts[name].nbytes)))
    start.record(stream)
    assert context.execute_async_v3(stream.handle)
    end.record(stream)
    for name, host in hosts.items():
        cuda.memcpy_dtoh_async(host, pool.get(name, host.nbytes), stream)
    stream.synchronize()
    end.synchronize()
    print(key, batch.shape, "%.2f ms" % start.time_till(end))
    results.update({name + "." + key: np.array(host) for name, host in hosts.items()})
np.savez(sys.argv[3], **results)
