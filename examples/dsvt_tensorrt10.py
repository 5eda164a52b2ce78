"""DSVT's transformer blocks with TensorRT 10, the way its users write it: export, check, trtexec, run, compare.

    python dsvt_tensorrt10.py dsvt.onnx inputs.npz                               # NumPy is enough
    python dsvt_tensorrt10.py dsvt.onnx inputs.npz --checkpoint dsvt.pth         # writes dsvt.onnx first; needs torch

Runs on NVIDIA's TensorRT 8.5 to 10, and on Hone: python -m hone.tensorrt dsvt_tensorrt10.py ... The inputs file has an
array of each input's name (or in__NAME). Tensors are torch's where torch is there, else NumPy's with pycuda.
"""

import argparse
import pathlib
import subprocess
import time

import numpy as np
import onnxruntime
import tensorrt as trt

try:
    import torch
except ImportError:
    torch = None
    import pycuda.autoinit  # noqa: F401
    import pycuda.driver as cuda


class TorchTensors:
    """Tensors on the GPU if there is one."""

    def __init__(self):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"

    def put(self, array):
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device).contiguous()

    def address(self, tensor):
        return tensor.data_ptr()

    def get(self, tensor, array):
        array[...] = tensor.cpu().numpy()


class CudaTensors:
    """Device memory by pycuda."""

    def put(self, array):
        return cuda.to_device(np.ascontiguousarray(array))

    def address(self, allocation):
        return allocation

    def get(self, allocation, array):
        cuda.memcpy_dtoh(array, allocation)


class Runner:
    def __init__(self, path):
        trt.init_libnvinfer_plugins(None, "")
        with trt.Logger() as logger, trt.Runtime(logger) as runtime:
            self.engine = runtime.deserialize_cuda_engine(pathlib.Path(path).read_bytes())
        if not isinstance(self.engine, trt.ICudaEngine):
            raise SystemExit(f"{path} could not be loaded")
        self.context = self.engine.create_execution_context()
        names = [self.engine.get_tensor_name(index) for index in range(self.engine.num_io_tensors)]
        self.inputs = [name for name in names if self.engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self.output = next(name for name in names if name not in self.inputs)

    def __call__(self, arrays, runs):
        """The output, and the seconds that a run takes."""
        tensors = TorchTensors() if torch else CudaTensors()
        held, bindings = [], []
        for name in self.inputs:
            array = arrays[name].astype(trt.nptype(self.engine.get_tensor_dtype(name)), copy=False)
            smallest, _, largest = self.engine.get_tensor_profile_shape(name, 0)
            if not all(low <= dim <= high for low, dim, high in zip(smallest, array.shape, largest)):
                raise SystemExit(f"{name}: {array.shape} is outside of {smallest} to {largest}")
            if not self.context.set_input_shape(name, tuple(array.shape)):
                raise SystemExit(f"{name}: the engine refuses {array.shape}")
            held.append(tensors.put(array))
            bindings.append(tensors.address(held[-1]))
        shape = tuple(self.context.get_tensor_shape(self.output))
        result = np.zeros(shape, trt.nptype(self.engine.get_tensor_dtype(self.output)))
        held.append(tensors.put(result))
        bindings.append(tensors.address(held[-1]))
        self.execute(bindings)
        start = time.perf_counter()
        for _ in range(runs):
            self.execute(bindings)
        seconds = (time.perf_counter() - start) / max(runs, 1)
        tensors.get(held[-1], result)
        return result, seconds

    def execute(self, bindings):
        if not self.context.execute_v2(bindings):
            raise SystemExit("the engine did not run")


def check_session(path, arrays):
    """What ONNX Runtime answers."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for tensor in session.get_inputs():
        print(f"  input {tensor.name} {tensor.type} {tensor.shape}")
    for tensor in session.get_outputs():
        print(f"  output {tensor.name} {tensor.type} {tensor.shape}")
    return session.run(None, {tensor.name: arrays[tensor.name] for tensor in session.get_inputs()})[0]


def build(model, engine):
    command = ["trtexec", f"--onnx={model}", f"--saveEngine={engine}", "--verbose", "--fp16"]
    print(" ".join(command), flush=True)
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"trtexec failed:\n{(done.stdout + done.stderr)[-2000:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("inputs", help="an .npz file")
    parser.add_argument("--checkpoint", help="exported to MODEL first")
    parser.add_argument("--engine", type=pathlib.Path, help="default: beside MODEL")
    parser.add_argument("--save", help="an .npz file for the output")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--tolerance", type=float, default=0.01, help="largest difference, of the output's range")
    args = parser.parse_args()

    if args.checkpoint and torch is None:
        raise SystemExit("--checkpoint: exporting needs torch")
    if args.checkpoint:
        import dsvt_blocks

        dsvt_blocks.export(dsvt_blocks.from_checkpoint(args.checkpoint), str(args.model))
        print(f"exported {args.checkpoint} to {args.model}")
    with np.load(args.inputs) as file:
        arrays = {name.removeprefix("in__"): file[name] for name in file.files}

    print("ONNX Runtime")
    expected = check_session(args.model, arrays)
    engine = args.engine or args.model.with_suffix(".engine")
    build(args.model, engine)
    runner = Runner(engine)
    found, seconds = runner(arrays, args.runs)
    print(f"TensorRT {trt.__version__}, {'torch' if torch else 'NumPy'}: {found.shape} {found.dtype}, "
          f"{seconds * 1e3:.2f} ms a run, mean of {args.runs}")
    print(f"{'voxel':>8} {'engine':>24} {'ONNX Runtime':>24}")
    for voxel in (0, len(found) // 2, len(found) - 1):
        values = (" ".join(f"{value:7.3f}" for value in rows[voxel, :3]) for rows in (found, expected))
        print(f"{voxel:8}", *(f"{text:>24}" for text in values))
    error = np.abs(found.astype(np.float64) - expected).max() / np.ptp(expected)
    print(f"largest difference {error:.1e} of the output's range")
    if args.save:
        np.savez(args.save, **{runner.output: found})
    if not error <= args.tolerance:
        raise SystemExit("too much")


if __name__ == "__main__":
    main()
