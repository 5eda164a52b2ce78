"""Arrays in the stand-in's memory, without arithmetic."""

from typing import Any

import numpy as np

from . import driver


class GPUArray:
    """A packed array of mem_alloc()'s memory."""

    def __init__(self, shape: Any, dtype: Any, allocator: Any = driver.mem_alloc, gpudata: Any = None) -> None:
        self.shape = (int(shape),) if np.ndim(shape) == 0 else tuple(int(dim) for dim in shape)
        self.dtype = np.dtype(dtype)
        self.size = int(np.prod(self.shape, dtype=np.int64))
        self.nbytes = self.size * self.dtype.itemsize
        self.gpudata = allocator(max(self.nbytes, 1)) if gpudata is None else gpudata

    ndim = property(lambda self: len(self.shape))
    ptr = property(lambda self: int(self.gpudata))

    def __len__(self) -> int:
        return self.shape[0]

    def set(self, ary: np.ndarray, stream: Any = None) -> None:
        """Copies a host array of the same shape and type. Raises ValueError for any other."""
        if ary.shape != self.shape or ary.dtype != self.dtype:
            raise ValueError(f"{ary.dtype}{list(ary.shape)} can't be copied to {self.dtype}{list(self.shape)}")
        driver.memcpy_htod(self.gpudata, np.ascontiguousarray(ary))

    set_async = set

    def get(self, ary: np.ndarray | None = None, stream: Any = None) -> np.ndarray:
        """A host copy, in `ary` if given."""
        result = np.empty(self.shape, self.dtype) if ary is None else ary
        driver.memcpy_dtoh(result, self.gpudata)
        return result

    get_async = get


def to_gpu(ary: np.ndarray, allocator: Any = driver.mem_alloc) -> GPUArray:
    array = GPUArray(ary.shape, ary.dtype, allocator)
    array.set(ary)
    return array


def to_gpu_async(ary: np.ndarray, allocator: Any = driver.mem_alloc, stream: Any = None) -> GPUArray:
    return to_gpu(ary, allocator)


def empty(shape: Any, dtype: Any = np.float64, allocator: Any = driver.mem_alloc) -> GPUArray:
    return GPUArray(shape, dtype, allocator)


def zeros(shape: Any, dtype: Any = np.float64, allocator: Any = driver.mem_alloc) -> GPUArray:
    array = GPUArray(shape, dtype, allocator)
    driver.memset_d8(array.gpudata, 0, array.nbytes)
    return array


def empty_like(other: Any) -> GPUArray:
    return GPUArray(other.shape, other.dtype)


def zeros_like(other: Any) -> GPUArray:
    return zeros(other.shape, other.dtype)
