"""cuda.bindings.runtime on host memory. Pointers are host addresses; everything is done when a call returns.

Every call returns a tuple, the error first; cudaGetErrorString() tells the reason of the last error, too.
"""

import enum
from types import SimpleNamespace
from typing import Any

from ..._pycuda import _memory, driver


class cudaError_t(enum.IntEnum):  # noqa: N801
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorInvalidDevice = 101
    cudaErrorInvalidResourceHandle = 400


class cudaMemcpyKind(enum.IntEnum):  # noqa: N801
    cudaMemcpyHostToHost = 0
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2
    cudaMemcpyDeviceToDevice = 3
    cudaMemcpyDefault = 4


cudaStream_t = driver.Stream
cudaEvent_t = driver.Event
cudaStreamDefault, cudaStreamNonBlocking = 0, 1
cudaHostAllocDefault, cudaHostAllocPortable, cudaHostAllocMapped, cudaHostAllocWriteCombined = 0, 1, 2, 4
cudaMemAttachGlobal, cudaMemAttachHost = 1, 2
cudaEventDefault, cudaEventBlockingSync, cudaEventDisableTiming = 0, 1, 2

_OK = (cudaError_t.cudaSuccess,)
_TEXTS = {cudaError_t.cudaSuccess: "no error", cudaError_t.cudaErrorInvalidValue: "invalid argument",
          cudaError_t.cudaErrorMemoryAllocation: "out of memory",
          cudaError_t.cudaErrorInvalidDevice: "invalid device ordinal",
          cudaError_t.cudaErrorInvalidResourceHandle: "invalid resource handle"}
_blocks: dict[int, _memory.Memory] = {}
_pending = cudaError_t.cudaSuccess  # what cudaGetLastError() tells and forgets
_reasons: dict[cudaError_t, str] = {}


def _failed(error: cudaError_t, reason: str) -> tuple[cudaError_t]:
    global _pending
    _pending, _reasons[error] = error, reason
    return (error,)


# Memory

def cudaMalloc(size: int) -> tuple[cudaError_t, int]:  # noqa: N802
    """The address of `size` bytes with anything in them."""
    try:
        memory = _memory.Memory(size)
    except (MemoryError, ValueError) as error:
        return *_failed(cudaError_t.cudaErrorMemoryAllocation, str(error)), 0
    _blocks[memory.address] = memory
    return cudaError_t.cudaSuccess, memory.address


cudaMallocHost = cudaMalloc


def cudaHostAlloc(size: int, flags: int) -> tuple[cudaError_t, int]:  # noqa: N802
    return cudaMalloc(size)


cudaMallocManaged = cudaMallocAsync = cudaHostAlloc


def cudaFree(devPtr: Any) -> tuple[cudaError_t]:  # noqa: N802, N803
    """Frees what cudaMalloc() and the like gave; 0 is nothing."""
    address = _address(devPtr)
    memory = _blocks.pop(address, None)
    if memory is None:
        return _failed(cudaError_t.cudaErrorInvalidValue, f"no cudaMalloc() gave {address:#x}") if address else _OK
    memory.free()
    return _OK


cudaFreeHost = cudaFree


def cudaFreeAsync(devPtr: Any, hStream: Any) -> tuple[cudaError_t]:  # noqa: N802, N803
    return cudaFree(devPtr)


def _address(pointer: Any) -> int:
    """Of a number, or of a contiguous host buffer such as an array."""
    try:
        return driver._bytes_of(pointer, False).ctypes.data
    except TypeError:
        return int(pointer)


def cudaMemcpy(dst: Any, src: Any, count: int, kind: cudaMemcpyKind) -> tuple[cudaError_t]:  # noqa: N802
    try:
        driver.memcpy_dtod(_address(dst), _address(src), count)
    except (driver.LogicError, ValueError) as error:
        return _failed(cudaError_t.cudaErrorInvalidValue, str(error))
    return _OK


def cudaMemcpyAsync(dst: Any, src: Any, count: int, kind: cudaMemcpyKind,  # noqa: N802
                    stream: Any = 0) -> tuple[cudaError_t]:
    return cudaMemcpy(dst, src, count, kind)


def cudaMemset(devPtr: Any, value: int, count: int) -> tuple[cudaError_t]:  # noqa: N802, N803
    try:
        driver.memset_d8(_address(devPtr), value & 255, count)
    except driver.LogicError as error:
        return _failed(cudaError_t.cudaErrorInvalidValue, str(error))
    return _OK


