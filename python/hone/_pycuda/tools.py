"""The part of pycuda.tools that has a meaning without kernels."""

from collections.abc import Callable

from . import driver


def make_default_context(ctx_maker: Callable[[driver.Device], driver.Context] | None = None) -> driver.Context:
    """A current context on the only device."""
    driver.init()
    device = driver.Device(0)
    return ctx_maker(device) if ctx_maker else device.make_context()


def clear_context_caches() -> None:
    """Nothing is cached."""


class DeviceMemoryPool:
    """Allocates without pooling: host allocators pool already."""

    def allocate(self, size: int) -> driver.DeviceAllocation:
        return driver.mem_alloc(size)

    def free_held(self) -> None:
        pass

    stop_holding = free_held
