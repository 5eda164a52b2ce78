"""Enumerations, shapes, element types and serialized memory. Numbers are those of TensorRT's headers."""

import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ._api import Enum


class DataType(Enum):
    FLOAT = 0
    HALF = 1
    INT8 = 2
    INT32 = 3
    BOOL = 4
    UINT8 = 5
    FP8 = 6
    BF16 = 7
    INT64 = 8
    INT4 = 9
    FP4 = 10

    @property
    def itemsize(self) -> float:
        """Bytes of one element; 0.5 for the packed types."""
        return _BYTES[self]


_BYTES = {DataType.FLOAT: 4, DataType.HALF: 2, DataType.INT8: 1, DataType.INT32: 4, DataType.BOOL: 1, DataType.UINT8: 1,
          DataType.FP8: 1, DataType.BF16: 2, DataType.INT64: 8, DataType.INT4: 0.5, DataType.FP4: 0.5}
_NUMPY = {DataType.FLOAT: np.float32, DataType.HALF: np.float16, DataType.INT8: np.int8, DataType.INT32: np.int32,
          DataType.BOOL: np.bool_, DataType.UINT8: np.uint8, DataType.INT64: np.int64}


def nptype(trt_type: DataType) -> type:
    """The NumPy type of an element type. Raises TypeError where NumPy has none (BF16, FP8, INT4, FP4)."""
    if trt_type not in _NUMPY:
        raise TypeError(f"Could not resolve TensorRT datatype to an equivalent numpy datatype: {trt_type!s}")
    return _NUMPY[trt_type]


def volume(iterable: Iterable[int]) -> int:
    """Product of the dimensions; 1 for none."""
    return math.prod(iterable)


class Dims(Sequence):
    """A shape of at most 8 dimensions: compares with tuples and lists, slices to tuples, prints as a tuple."""

    MAX_DIMS = 8
    __slots__ = ("_values",)
    __hash__ = None

    def __init__(self, shape: Iterable[int] = ()) -> None:
        self._values = [operator.index(dim) for dim in shape]
        if len(self._values) > self.MAX_DIMS:
            raise ValueError(f"Input length {len(self._values)}. Max expected length is {self.MAX_DIMS}")

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return tuple(self._values[index]) if isinstance(index, slice) else self._values[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        many = isinstance(index, slice)
        self._values[index] = [operator.index(dim) for dim in value] if many else operator.index(value)

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Dims, tuple, list)) and self._values == list(other)

    def __repr__(self) -> str:
        return repr(tuple(self._values))

    __str__ = __repr__


def _dims_of(count: int, name: str) -> type:
    def __init__(self, *shape: Any) -> None:
        values = shape[0] if len(shape) == 1 else shape or (0,) * count
        Dims.__init__(self, values)
        if len(self) != count:
            raise ValueError(f"Input length {len(self)} not equal to expected {name} length, which is {count}")

    return type(name, (Dims,), {"__init__": __init__, "__slots__": (), "__module__": __name__, "__hash__": None})


Dims2, Dims3, Dims4 = (_dims_of(count, f"Dims{count}") for count in (2, 3, 4))


class DimsHW(Dims2):
    __slots__ = ()
    __hash__ = None
    h = property(lambda self: self[0], lambda self, value: self.__setitem__(0, value))
    w = property(lambda self: self[1], lambda self, value: self.__setitem__(1, value))


class IHostMemory(bytes):
    """A serialized engine: bytes, so that write(), memoryview() and NumPy take it."""

    dtype = DataType.INT8
    nbytes = property(len)

    def __enter__(self) -> "IHostMemory":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __repr__(self) -> str:
        return f"<tensorrt.IHostMemory of {len(self)} bytes>"

    __str__ = __repr__


class Severity(Enum):
    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2
    INFO = 3
    VERBOSE = 4


class TensorIOMode(Enum):
    NONE = 0
    INPUT = 1
    OUTPUT = 2


class TensorLocation(Enum):
    DEVICE = 0
    HOST = 1


class TensorFormat(Enum):
    LINEAR = 0
    CHW2 = 1
    HWC8 = 2
    CHW4 = 3
    CHW16 = 4
    CHW32 = 5
    DHWC8 = 6
    CDHW32 = 7
    HWC = 8
    DLA_LINEAR = 9
    DLA_HWC4 = 10
    HWC16 = 11
    DHWC = 12


