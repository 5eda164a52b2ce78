"""pycuda.driver on host memory. "Device" pointers are host addresses; everything is done when a call returns."""

import builtins
import os
import time
from typing import Any

import numpy as np

from . import _memory
from ._devices import Context, Device, device_attribute, get_driver_version, get_version, init  # noqa: F401
from ._errors import Error, LaunchError, LogicError, MemoryError, RuntimeError  # noqa: A004, F401


class ctx_flags:  # noqa: N801
    SCHED_AUTO, SCHED_SPIN, SCHED_YIELD, SCHED_BLOCKING_SYNC, MAP_HOST, LMEM_RESIZE_TO_MAX = 0, 1, 2, 4, 8, 16


class event_flags:  # noqa: N801
    DEFAULT, BLOCKING_SYNC, DISABLE_TIMING, INTERPROCESS = 0, 1, 2, 4


class host_alloc_flags:  # noqa: N801
    PORTABLE, DEVICEMAP, WRITECOMBINED = 1, 2, 4


class mem_host_register_flags:  # noqa: N801
    PORTABLE, DEVICEMAP = 1, 2


class mem_attach_flags:  # noqa: N801
    GLOBAL, HOST, SINGLE = 1, 2, 4


class DeviceAllocation:
    """Memory of mem_alloc(); its address by int(). Freed with the object."""

    def __init__(self, nbytes: int) -> None:
        self._memory = _memory.Memory(nbytes)

    def free(self) -> None:
        """Gives the memory back; the address is gone with it."""
        if self._memory is None:
            raise LogicError("device_allocation::free failed: invalid device context - the memory was freed already")
        self._memory.free()
        self._memory = None

    def __int__(self) -> int:
        if self._memory is None:
            raise LogicError("the memory was freed: allocate again with mem_alloc()")
        return self._memory.address

    __index__ = __int__

    nbytes = property(lambda self: self._memory.nbytes if self._memory else 0)

    def as_buffer(self, size: int, offset: int = 0) -> memoryview:
        """Its bytes."""
        return memoryview(_memory.array_at(int(self) + offset, np.uint8, (size,), self._memory))

    def __del__(self) -> None:
        memory = getattr(self, "_memory", None)
        if memory is not None:
            memory.free()


def mem_alloc(nbytes: int) -> DeviceAllocation:
    """`nbytes` of memory with anything in it."""
    nbytes = int(nbytes)
    if nbytes <= 0:
        raise LogicError(f"cuMemAlloc failed: invalid argument - {nbytes} bytes were asked for")
    try:
        return DeviceAllocation(nbytes)
    except builtins.MemoryError:
        raise MemoryError(f"cuMemAlloc failed: out of memory - {nbytes} bytes were asked for") from None


def mem_alloc_like(ary: np.ndarray) -> DeviceAllocation:
    return mem_alloc(ary.nbytes)


