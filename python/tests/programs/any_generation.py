"""Runs on TensorRT 7 to 11: asks what there is, casts indices to what the engine binds.

    any_generation.py ENGINE INPUTS.npz RESULT.npz
"""

import sys

import numpy as np
import tensorrt as trt

try:
    from pycuda import autoinit  # noqa: F401
    from pycuda import driver as cuda
except ImportError:
    sys.exit("pycuda is needed")

MAJOR = int(trt.__version__.split(".")[0])


class Engine:
    def __init__(self, path):
        self.logger = trt.Logger(trt.Logger.WARNING)
        with open(path, "rb") as f, trt.Runtime(self.logger) as runtime:
            self.engine = runtime.deserialize_cuda_engine(f.read())
        self.context = self.engine.create_execution_context()
        self.by_name = MAJOR >= 10 or not hasattr(self.engine, "num_bindings")
        if self.by_name:
            self.names = [self.engine.get_tensor_name(i) for i in range(self.engine.num_io_tensors)]
        else:
            self.names = [self.engine.get_binding_name(i) for i in range(self.engine.num_bindings)]

    def is_input(self, name):
        if self.by_name:
            return self.engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        return self.engine.binding_is_input(name)

    def dtype(self, name):
        if self.by_name:
            return trt.nptype(self.engine.get_tensor_dtype(name))
        return trt.nptype(self.engine.get_binding_dtype(name))

    def set_shape(self, name, shape):
        if self.by_name:
            return self.context.set_input_shape(name, shape)
        return self.context.set_binding_shape(self.engine.get_binding_index(name), shape)

    def shape(self, name):
        if self.by_name:
            return tuple(self.context.get_tensor_shape(name))
        return tuple(self.context.get_binding_shape(self.engine.get_binding_index(name)))

    def run(self, feeds):
        stream = cuda.Stream()
        devices, outputs = {}, {}
        for name in filter(self.is_input, self.names):
            value = feeds[name]
            if MAJOR < 10 and value.dtype == np.int64:
                value = value.astype(np.int32)
            if value.dtype != self.dtype(name):
                raise TypeError("%s: %s where the engine has %s" % (name, value.dtype, self.dtype(name)))
            value = np.ascontiguousarray(value)
            if not self.set_shape(name, value.shape):
                raise ValueError(name)
            devices[name] = cuda.mem_alloc(value.nbytes)
            cuda.memcpy_htod(devices[name], value)
        for name in self.names:
            if not self.is_input(name):
                outputs[name] = np.zeros(self.shape(name), self.dtype(name))
                devices[name] = cuda.mem_alloc(outputs[name].nbytes)
        if self.by_name:
            for name in self.names:
                self.context.set_tensor_address(name, int(devices[name]))
            ok = self.context.execute_async_v3(stream.handle)
        else:
            ok = self.context.execute_async_v2([int(devices[name]) for name in self.names], stream.handle)
        if not ok:
            raise RuntimeError("the run failed")
        stream.synchronize()
        for name, host in outputs.items():
            cuda.memcpy_dtoh(host, devices[name])
        return outputs


if __name__ == "__main__":
    engine = Engine(sys.argv[1])
    print("TensorRT", trt.__version__, "by name" if engine.by_name else "by index")
    outputs = engine.run(dict(np.load(sys.argv[2])))
    print("dtypes", {name: str(np.dtype(engine.dtype(name))) for name in engine.names})
    np.savez(sys.argv[3], **outputs)
