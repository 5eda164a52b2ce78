"""Builds an engine from ONNX as one did on TensorRT 7, runs it from memory, and keeps the file.

    build_trt7.py MODEL.onnx MODEL.trt INPUT.npy RESULT.npz
"""

import os
import sys

import numpy as np
import pycuda.autoinit
import pycuda.driver as cuda
import tensorrt as trt

TRT_LOGGER = trt.Logger(trt.Logger.INFO)
EXPLICIT_BATCH = 1 << (int)(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH)


def build(onnx_file, engine_file):
    with trt.Builder(TRT_LOGGER) as builder, builder.create_network(EXPLICIT_BATCH) as network, trt.OnnxParser(
        network, TRT_LOGGER
    ) as parser:
        builder.max_workspace_size = 1 << 28
        builder.max_batch_size = 1
        if builder.platform_has_fast_fp16:
            builder.fp16_mode = False
        with open(onnx_file, "rb") as model:
            if not parser.parse(model.read()):
                for error in range(parser.num_errors):
                    print(parser.get_error(error))
                return None
        print("inputs", [network.get_input(i).name for i in range(network.num_inputs)])
        outputs = [network.get_output(i) for i in range(network.num_outputs)]
        print("outputs", [(tensor.name, tensor.shape) for tensor in outputs])
        print("layers", network.num_layers, "first", network.get_layer(0).name)
        engine = builder.build_cuda_engine(network)
        if engine is None:
            return None
        with open(engine_file, "wb") as f:
            f.write(engine.serialize())
        return engine


def main():
    onnx_file, engine_file, data, result = sys.argv[1:5]
    if os.path.exists(engine_file):
        os.remove(engine_file)
    engine = build(onnx_file, engine_file)
    if engine is None:
        print("ERROR: no engine")
        return 1
    x = np.ascontiguousarray(np.load(data))
    with engine.create_execution_context() as context:
        d_input = cuda.mem_alloc(1 * x.nbytes)
        output = np.empty(tuple(context.get_binding_shape(1)), dtype=trt.nptype(engine.get_binding_dtype(1)))
        d_output = cuda.mem_alloc(1 * output.nbytes)
        bindings = [int(d_input), int(d_output)]
        stream = cuda.Stream()
        cuda.memcpy_htod_async(d_input, x, stream)
        context.execute_async_v2(bindings, stream.handle, None)
        cuda.memcpy_dtoh_async(output, d_output, stream)
        stream.synchronize()
    np.savez(result, **{engine.get_binding_name(1): output})
    print("engine file of", os.path.getsize(engine_file), "bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