class BuilderFlag(Enum):
    FP16 = 0
    INT8 = 1
    DEBUG = 2
    GPU_FALLBACK = 3
    STRICT_TYPES = 4
    REFIT = 5
    DISABLE_TIMING_CACHE = 6
    TF32 = 7
    SPARSE_WEIGHTS = 8
    SAFETY_SCOPE = 9
    OBEY_PRECISION_CONSTRAINTS = 10
    PREFER_PRECISION_CONSTRAINTS = 11
    DIRECT_IO = 12
    REJECT_EMPTY_ALGORITHMS = 13
    ENABLE_TACTIC_HEURISTIC = 14
    VERSION_COMPATIBLE = 15
    EXCLUDE_LEAN_RUNTIME = 16
    FP8 = 17
    ERROR_ON_TIMING_CACHE_MISS = 18
    BF16 = 19
    DISABLE_COMPILATION_CACHE = 20
    STRIP_PLAN = 21
    WEIGHTLESS = 21
    REFIT_IDENTICAL = 22
    WEIGHT_STREAMING = 23
    INT4 = 24
    REFIT_INDIVIDUAL = 25
    STRICT_NANS = 26
    MONITOR_MEMORY = 27
    FP4 = 28
    EDITABLE_TIMING_CACHE = 29


class NetworkDefinitionCreationFlag(Enum):
    EXPLICIT_BATCH = 0
    EXPLICIT_PRECISION = 1
    STRONGLY_TYPED = 1


class MemoryPoolType(Enum):
    WORKSPACE = 0
    DLA_MANAGED_SRAM = 1
    DLA_LOCAL_DRAM = 2
    DLA_GLOBAL_DRAM = 3
    TACTIC_DRAM = 4
    TACTIC_SHARED_MEMORY = 5


class OnnxParserFlag(Enum):
    NATIVE_INSTANCENORM = 0


class ProfilingVerbosity(Enum):
    LAYER_NAMES_ONLY = 0
    NONE = 1
    DETAILED = 2
    DEFAULT = 0
    VERBOSE = 2


class EngineCapability(Enum):
    STANDARD = 0
    SAFETY = 1
    DLA_STANDALONE = 2
    DEFAULT = 0


class DeviceType(Enum):
    GPU = 0
    DLA = 1


class HardwareCompatibilityLevel(Enum):
    NONE = 0
    AMPERE_PLUS = 1
    SAME_COMPUTE_CAPABILITY = 2


class PreviewFeature(Enum):
    FASTER_DYNAMIC_SHAPES_0805 = 0
    DISABLE_EXTERNAL_TACTIC_SOURCES_FOR_CORE_0805 = 1
    PROFILE_SHARING_0806 = 2
    ALIASED_PLUGIN_IO_10_03 = 3
    RUNTIME_ACTIVATION_RESIZE_10_10 = 4


class TacticSource(Enum):
    CUBLAS = 0
    CUBLAS_LT = 1
    CUDNN = 2
    EDGE_MASK_CONVOLUTIONS = 3
    JIT_CONVOLUTIONS = 4


class ExecutionContextAllocationStrategy(Enum):
    STATIC = 0
    ON_PROFILE_CHANGE = 1
    USER_MANAGED = 2


class LayerInformationFormat(Enum):
    ONELINE = 0
    JSON = 1


_LAYERS = """
    CONVOLUTION CAST ACTIVATION POOLING LRN SCALE SOFTMAX DECONVOLUTION CONCATENATION ELEMENTWISE PLUGIN UNARY PADDING
    SHUFFLE REDUCE TOPK GATHER MATRIX_MULTIPLY RAGGED_SOFTMAX CONSTANT IDENTITY PLUGIN_V2 SLICE SHAPE PARAMETRIC_RELU
    RESIZE TRIP_LIMIT RECURRENCE ITERATOR LOOP_OUTPUT SELECT FILL QUANTIZE DEQUANTIZE CONDITION CONDITIONAL_INPUT
    CONDITIONAL_OUTPUT SCATTER EINSUM ASSERTION ONE_HOT NON_ZERO GRID_SAMPLE NMS REVERSE_SEQUENCE NORMALIZATION
    PLUGIN_V3 SQUEEZE UNSQUEEZE CUMULATIVE DYNAMIC_QUANTIZE"""
# FULLY_CONNECTED was 1 before TensorRT 10.
LayerType = Enum("LayerType", [*zip(_LAYERS.split(), range(51)), ("FULLY_CONNECTED", 1)], module=__name__)


class ErrorCode(Enum):
    """Of the ONNX parser."""

    SUCCESS = 0
    INTERNAL_ERROR = 1
    MEM_ALLOC_FAILED = 2
    MODEL_DESERIALIZE_FAILED = 3
    INVALID_VALUE = 4
    INVALID_GRAPH = 5
    INVALID_NODE = 6
    UNSUPPORTED_GRAPH = 7
    UNSUPPORTED_NODE = 8
