"""One engine, one context and one CUDA context per thread; the threads run at the same time.

    two_threads.py ENGINE INPUTS.npz RESULT.npz
Each array of INPUTS is a thread's work; it runs it ten times and checks that nothing changes.
"""

import sys
import threading

import numpy as np
import pycuda.driver as cuda
import tensorrt as trt


class InferenceThread(threading.Thread):
    def __init__(self, engine, key, array, results):
        threading.Thread.__init__(self)
        self.engine, self.key, self.array, self.results = engine, key, array, results
        self.error = None

    def run(self):
        self.cfx = cuda.Device(0).make_context()
        try:
            self.work()
        except Exception as e:  # threads die silently otherwise
            self.error = e
        finally:
            self.cfx.pop()

    def work(self):
        context = self.engine.create_execution_context()
        stream = cuda.Stream()
        assert context.set_binding_shape(0, self.array.shape)
        d_in = cuda.mem_alloc(self.array.nbytes)
        cuda.memcpy_htod(d_in, np.ascontiguousarray(self.array))
        bindings, outputs = [int(d_in)], []
        for i in range(1, self.engine.num_bindings):
            dtype = trt.nptype(self.engine.get_binding_dtype(i))
            host = cuda.pagelocked_empty(tuple(context.get_binding_shape(i)), dtype)
            device = cuda.mem_alloc(host.nbytes)
            outputs.append((self.engine.get_binding_name(i), host, device))
            bindings.append(int(device))
        first = None
        for _ in range(10):
            context.execute_async_v2(bindings=bindings, stream_handle=stream.handle)
            for _, host, device in outputs:
                cuda.memcpy_dtoh_async(host, device, stream)
            stream.synchronize()
            now = [host.copy() for _, host, _ in outputs]
            first = first or now
            assert all(np.array_equal(a, b) for a, b in zip(first, now)), "a run differs"
        self.results.update({"%s.%s" % (name, self.key): host.copy() for name, host, _ in outputs})


def main():
    cuda.init()
    print(cuda.Device.count(), "device,", cuda.Device(0).name())
    logger = trt.Logger(trt.Logger.INFO)
    with open(sys.argv[1], "rb") as f:
        engine = trt.Runtime(logger).deserialize_cuda_engine(f.read())
    results = {}
    threads = [InferenceThread(engine, k, v, results) for k, v in np.load(sys.argv[2]).items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
        if thread.error:
            raise thread.error
    np.savez(sys.argv[3], **results)


if __name__ == "__main__":
    main()