def cudaMemsetAsync(devPtr: Any, value: int, count: int, stream: Any = 0) -> tuple[cudaError_t]:  # noqa: N802, N803
    return cudaMemset(devPtr, value, count)


def cudaMemGetInfo() -> tuple[cudaError_t, int, int]:  # noqa: N802
    """Free and total bytes."""
    return cudaError_t.cudaSuccess, *driver.mem_get_info()


# Streams, events, devices

def cudaStreamCreate() -> tuple[cudaError_t, cudaStream_t]:  # noqa: N802
    return cudaError_t.cudaSuccess, cudaStream_t()


def cudaStreamCreateWithFlags(flags: int) -> tuple[cudaError_t, cudaStream_t]:  # noqa: N802
    return cudaStreamCreate()


def cudaStreamCreateWithPriority(flags: int, priority: int) -> tuple[cudaError_t, cudaStream_t]:  # noqa: N802
    return cudaStreamCreate()


def cudaEventCreate() -> tuple[cudaError_t, cudaEvent_t]:  # noqa: N802
    return cudaError_t.cudaSuccess, cudaEvent_t()


def cudaEventCreateWithFlags(flags: int) -> tuple[cudaError_t, cudaEvent_t]:  # noqa: N802
    return cudaEventCreate()


def cudaEventRecord(event: cudaEvent_t, stream: Any = 0) -> tuple[cudaError_t]:  # noqa: N802
    event.record()
    return _OK


def cudaEventElapsedTime(start: cudaEvent_t, end: cudaEvent_t) -> tuple[cudaError_t, float]:  # noqa: N802
    """Milliseconds."""
    try:
        return cudaError_t.cudaSuccess, end.time_since(start)
    except driver.LogicError as error:
        return *_failed(cudaError_t.cudaErrorInvalidResourceHandle, str(error)), 0.0


def _done(*_: Any) -> tuple[cudaError_t]:
    """Nothing is left to do."""
    return _OK


cudaStreamSynchronize = cudaStreamDestroy = cudaStreamQuery = cudaStreamWaitEvent = cudaDeviceSynchronize = _done
cudaEventSynchronize = cudaEventDestroy = cudaEventQuery = cudaProfilerStart = cudaProfilerStop = _done
cudaDeviceReset = cudaSetDeviceFlags = _done


def cudaSetDevice(device: int) -> tuple[cudaError_t]:  # noqa: N802
    if device == 0:
        return _OK
    return _failed(cudaError_t.cudaErrorInvalidDevice, f"{device}; the only one is 0, the processor")


def cudaGetDevice() -> tuple[cudaError_t, int]:  # noqa: N802
    return cudaError_t.cudaSuccess, 0


def cudaGetDeviceCount() -> tuple[cudaError_t, int]:  # noqa: N802
    return cudaError_t.cudaSuccess, driver.Device.count()


def cudaGetDeviceProperties(device: int) -> tuple[cudaError_t, Any]:  # noqa: N802
    error = cudaSetDevice(device)
    cpu = driver.Device(0)
    major, minor = cpu.compute_capability()
    count = cpu.get_attribute(driver.device_attribute.MULTIPROCESSOR_COUNT)
    return *error, SimpleNamespace(name=cpu.name().encode(), totalGlobalMem=cpu.total_memory(), major=major,
                                   minor=minor, multiProcessorCount=count)


def cudaRuntimeGetVersion() -> tuple[cudaError_t, int]:  # noqa: N802
    """0: no CUDA."""
    return cudaError_t.cudaSuccess, 0


cudaDriverGetVersion = cudaRuntimeGetVersion


# Errors

def cudaPeekAtLastError() -> tuple[cudaError_t]:  # noqa: N802
    return (_pending,)


def cudaGetLastError() -> tuple[cudaError_t]:  # noqa: N802
    global _pending
    error, _pending = _pending, cudaError_t.cudaSuccess
    return (error,)


def cudaGetErrorName(error: cudaError_t) -> tuple[cudaError_t, bytes]:  # noqa: N802
    return cudaError_t.cudaSuccess, cudaError_t(error).name.encode()


def cudaGetErrorString(error: cudaError_t) -> tuple[cudaError_t, bytes]:  # noqa: N802
    reason = _reasons.get(error)
    text = _TEXTS[cudaError_t(error)]
    return cudaError_t.cudaSuccess, (f"{text}: {reason}" if reason else text).encode()


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"cuda.bindings.runtime.{name} isn't in Hone's stand-in for cuda-python, which has memory, "
                         "copies, streams and events on the host", name=name)
