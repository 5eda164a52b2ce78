"""DSVT blocks with NumPy arrays on the engine's addresses (ctypes.data); indices in what the engine says it binds.

    dsvt_runner_numpy.py ENGINE INPUTS.npz OUTPUTS.npz
"""

import sys

import numpy as np
import tensorrt as trt


def load_engine(path):
    logger = trt.Logger(trt.Logger.ERROR)
    with open(path, "rb") as f, trt.Runtime(logger) as runtime:
        return runtime.deserialize_cuda_engine(f.read())


def main(engine_file, source, target):
    trt.init_libnvinfer_plugins(None, "")
    engine = load_engine(engine_file)
    assert isinstance(engine, trt.ICudaEngine)
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    feeds = dict(np.load(source))
    with engine.create_execution_context() as context:
        bindings, arrays = [], {}
        for name in names:
            dtype = trt.nptype(engine.get_tensor_dtype(name))
            assert engine.get_binding_dtype(name) == engine.get_tensor_dtype(name)
            if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
                arrays[name] = np.ascontiguousarray(feeds[name].astype(dtype))
                assert context.set_input_shape(name, arrays[name].shape)
            else:
                arrays[name] = np.zeros(tuple(context.get_tensor_shape(name)), dtype)
            bindings.append(arrays[name].ctypes.data)
        assert context.execute_v2(bindings=bindings) is True
    print({name: str(array.dtype) for name, array in arrays.items()})
    np.savez(target, output=arrays["output"])


if __name__ == "__main__":
    main(*sys.argv[1:])
