"""The one device of the stand-in, the processor, and contexts on it."""

import enum
import os
import pathlib

from ._errors import LogicError


def init(flags: int = 0) -> None:
    """Nothing needs it; programs call it."""


def get_version() -> tuple[int, int, int]:
    """No CUDA."""
    return (0, 0, 0)


def get_driver_version() -> int:
    """No driver."""
    return 0


class device_attribute(enum.IntEnum):  # noqa: N801
    MAX_THREADS_PER_BLOCK = 1
    WARP_SIZE = 10
    CLOCK_RATE = 13
    MULTIPROCESSOR_COUNT = 16
    INTEGRATED = 18
    CAN_MAP_HOST_MEMORY = 19
    UNIFIED_ADDRESSING = 41
    COMPUTE_CAPABILITY_MAJOR = 75
    COMPUTE_CAPABILITY_MINOR = 76
    MANAGED_MEMORY = 83


def _values() -> dict[device_attribute, int]:
    values = dict.fromkeys(device_attribute, 0)
    values.update({device_attribute.MAX_THREADS_PER_BLOCK: 1, device_attribute.WARP_SIZE: 1,
                   device_attribute.MULTIPROCESSOR_COUNT: len(os.sched_getaffinity(0)), device_attribute.INTEGRATED: 1,
                   device_attribute.CAN_MAP_HOST_MEMORY: 1, device_attribute.UNIFIED_ADDRESSING: 1,
                   device_attribute.MANAGED_MEMORY: 1})
    return values


class Device:
    """The processor, as device 0."""

    def __init__(self, number: int = 0) -> None:
        if number != 0:
            raise LogicError(f"cuDeviceGet failed: invalid device ordinal - {number}; the only one is 0, the processor")

    @staticmethod
    def count() -> int:
        return 1

    def name(self) -> str:
        for line in pathlib.Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
        return "CPU"

    def compute_capability(self) -> tuple[int, int]:
        """None: (0, 0)."""
        return (0, 0)

    def total_memory(self) -> int:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    def pci_bus_id(self) -> str:
        return "0000:00:00.0"

    def get_attribute(self, attribute: device_attribute) -> int:
        return _values()[attribute]

    def get_attributes(self) -> dict[device_attribute, int]:
        return _values()

    def make_context(self, flags: int = 0) -> "Context":
        """A context, made current."""
        context = Context(self)
        context.push()
        return context

    def retain_primary_context(self) -> "Context":
        return Context(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device)

    def __hash__(self) -> int:
        return 0


class Context:
    """Kept on a stack as pycuda does; nothing depends on which one is current."""

    _stack: list["Context"] = []

    def __init__(self, device: Device) -> None:
        self._device = device

    def push(self) -> None:
        Context._stack.append(self)

    @staticmethod
    def pop() -> None:
        """Takes the current one off."""
        if not Context._stack:
            raise LogicError("context::pop failed: invalid device context - there is none")
        Context._stack.pop()

    def detach(self) -> None:
        if self in Context._stack:
            Context._stack.remove(self)

    def attach(self, flags: int = 0) -> None:
        pass

    @staticmethod
    def synchronize() -> None:
        pass

    @staticmethod
    def get_current() -> "Context | None":
        return Context._stack[-1] if Context._stack else None

    @staticmethod
    def get_device() -> Device:
        return Device(0)
