"""The buffers behind the addresses of one context: checked, bound to Hone's context, converted where types differ."""

import math
from dataclasses import dataclass

import numpy as np

from hone import Context

from .._pycuda import _memory
from ._types import DataType


# Programs take their buffers from a small pool by turns: so many of each binding aren't checked again.
RECENT = 8
# What tensors without elements are bound to.
_NOTHING = np.zeros(1, np.float64)


@dataclass(frozen=True)
class Slot:
    """One binding of an engine."""

    index: int
    name: str
    is_input: bool
    shape: tuple[int, ...]  # -1: not fixed
    dtype: DataType  # as it is bound
    outside: np.dtype  # of the buffer
    inside: np.dtype  # of the engine's tensor
    is_shape_value: bool

    def __str__(self) -> str:
        return f"binding {self.index}, {'input' if self.is_input else 'output'} '{self.name}'"


class BadBuffer(Exception):
    """An address that can't be used, and what to do."""


def convert(source: np.ndarray, target: np.ndarray) -> bool:
    """Copies into another type. Integers that don't fit become the nearest that do; True if there was one."""
    np.copyto(target, source, casting="unsafe")
    if source.dtype.kind not in "iu" or source.dtype.itemsize < target.dtype.itemsize or (target == source).all():
        return False
    from_type, to_type = np.iinfo(source.dtype), np.iinfo(target.dtype)
    clipped = np.clip(source, max(from_type.min, to_type.min), min(from_type.max, to_type.max))
    np.copyto(target, clipped, casting="unsafe")
    return True


def checked(slot: Slot, address: int, shape: tuple[int, ...]) -> None:
    """Raises BadBuffer unless a tensor of `shape` can be at `address`; of one with -1, only its first element."""
    nbytes = slot.outside.itemsize * (math.prod(shape) if -1 not in shape else 0 not in shape)
    if nbytes == 0:
        return
    if address == 0:
        raise BadBuffer(f"{slot} has no buffer: its address is null. Give {nbytes} bytes, for shape {shape} of "
                        f"{slot.outside}")
    if address % slot.outside.alignment:
        raise BadBuffer(f"{slot}: address {address:#x} isn't a multiple of {slot.outside.alignment}, as {slot.outside} "
                        "needs. Pass the address that the allocation gave, without an odd offset")
    room = _memory.room_at(address)
    if room is not None and room < nbytes:
        raise BadBuffer(f"{slot} needs {nbytes} bytes for shape {shape} of {slot.outside}; its allocation has {room}. "
                        "Allocate volume(shape) * itemsize after the shapes are set")
    if room is None and not (0 < address < 2**63 and _memory.accessible(address, nbytes, not slot.is_input)):
        raise BadBuffer(f"{slot}: {nbytes} bytes at {address:#x} aren't memory that this process may "
                        f"{'read' if slot.is_input else 'write'}. This engine runs on the CPU: pass host memory, for "
                        "example array.ctypes.data, tensor.cpu().data_ptr() or mem_alloc() of the stand-in for pycuda "
                        "(python -m hone.tensorrt)")


class Buffers:
    def __init__(self, slots: list[Slot], context: Context) -> None:
        self.slots, self.context = slots, context
        self.accepted: set[tuple[int, int, tuple[int, ...]]] = set()  # of recent runs
        self.freed = -1
        self.allocators: dict[int, object] = {}
        self._sources: list[tuple[np.ndarray, np.ndarray]] = []  # buffer of the caller, what the engine reads
        self._results: list[tuple[Slot, np.ndarray, np.ndarray]] = []  # what the engine writes, buffer of the caller
        self._late: list[tuple[Slot, int]] = []  # outputs of a size that isn't known before the run

    @property
    def idle(self) -> bool:
        """Nothing to do before or after a run."""
        return not (self._sources or self._results or self._late)

    def check(self, slot: Slot, address: int, shape: tuple[int, ...]) -> None:
        """checked(), unless it was already in one of the last runs."""
        if self.freed != _memory.freed or len(self.accepted) > RECENT * len(self.slots):
            self.accepted.clear()
            self.freed = _memory.freed
        if (slot.index, address, shape) not in self.accepted:
            checked(slot, address, shape)
            self.accepted.add((slot.index, address, shape))

    def bind(self, addresses: list[int], shapes: list[tuple[int, ...]]) -> None:
        """Binds all but the inputs whose contents decide shapes. Raises BadBuffer and hone.Error."""
        self._sources, self._results, self._late = [], [], []
        for slot, address, shape in zip(self.slots, addresses, shapes):
            if slot.is_shape_value:
                continue
            if slot.index in self.allocators:
                self.context.clear_tensor(slot.name)
                self._late.append((slot, address))
                continue
            self.check(slot, address, shape)
            if 0 in shape:
                self.context.set_address(slot.name, _NOTHING.ctypes.data)
            elif -1 in shape:
                self._bind_unsized(slot, address)
            elif slot.inside == slot.outside:
                self.context.set_address(slot.name, address)
            else:
                self._bind_converted(slot, _memory.array_at(address, slot.outside, shape))

    def _bind_converted(self, slot: Slot, buffer: np.ndarray) -> None:
        # By address: an array's size would be checked against the shapes of the next runs.
        inside = np.empty(buffer.shape, slot.inside)
        self.context.set_address(slot.name, inside.ctypes.data)
        if slot.is_input:
            self._sources.append((buffer, inside))
        else:
            self._results.append((slot, inside, buffer))

    def _bind_unsized(self, slot: Slot, address: int) -> None:
        room = _memory.room_at(address)
        if slot.inside != slot.outside:
            self.context.clear_tensor(slot.name)
            self._late.append((slot, address))
        elif room is None:
            self.context.set_address(slot.name, address)
        else:
            self.context.set_tensor(slot.name, _memory.array_at(address, slot.inside, (room // slot.inside.itemsize,)))

    def before_run(self) -> None:
        """Converts inputs."""
        for buffer, inside in self._sources:
            convert(buffer, inside)

    def after_run(self) -> list[str]:
        """Converts outputs, hands others to their allocators. Returns the names of those with values that didn't fit.
        Raises BadBuffer."""
        clipped = [slot.name for slot, inside, buffer in self._results if convert(inside, buffer)]
        return clipped + [slot.name for slot, address in self._late if self._deliver(slot, address)]

    def _deliver(self, slot: Slot, address: int) -> bool:
        result = self.context.output(slot.name)
        allocator = self.allocators.get(slot.index)
        if allocator is not None:
            nbytes = max(result.size * slot.outside.itemsize, 1)
            address = int(allocator.reallocate_output(slot.name, address, nbytes, _memory.ALIGNMENT) or 0)
            allocator.notify_shape(slot.name, result.shape)
        checked(slot, address, result.shape)
        return convert(result, _memory.array_at(address, slot.outside, result.shape))
