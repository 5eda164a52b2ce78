"""Prints all that an engine says about itself, by index and by name.

    describe_engine.py ENGINE...
"""

import sys

import tensorrt as trt

PROPERTIES = (
    "name num_layers num_bindings num_io_tensors max_batch_size device_memory_size device_memory_size_v2 "
    "num_optimization_profiles has_implicit_batch_dimension refittable"
).split()


def by_index(engine, context):
    for i in range(engine.num_bindings):
        name = engine.get_binding_name(i)
        assert engine.get_binding_index(name) == i
        assert engine[i] == name
        dtype = engine.get_binding_dtype(i)
        assert dtype == engine.get_binding_dtype(name) == engine.get_tensor_dtype(name)
        print(
            "[%d] %-6s %s %s %s (itemsize %d, %s) context shape %s"
            % (
                i,
                "input" if engine.binding_is_input(i) else "output",
                name,
                engine.get_binding_shape(i),
                dtype,
                dtype.itemsize,
                trt.nptype(dtype).__name__,
                context.get_binding_shape(i),
            )
        )
        assert tuple(engine.get_binding_shape(i)) == tuple(engine.get_tensor_shape(name))
        print("    location", engine.get_location(i), engine.get_tensor_location(name))
        print("    shape binding", engine.is_shape_binding(i), "execution binding", engine.is_execution_binding(i))
        print("    format", engine.get_tensor_format(name), "|", engine.get_tensor_format_desc(name))
        print("    vectorised", engine.get_tensor_vectorized_dim(name), engine.get_tensor_components_per_element(name),
              engine.get_tensor_bytes_per_component(name))
        if engine.binding_is_input(i):
            for p in range(engine.num_optimization_profiles):
                old, new = engine.get_profile_shape(p, i), engine.get_tensor_profile_shape(name, p)
                assert [tuple(a) for a in old] == [tuple(b) for b in new]
                print("    profile %d: min %s opt %s max %s" % (p, *new))


def main(path):
    with trt.Logger(trt.Logger.ERROR) as logger, trt.Runtime(logger) as runtime, open(path, "rb") as f:
        engine = runtime.deserialize_cuda_engine(f.read())
    print("==", path, "TensorRT", trt.__version__, type(engine).__name__)
    for name in PROPERTIES:
        if hasattr(engine, name):
            print("%-30s %s" % (name, getattr(engine, name)))
    with engine.create_execution_context() as context:
        by_index(engine, context)
        print("profile", context.active_optimization_profile, "all set", context.all_binding_shapes_specified)
    assert len(engine) == engine.num_bindings == engine.num_io_tensors
    assert list(engine) == [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    dims = engine.get_tensor_shape(engine[0])
    assert eval(repr(dims)) == tuple(dims) and len(dims[1:]) == len(dims) - 1
    print("volume", trt.volume(dims))
    inspector = engine.create_engine_inspector() if hasattr(engine, "create_engine_inspector") else None
    if inspector:
        print(inspector.get_engine_information(trt.LayerInformationFormat.JSON)[:300])


for argument in sys.argv[1:]:
    main(argument)
