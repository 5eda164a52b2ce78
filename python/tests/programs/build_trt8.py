"""Builds an engine with a shape profile, 8.x style, writes the plan, reads it back and runs every array of a file.

    build_trt8.py --onnx M.onnx --plan M.plan --input FILE.npz --result OUT.npz
The outputs for array KEY are saved as NAME.KEY.
"""

import argparse
import logging

import numpy as np
import pycuda.autoinit  # noqa: F401
import pycuda.driver as cuda
import tensorrt as trt

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("builder")
BATCHES = (1, 2, 4)  # smallest, best, largest


def parse(builder, logger, path):
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(path):
        for i in range(parser.num_errors):
            log.error("%s", parser.get_error(i))
        raise SystemExit(1)
    return network, parser


def configure(builder, network, fp16):
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, 1 << 30)
    for i in range(network.num_inputs):
        tensor = network.get_input(i)
        log.info("input %s: %s of %s", tensor.name, tensor.shape, tensor.dtype)
        if any(d < 0 for d in tensor.shape):
            profile = builder.create_optimization_profile()
            profile.set_shape(tensor.name, *[[b if d < 0 else d for d in tensor.shape] for b in BATCHES])
            config.add_optimization_profile(profile)
    log.info("%d profiles", config.num_optimization_profiles)
    if fp16:
        if not builder.platform_has_fast_fp16:
            log.warning("this machine gains nothing by FP16")
        config.set_flag(trt.BuilderFlag.FP16)
        assert config.get_flag(trt.BuilderFlag.FP16)
    return config


def run(engine, context, array):
    context.set_binding_shape(engine.get_binding_index(engine[0]), array.shape)
    outputs = {}
    for i in range(1, engine.num_bindings):
        dtype = trt.nptype(engine.get_binding_dtype(i))
        outputs[engine.get_binding_name(i)] = np.zeros(tuple(context.get_binding_shape(i)), dtype)
    allocations = [cuda.to_device(np.ascontiguousarray(array))]
    allocations += [cuda.mem_alloc(output.nbytes) for output in outputs.values()]
    assert context.execute_v2(allocations)
    for output, allocation in zip(outputs.values(), allocations[1:]):
        cuda.memcpy_dtoh(output, allocation)
    return outputs


def main(args):
    logger = trt.Logger(trt.Logger.INFO)
    if args.verbose:
        logger.min_severity = trt.Logger.Severity.VERBOSE
    trt.init_libnvinfer_plugins(logger, namespace="")
    builder = trt.Builder(logger)
    network, parser = parse(builder, logger, args.onnx)
    config = configure(builder, network, args.fp16)
    with builder.build_serialized_network(network, config) as plan, open(args.plan, "wb") as file:
        log.info("%d bytes into %s", plan.nbytes, args.plan)
        file.write(plan)
    with open(args.plan, "rb") as file, trt.Runtime(logger) as runtime:
        engine = runtime.deserialize_cuda_engine(file.read())
    context = engine.create_execution_context()
    results = {}
    for key, array in np.load(args.input).items():
        results.update({f"{name}.{key}": value for name, value in run(engine, context, array).items()})
    np.savez(args.result, **results)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    for name in ("--onnx", "--plan", "--input", "--result"):
        options.add_argument(name, required=True)
    options.add_argument("--fp16", action="store_true")
    options.add_argument("--verbose", action="store_true")
    main(options.parse_args())
