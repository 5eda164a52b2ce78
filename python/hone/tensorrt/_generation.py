"""The generation of TensorRT that an engine answers as, and how element types look in it.

TensorRT 10 binds int64 tensors as they are; before it they were int32. One rule for both: an engine knows its
generation, by its metadata, else by the environment variable HONE_TENSORRT_GENERATION, else 10.
"""

import os

from ._types import DataType

KEY = "hone.tensorrt_generation"
VARIABLE = "HONE_TENSORRT_GENERATION"
VERSIONS = {7: "7.2.2.3", 8: "8.6.1", 9: "9.3.0", 10: "10.0.1", 11: "11.1.0"}

_DIRECT = {"float32": DataType.FLOAT, "float16": DataType.HALF, "int8": DataType.INT8, "int32": DataType.INT32,
           "bool": DataType.BOOL, "uint8": DataType.UINT8, "bfloat16": DataType.BF16, "int64": DataType.INT64}
# Types that TensorRT doesn't bind.
_NEAREST = {"float64": "float32", "int16": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64"}


def parse(text: str, source: str) -> int:
    """A generation as a number. Raises ValueError that names the source."""
    if text.strip() not in map(str, VERSIONS):
        raise ValueError(f"{source} is '{text}'; it must be one of {', '.join(map(str, VERSIONS))}")
    return int(text)


def from_environment() -> int | None:
    """What the environment asks for, if it does."""
    text = os.environ.get(VARIABLE, "")
    return parse(text, VARIABLE) if text else None


def of_engine(metadata: dict[str, str]) -> int:
    """An engine's generation."""
    if KEY in metadata:
        return parse(metadata[KEY], f"the engine's metadata {KEY}")
    return from_environment() or 10


def presented(dtype: str, generation: int) -> tuple[DataType, str]:
    """How a tensor of Hone's type `dtype` is bound: TensorRT's type, and the name of the type in the buffer."""
    dtype = _NEAREST.get(dtype, dtype)
    if generation < 10 and dtype == "int64":
        dtype = "int32"
    return _DIRECT[dtype], dtype
