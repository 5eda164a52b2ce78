"""Runs any engine by tensor names, TensorRT 10 style: set_input_shape, set_tensor_address, execute_async_v3.

    runner_trt10.py ENGINE INPUTS.npz OUTPUTS.npz
"""

import sys
from dataclasses import dataclass

import numpy as np
import pycuda.autoinit
import pycuda.driver as cuda
import tensorrt as trt


@dataclass
class Tensor:
    name: str
    dtype: np.dtype
    shape: tuple
    host: np.ndarray
    device: cuda.DeviceAllocation


class TRTInference:
    def __init__(self, engine_path: str):
        self.logger = trt.Logger(trt.Logger.ERROR)
        self.runtime = trt.Runtime(self.logger)
        with open(engine_path, "rb") as f:
            self.engine = self.runtime.deserialize_cuda_engine(f.read())
        if self.engine is None:
            raise RuntimeError(f"no engine in {engine_path}")
        self.context = self.engine.create_execution_context()
        self.stream = cuda.Stream()
        names = [self.engine.get_tensor_name(i) for i in range(self.engine.num_io_tensors)]
        self.input_names = [n for n in names if self.engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
        self.output_names = [n for n in names if self.engine.get_tensor_mode(n) == trt.TensorIOMode.OUTPUT]

    def infer(self, feeds: dict) -> dict:
        tensors = []
        for name in self.input_names:
            dtype = np.dtype(trt.nptype(self.engine.get_tensor_dtype(name)))
            host = np.ascontiguousarray(feeds[name], dtype=dtype)
            if not self.context.set_input_shape(name, host.shape):
                raise ValueError(f"{name}: {host.shape} is out of range")
            device = cuda.mem_alloc(max(host.nbytes, 1))
            cuda.memcpy_htod_async(device, host, self.stream)
            tensors.append(Tensor(name, dtype, host.shape, host, device))
        missing = self.context.infer_shapes()
        assert not missing, missing
        outputs = []
        for name in self.output_names:
            shape = tuple(self.context.get_tensor_shape(name))
            assert self.engine.get_tensor_location(name) == trt.TensorLocation.DEVICE
            host = np.empty(shape, dtype=trt.nptype(self.engine.get_tensor_dtype(name)))
            outputs.append(Tensor(name, host.dtype, shape, host, cuda.mem_alloc(max(host.nbytes, 1))))
        for tensor in tensors + outputs:
            assert self.context.set_tensor_address(tensor.name, int(tensor.device))
            assert self.context.get_tensor_address(tensor.name) == int(tensor.device)
        if not self.context.execute_async_v3(stream_handle=self.stream.handle):
            raise RuntimeError("execute_async_v3 failed")
        for tensor in outputs:
            cuda.memcpy_dtoh_async(tensor.host, tensor.device, self.stream)
        self.stream.synchronize()
        for tensor in tensors + outputs:
            tensor.device.free()
        return {tensor.name: tensor.host for tensor in outputs}


if __name__ == "__main__":
    engine_path, inputs, outputs = sys.argv[1:]
    with np.load(inputs) as archive:
        feeds = {key: archive[key] for key in archive.files}
    model = TRTInference(engine_path)
    result = model.infer(feeds)
    for name, array in result.items():
        print(f"{name:32} {array.dtype} {array.shape}")
    np.savez(outputs, **result)
