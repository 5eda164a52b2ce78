"""TensorRT's Python API on Hone: the calls of TensorRT 7 and 8, by numbers, and those of 10 and 11, by names, at once.

    python -m hone.tensorrt script.py [args]     # runs a script whose `import tensorrt` means this module
    import hone.tensorrt as trt                  # or in your own program

An engine answers as one generation of TensorRT: the one it was built with, else HONE_TENSORRT_GENERATION (7 to 11),
else 10. Before 10, int64 tensors are bound as int32; float64 is bound as float32 in all. Values beyond the bound type
become the nearest that fits (TensorRT before 10 clamps int64 weights so, and computes in int32). Failures give what
TensorRT gives (False, None, -1) and a logged line with the cure. Names that aren't here yet raise AttributeError.
"""

import sys
from typing import Any

from . import _api, _generation
from ._build import (Builder, IBuilderConfig, IInt8Calibrator, IInt8EntropyCalibrator, IInt8EntropyCalibrator2,
                     IInt8LegacyCalibrator, IInt8MinMaxCalibrator, IOptimizationProfile, ITimingCache, OnnxParser,
                     ParserError)
from ._context import IExecutionContext, IOutputAllocator
from ._engine import EngineInspector, ICudaEngine, Runtime
from ._logger import ILogger, IProfiler, Logger, Profiler
from ._network import ILayer, INetworkDefinition, ITensor
from ._plugins import IPluginRegistry, get_plugin_registry, init_libnvinfer_plugins
from ._types import (BuilderFlag, DataType, DeviceType, Dims, Dims2, Dims3, Dims4, DimsHW, EngineCapability, ErrorCode,
                     ExecutionContextAllocationStrategy, HardwareCompatibilityLevel, IHostMemory,
                     LayerInformationFormat, LayerType, MemoryPoolType, NetworkDefinitionCreationFlag, OnnxParserFlag,
                     PreviewFeature, ProfilingVerbosity, TacticSource, TensorFormat, TensorIOMode, TensorLocation,
                     nptype, volume)

__version__ = _generation.VERSIONS[_generation.from_environment() or 10]

float32, float16, int8, int32, uint8 = DataType.FLOAT, DataType.HALF, DataType.INT8, DataType.INT32, DataType.UINT8
int64, bfloat16, fp8, int4, fp4 = DataType.INT64, DataType.BF16, DataType.FP8, DataType.INT4, DataType.FP4
bool = DataType.BOOL  # noqa: A001
tensorrt = sys.modules[__name__]  # the name of TensorRT's extension module


def install() -> None:
    """From now on `import tensorrt` means this module, in this process."""
    sys.modules["tensorrt"] = sys.modules[__name__]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise _api.missing("tensorrt", name)


def __dir__() -> list[str]:
    return [name for name in globals() if not name.startswith("_") and name not in ("sys", "Any")] + ["__version__"]
