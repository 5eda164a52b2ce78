"""A classifier with buffers made by iterating over the engine, `with` everywhere, one stream.

    samples_common.py --engine FILE --data FILE.npy --save FILE.npz
"""

import argparse

import numpy as np
import pycuda.autoinit  # noqa: F401
import pycuda.driver as cuda
import tensorrt as trt

LOGGER = trt.Logger()


class Slot:
    def __init__(self, name, host):
        self.name, self.host = name, host
        self.device = cuda.mem_alloc(host.nbytes)


def make_slots(engine):
    """Two lists of slots, inputs and outputs, and all the addresses in the engine's order."""
    sides = {True: [], False: []}
    addresses = []
    for name in engine:
        elements = engine.max_batch_size * trt.volume(engine.get_binding_shape(name))
        slot = Slot(name, cuda.pagelocked_empty(elements, trt.nptype(engine.get_binding_dtype(name))))
        sides[engine.binding_is_input(name)].append(slot)
        addresses.append(int(slot.device))
    return sides[True], sides[False], addresses


def run(context, addresses, inputs, outputs, stream):
    for slot in inputs:
        cuda.memcpy_htod_async(slot.device, slot.host, stream)
    context.execute_async_v2(bindings=addresses, stream_handle=stream.handle)
    for slot in outputs:
        cuda.memcpy_dtoh_async(slot.host, slot.device, stream)
    stream.synchronize()


def main():
    parser = argparse.ArgumentParser()
    for option in ("--engine", "--data", "--save"):
        parser.add_argument(option, required=True)
    args = parser.parse_args()
    with open(args.engine, "rb") as file, trt.Runtime(LOGGER) as runtime:
        engine = runtime.deserialize_cuda_engine(file.read())
    with engine, engine.create_execution_context() as context:
        inputs, outputs, addresses = make_slots(engine)
        inputs[0].host[:] = np.load(args.data).ravel()
        run(context, addresses, inputs, outputs, cuda.Stream())
        results = {slot.name: slot.host.reshape(engine.get_binding_shape(slot.name)) for slot in outputs}
    print("largest at", {name: int(np.argmax(value)) for name, value in results.items()})
    np.savez(args.save, **results)


if __name__ == "__main__":
    main()
