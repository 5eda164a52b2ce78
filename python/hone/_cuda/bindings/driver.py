"""What programs that use the runtime's API need of the driver's: its error type and its start."""

import enum
from typing import Any


class CUresult(enum.IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_OUT_OF_MEMORY = 2


def cuInit(flags: int) -> tuple[CUresult]:  # noqa: N802
    return (CUresult.CUDA_SUCCESS,)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"cuda.bindings.driver.{name} isn't in Hone's stand-in for cuda-python; memory, copies, "
                         "streams and events are in cuda.bindings.runtime (cuda.cudart)", name=name)
