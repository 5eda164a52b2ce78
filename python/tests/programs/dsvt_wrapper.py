"""A torch module around an engine, TensorRT 8 style: index calls, locations, a map of types; indices cast to int32.

    dsvt_wrapper.py ENGINE INPUTS.npz OUTPUTS.npz
"""

import sys

import numpy as np
import tensorrt as trt
import torch

TYPES = {
    trt.bool: torch.bool,
    trt.int8: torch.int8,
    trt.int32: torch.int32,
    trt.float16: torch.float16,
    trt.float32: torch.float32,
}
GPU = torch.device("cuda" if torch.cuda.is_available() else "cpu")
DEVICES = {trt.TensorLocation.DEVICE: GPU, trt.TensorLocation.HOST: torch.device("cpu")}


class EngineModule(torch.nn.Module):
    def __init__(self, path, outputs):
        super().__init__()
        trt.init_libnvinfer_plugins(None, "")
        with trt.Logger() as logger, trt.Runtime(logger) as runtime, open(path, "rb") as f:
            self.engine = runtime.deserialize_cuda_engine(f.read())
        if self.engine is None:
            raise RuntimeError("%s holds no engine" % path)
        self.context = self.engine.create_execution_context()
        self.outputs = outputs

    def check_range(self, name, tensor):
        smallest, _, largest = (eval(repr(dims)) for dims in self.engine.get_profile_shape(0, name))
        if tensor.dim() != len(smallest):
            raise ValueError("%s has %d dimensions in place of %d" % (name, tensor.dim(), len(smallest)))
        if not all(a <= n <= b for a, n, b in zip(smallest, tensor.shape, largest)):
            raise ValueError("%s: %s is outside of %s to %s" % (name, tuple(tensor.shape), smallest, largest))

    def forward(self, feeds):
        addresses = [0] * self.engine.num_bindings
        alive = []
        for name, tensor in feeds.items():
            self.check_range(name, tensor)
            index = self.engine.get_binding_index(name)
            tensor = tensor.to(torch.int32) if tensor.dtype == torch.int64 else tensor
            if TYPES[self.engine.get_binding_dtype(index)] != tensor.dtype:
                raise TypeError(name)
            tensor = tensor.to(DEVICES[self.engine.get_location(index)]).contiguous()
            self.context.set_binding_shape(index, tuple(tensor.shape))
            alive.append(tensor)
            addresses[index] = tensor.data_ptr()
        assert self.context.all_binding_shapes_specified
        results = {}
        for name in self.outputs:
            index = self.engine.get_binding_index(name)
            shape = tuple(self.context.get_binding_shape(index))
            results[name] = torch.empty(size=shape, dtype=TYPES[self.engine.get_binding_dtype(index)],
                                        device=DEVICES[self.engine.get_location(index)])
            addresses[index] = results[name].data_ptr()
        stream = torch.cuda.current_stream().cuda_stream if torch.cuda.is_available() else 0
        self.context.execute_async_v2(addresses, stream)
        return results


engine, source, target = sys.argv[1:4]
module = EngineModule(engine, ["output"])
with torch.no_grad(), np.load(source) as arrays:
    outputs = module({name: torch.from_numpy(arrays[name]) for name in arrays.files})
print({name: tuple(tensor.shape) for name, tensor in outputs.items()})
np.savez(target, **{name: tensor.cpu().numpy() for name, tensor in outputs.items()})
