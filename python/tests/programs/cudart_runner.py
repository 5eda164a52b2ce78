"""Runs an engine with the memory calls of cuda-python in place of pycuda, as programs do since TensorRT 8.6.

    cudart_runner.py ENGINE INPUTS.npz OUTPUTS.npz
"""

import sys

import numpy as np
import tensorrt as trt
from cuda import cudart

TO_DEVICE = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
TO_HOST = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost


def check(answer):
    """Calls answer a tuple: the error, then what they give."""
    error, values = answer[0], answer[1:]
    if error != cudart.cudaError_t.cudaSuccess:
        raise RuntimeError("CUDA: %s" % error)
    return values[0] if len(values) == 1 else values


def main(path, source, target):
    logger = trt.Logger(trt.Logger.ERROR)
    with open(path, "rb") as file:
        engine = trt.Runtime(logger).deserialize_cuda_engine(file.read())
    context = engine.create_execution_context()
    stream = check(cudart.cudaStreamCreate())
    feeds = np.load(source)
    arrays, devices = {}, {}
    for name in engine:
        dtype = trt.nptype(engine.get_tensor_dtype(name))
        if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
            arrays[name] = np.ascontiguousarray(feeds[name], dtype)
            assert context.set_input_shape(name, arrays[name].shape)
        else:
            arrays[name] = np.empty(tuple(context.get_tensor_shape(name)), dtype)
        devices[name] = check(cudart.cudaMalloc(arrays[name].nbytes))
        context.set_tensor_address(name, devices[name])
        if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
            host = arrays[name]
            check(cudart.cudaMemcpyAsync(devices[name], host.ctypes.data, host.nbytes, TO_DEVICE, stream))
    assert context.execute_async_v3(stream)
    results = {n: a for n, a in arrays.items() if engine.get_tensor_mode(n) == trt.TensorIOMode.OUTPUT}
    for name, array in results.items():
        check(cudart.cudaMemcpyAsync(array.ctypes.data, devices[name], array.nbytes, TO_HOST, stream))
    check(cudart.cudaStreamSynchronize(stream))
    for device in devices.values():
        check(cudart.cudaFree(device))
    check(cudart.cudaStreamDestroy(stream))
    np.savez(target, **results)


main(*sys.argv[1:])
