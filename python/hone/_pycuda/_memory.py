"""Host memory that plays the part of device memory, and what is known about any address.

Allocations are registered, so that copies and engines can check sizes; of other addresses it can only be asked whether
the process may read or write there.
"""

import bisect
import ctypes
import errno
import os
import threading
from typing import Any

import numpy as np

ALIGNMENT = 256  # cudaMalloc's

_lock = threading.Lock()
_starts: list[int] = []
_sizes: dict[int, int] = {}
# Grows when memory is given back: who remembers addresses must look at them again.
freed = 0


class Memory:
    """`nbytes` of memory, aligned and registered until free()."""

    def __init__(self, nbytes: int) -> None:
        if nbytes < 0:
            raise ValueError(f"{nbytes} bytes of memory were asked for")
        self._block = np.empty(nbytes + ALIGNMENT, np.uint8)
        self.nbytes = nbytes
        self.address = -(-self._block.ctypes.data // ALIGNMENT) * ALIGNMENT
        with _lock:
            bisect.insort(_starts, self.address)
            _sizes[self.address] = nbytes

    def free(self) -> None:
        global freed
        with _lock:
            if self._block is not None:
                _starts.remove(self.address)
                del _sizes[self.address]
                freed += 1
                self._block = None


def room_at(address: int) -> int | None:
    """Bytes from `address` to the end of its allocation; None if it lies in none."""
    with _lock:
        at = bisect.bisect_right(_starts, address) - 1
        if at < 0:
            return None
        left = _starts[at] + _sizes[_starts[at]] - address
    return left if left > 0 or address == _starts[at] else None


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


_TwoVectors = _Vector * 2
_libc = ctypes.CDLL(None, use_errno=True)
_vectors = [ctypes.POINTER(_Vector), ctypes.c_ulong]
for _call in (_libc.process_vm_readv, _libc.process_vm_writev):
    _call.argtypes, _call.restype = [ctypes.c_int, *_vectors, *_vectors, ctypes.c_ulong], ctypes.c_ssize_t


def accessible(address: int, nbytes: int, write: bool) -> bool:
    """Whether the process may read (and write) the first and last of `nbytes` at `address`.

    The kernel copies these bytes out and back, and says EFAULT instead of raising a signal. Where it refuses to copy at
    all, every address passes.
    """
    data = ctypes.create_string_buffer(2)
    here = _Vector(ctypes.addressof(data), 2)
    there = _TwoVectors((address, 1), (address + max(nbytes, 1) - 1, 1))
    for call in (_libc.process_vm_readv, _libc.process_vm_writev) if write else (_libc.process_vm_readv,):
        copied = call(os.getpid(), here, 1, there, 2, 0)
        if copied >= 0 and copied < 2 or copied < 0 and ctypes.get_errno() == errno.EFAULT:
            return False
    return True


class _Pointer:
    def __init__(self, address: int, dtype: np.dtype, shape: tuple[int, ...], owner: Any) -> None:
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, False), "typestr": dtype.str, "shape": shape}


def array_at(address: int, dtype: np.dtype, shape: tuple[int, ...], owner: Any = None) -> np.ndarray:
    """A writable view of memory somewhere else; it keeps `owner` alive."""
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.asarray(_Pointer(address, np.dtype(dtype), shape, owner))
