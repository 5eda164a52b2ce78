"""YOLOv7 with suppression inside, TensorRT 7 style: pairs of host and device memory, a stream, execute_async_v2.

    yolo_loader_streams.py ENGINE PICTURES.npy RESULT.npz
"""

import sys
import time

import numpy as np
import pycuda.autoinit  # noqa: F401  (makes the CUDA context)
import pycuda.driver as cuda
import tensorrt as trt


class HostDeviceMem(object):
    def __init__(self, name, shape, dtype):
        self.name = name
        self.shape = shape
        self.host = cuda.pagelocked_empty(trt.volume(shape), dtype)
        self.device = cuda.mem_alloc(self.host.nbytes)

    def __repr__(self):
        return "%s: host %s, device %d" % (self.name, self.host.shape, int(self.device))


class Yolo(object):
    def __init__(self, path):
        self.logger = trt.Logger(trt.Logger.WARNING)
        trt.init_libnvinfer_plugins(None, "")
        runtime = trt.Runtime(self.logger)
        with open(path, "rb") as f:
            self.engine = runtime.deserialize_cuda_engine(f.read())
        self.context = self.engine.create_execution_context()
        self.stream = cuda.Stream()
        self.inputs, self.outputs, self.bindings = [], [], []
        print("device memory", self.engine.device_memory_size)
        print("max batch", self.engine.max_batch_size)
        print("bindings", self.engine.num_bindings)
        print("layers", self.engine.num_layers)

    def allocate(self, batch):
        self.inputs, self.outputs, self.bindings = [], [], []
        for i in range(self.engine.num_bindings):
            if self.engine.binding_is_input(i):
                shape = self.engine.get_binding_shape(i)
                if shape[0] < 0:
                    low, best, high = self.engine.get_profile_shape(0, i)
                    assert low[0] <= batch <= high[0], (low, best, high)
                    shape = (batch,) + tuple(shape)[1:]
                    assert self.context.set_binding_shape(i, shape)
        assert self.context.all_binding_shapes_specified
        for i in range(self.engine.num_bindings):
            dtype = np.dtype(trt.nptype(self.engine.get_binding_dtype(i)))
            pair = HostDeviceMem(self.engine.get_binding_name(i), self.context.get_binding_shape(i), dtype)
            self.bindings.append(int(pair.device))
            (self.inputs if self.engine.binding_is_input(i) else self.outputs).append(pair)

    def __call__(self, pictures):
        if not self.inputs or self.inputs[0].shape[0] != len(pictures):
            self.allocate(len(pictures))
        planes = np.ascontiguousarray(pictures.astype(np.float32).transpose(0, 3, 1, 2) / 255.0)
        np.copyto(self.inputs[0].host, planes.ravel())
        for pair in self.inputs:
            cuda.memcpy_htod_async(pair.device, pair.host, self.stream)
        ok = self.context.execute_async_v2(bindings=self.bindings, stream_handle=self.stream.handle)
        assert ok
        for pair in self.outputs:
            cuda.memcpy_dtoh_async(pair.host, pair.device, self.stream)
        self.stream.synchronize()
        return {pair.name: pair.host.reshape(tuple(pair.shape)) for pair in self.outputs}


if __name__ == "__main__":
    yolo = Yolo(sys.argv[1])
    pictures = np.load(sys.argv[2])
    result = yolo(pictures)
    print(yolo.inputs, yolo.outputs)
    for _ in range(3):
        yolo(pictures)
    start = time.time()
    for _ in range(10):
        result = yolo(pictures)
    print("mean latency %.3f ms" % ((time.time() - start) / 10 * 1000))
    for i in range(len(pictures)):
        n = int(result["num_detections"][i, 0])
        print("picture", i, "has", n, "objects of classes", result["nmsed_classes"][i, :n].astype(int))
    np.savez(sys.argv[3], **result)