def mem_alloc_pitch(width: int, height: int, access_size: int) -> tuple[DeviceAllocation, int]:
    pitch = -(-width // _memory.ALIGNMENT) * _memory.ALIGNMENT
    return mem_alloc(pitch * height), pitch


def to_device(bf_obj: Any) -> DeviceAllocation:
    data = _bytes_of(bf_obj, False)
    allocation = mem_alloc(data.nbytes)
    memcpy_htod(allocation, data)
    return allocation


def from_device(devptr: Any, shape: tuple[int, ...], dtype: Any, order: str = "C") -> np.ndarray:
    result = np.empty(shape, dtype, order)
    memcpy_dtoh(result, devptr)
    return result


def from_device_like(devptr: Any, other_ary: np.ndarray) -> np.ndarray:
    result = np.empty_like(other_ary)
    memcpy_dtoh(result, devptr)
    return result


def _bytes_of(data: Any, writable: bool) -> np.ndarray:
    """A host buffer as bytes. Raises ValueError unless it is contiguous, and writable where that is needed."""
    view = memoryview(data)
    if not (view.c_contiguous or view.f_contiguous):
        raise ValueError("ndarray is not contiguous: np.ascontiguousarray() makes it so")
    if writable and view.readonly:
        raise ValueError("the destination is read-only")
    if not view.nbytes:
        return np.empty(0, np.uint8)
    if isinstance(data, np.ndarray):
        return _memory.array_at(data.ctypes.data, np.uint8, (data.nbytes,), data)
    return np.frombuffer(view.cast("B"), np.uint8)


def _device_bytes(pointer: Any, nbytes: int, write: bool, call: str) -> np.ndarray:
    """`nbytes` at a pointer. Raises LogicError, as the driver's invalid argument, where it isn't so much memory."""
    address = int(pointer)
    room = _memory.room_at(address)
    if room is not None and nbytes > room:
        raise LogicError(f"{call} failed: invalid argument - {nbytes} bytes, where the allocation has {room}")
    if room is None and nbytes and not _memory.accessible(address, nbytes, write):
        raise LogicError(f"{call} failed: invalid argument - {address:#x} isn't an address of this process's memory")
    return _memory.array_at(address, np.uint8, (nbytes,))


def memcpy_htod(dest: Any, src: Any) -> None:
    """Host to device: all of `src`."""
    data = _bytes_of(src, False)
    _device_bytes(dest, data.nbytes, True, "cuMemcpyHtoD")[:] = data


def memcpy_htod_async(dest: Any, src: Any, stream: Any = None) -> None:
    memcpy_htod(dest, src)


def memcpy_dtoh(dest: Any, src: Any) -> None:
    """Device to host: as much as fills `dest`."""
    data = _bytes_of(dest, True)
    data[:] = _device_bytes(src, data.nbytes, False, "cuMemcpyDtoH")


def memcpy_dtoh_async(dest: Any, src: Any, stream: Any = None) -> None:
    memcpy_dtoh(dest, src)


def memcpy_dtod(dest: Any, src: Any, size: int) -> None:
    _device_bytes(dest, size, True, "cuMemcpyDtoD")[:] = _device_bytes(src, size, False, "cuMemcpyDtoD")


def memcpy_dtod_async(dest: Any, src: Any, size: int, stream: Any = None) -> None:
    memcpy_dtod(dest, src, size)


def _fill(dest: Any, value: int, count: int, dtype: type, call: str) -> None:
    _device_bytes(dest, count * np.dtype(dtype).itemsize, True, call).view(dtype)[:] = value


def memset_d8(dest: Any, data: int, count: int) -> None:
    _fill(dest, data, count, np.uint8, "cuMemsetD8")


def memset_d16(dest: Any, data: int, count: int) -> None:
    _fill(dest, data, count, np.uint16, "cuMemsetD16")


def memset_d32(dest: Any, data: int, count: int) -> None:
    _fill(dest, data, count, np.uint32, "cuMemsetD32")


def memset_d8_async(dest: Any, data: int, count: int, stream: Any = None) -> None:
    memset_d8(dest, data, count)


def memset_d32_async(dest: Any, data: int, count: int, stream: Any = None) -> None:
    memset_d32(dest, data, count)


def mem_get_info() -> tuple[int, int]:
    """Free and total memory in bytes."""
    page = os.sysconf("SC_PAGE_SIZE")
    return os.sysconf("SC_AVPHYS_PAGES") * page, os.sysconf("SC_PHYS_PAGES") * page


class PagelockedHostAllocation:
    """What the arrays of pagelocked_empty() stand on: their `base`."""

    def __init__(self, shape: Any, dtype: Any) -> None:
        shape = (int(shape),) if np.ndim(shape) == 0 else tuple(int(dim) for dim in shape)
        self._memory = _memory.Memory(max(int(np.prod(shape, dtype=np.int64)), 0) * np.dtype(dtype).itemsize)
        self.__array_interface__ = {"version": 3, "data": (self._memory.address, False), "shape": shape,
                                    "typestr": np.dtype(dtype).str}

    def get_device_pointer(self) -> int:
        return self._memory.address

    def get_flags(self) -> int:
        return 0

    def free(self) -> None:
        """The array still stands on it: it goes with the array."""

    def __del__(self) -> None:
        if hasattr(self, "_memory"):
            self._memory.free()


ManagedAllocation = PagelockedHostAllocation


def pagelocked_empty(shape: Any, dtype: Any, order: str = "C", mem_flags: int = 0) -> np.ndarray:
    """An array with anything in it; its memory is known by size."""
    try:
        array = np.asarray(PagelockedHostAllocation(shape, dtype))
    except builtins.MemoryError:
        raise MemoryError(f"cuMemHostAlloc failed: out of memory - shape {shape} of {np.dtype(dtype)}") from None
    return array if order == "C" else array.ravel().reshape(array.shape, order=order)


def pagelocked_zeros(shape: Any, dtype: Any, order: str = "C", mem_flags: int = 0) -> np.ndarray:
    array = pagelocked_empty(shape, dtype, order, mem_flags)
    array.fill(0)
    return array


def pagelocked_empty_like(array: np.ndarray, mem_flags: int = 0) -> np.ndarray:
    return pagelocked_empty(array.shape, array.dtype, "C", mem_flags)


def pagelocked_zeros_like(array: np.ndarray, mem_flags: int = 0) -> np.ndarray:
    return pagelocked_zeros(array.shape, array.dtype, "C", mem_flags)


def managed_empty(shape: Any, dtype: Any, order: str = "C", mem_flags: int = 0) -> np.ndarray:
    return pagelocked_empty(shape, dtype, order)


def managed_zeros(shape: Any, dtype: Any, order: str = "C", mem_flags: int = 0) -> np.ndarray:
    return pagelocked_zeros(shape, dtype, order)


def aligned_empty(shape: Any, dtype: Any, order: str = "C", alignment: int = 4096) -> np.ndarray:
    return pagelocked_empty(shape, dtype, order)


def register_host_memory(ary: np.ndarray, flags: int = 0) -> np.ndarray:
    """The array itself: host memory is all there is."""
    return ary


class Stream:
    """Everything is done when a call returns, so there is nothing to wait for."""

    def __init__(self, flags: int = 0, priority: int = 0) -> None:
        self.handle = id(self)

    def synchronize(self) -> None:
        pass

    def is_done(self) -> bool:
        return True

    def wait_for_event(self, event: "Event") -> None:
        pass


class Event:
    """A moment: record() takes it."""

    def __init__(self, flags: int = 0) -> None:
        self._time: float | None = None

    def record(self, stream: Stream | None = None) -> "Event":
        self._time = time.perf_counter()
        return self

    def synchronize(self) -> "Event":
        return self

    def query(self) -> bool:
        return True

    def time_since(self, event: "Event") -> float:
        """Milliseconds from `event` to this one."""
        if self._time is None or event._time is None:
            raise LogicError("cuEventElapsedTime failed: invalid resource handle - record() both events first")
        return (self._time - event._time) * 1e3

    def time_till(self, event: "Event") -> float:
        """Milliseconds from this one to `event`."""
        return event.time_since(self)


def start_profiler() -> None:
    pass


def stop_profiler() -> None:
    pass


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"pycuda.driver.{name} isn't in Hone's stand-in for pycuda, which has memory, copies, streams "
                         "and events on the host", name=name)
