"""From an ONNX model to an engine: Builder, OnnxParser, IBuilderConfig, IOptimizationProfile."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import hone

from . import _generation
from ._api import Api, Extensible, Flagged
from ._engine import SHAPES_KEY, ICudaEngine
from ._logger import ILogger, checked_logger
from ._network import INetworkDefinition
from ._types import (BuilderFlag, DeviceType, Dims, EngineCapability, ErrorCode, HardwareCompatibilityLevel,
                     IHostMemory, MemoryPoolType, PreviewFeature, ProfilingVerbosity, Severity)

_REDUCED = (BuilderFlag.FP16, BuilderFlag.BF16, BuilderFlag.INT8, BuilderFlag.FP8, BuilderFlag.INT4, BuilderFlag.FP4)


@dataclass(frozen=True)
class ParserError(Extensible):
    """What was wrong with a model; `node` isn't a number here, the text names nodes."""

    text: str
    error_code: ErrorCode
    file_name: str = ""

    def code(self) -> ErrorCode:
        return self.error_code

    def desc(self) -> str:
        return self.text

    def file(self) -> str:
        return self.file_name

    def line(self) -> int:
        return 0

    def func(self) -> str:
        return ""

    def node(self) -> int:
        return -1

    def __str__(self) -> str:
        return f"In node -1: {self.error_code.name}: {self.text}"


class OnnxParser(Flagged):
    """Reads a model into a network. On failure False, and get_error()."""

    def __init__(self, network: INetworkDefinition, logger: ILogger) -> None:
        self._network, self._logger = network, checked_logger(logger)
        self._errors: list[ParserError] = []

    num_errors = property(lambda self: len(self._errors))

    def parse(self, model: Any, path: str | None = None) -> bool:
        """From bytes; `path` is the file they came from, beside which external data lies."""
        data = bytes(memoryview(model))
        return self._take(data, os.path.dirname(os.path.abspath(path)) if path else "", path or "")

    def parse_from_file(self, model: str) -> bool:
        return self._take(os.fspath(model), "", os.fspath(model))

    def _take(self, model: bytes | str, base_dir: str, file: str) -> bool:
        self.clear_errors()
        try:
            self._network._take(model, base_dir)
        except hone.Error as error:
            codes = {"InvalidModel": ErrorCode.INVALID_GRAPH, "Unsupported": ErrorCode.UNSUPPORTED_NODE,
                     "NotFound": ErrorCode.MODEL_DESERIALIZE_FAILED, "Resource": ErrorCode.MEM_ALLOC_FAILED}
            self._errors.append(ParserError(str(error), codes.get(error.code, ErrorCode.INVALID_VALUE), file))
            self._logger.log(Severity.ERROR, str(error))
            return False
        return True

    def get_error(self, index: int) -> ParserError:
        return self._errors[index]

    def clear_errors(self) -> None:
        self._errors = []


class IOptimizationProfile(Api):
    """Ranges of the inputs' shapes, and of the contents of those that decide shapes."""

    extra_memory_target = 0.0

    def __init__(self) -> None:
        self._shapes: dict[str, tuple[Dims, Dims, Dims]] = {}
        self._contents: dict[str, tuple[list[int], list[int], list[int]]] = {}

    def set_shape(self, input: str, min: Sequence[int], opt: Sequence[int], max: Sequence[int]) -> None:  # noqa: A002
        """Raises RuntimeError unless min <= opt <= max in every dimension."""
        shapes = Dims(min), Dims(opt), Dims(max)
        _check_order(input, shapes)
        self._shapes[input] = shapes

    def get_shape(self, input: str) -> list[Dims]:  # noqa: A002
        return list(self._shapes.get(input, ()))

    def set_shape_input(self, input: str, min: Sequence[int], opt: Sequence[int],  # noqa: A002
                        max: Sequence[int]) -> None:  # noqa: A002
        contents = tuple([int(value) for value in values] for values in (min, opt, max))
        _check_order(input, contents)
        self._contents[input] = contents

    def get_shape_input(self, input: str) -> list[list[int]]:  # noqa: A002
        return list(self._contents.get(input, ()))

    def __bool__(self) -> bool:
        return True


def _check_order(name: str, ranges: tuple[Sequence[int], ...]) -> None:
    low, opt, high = ranges
    if not len(low) == len(opt) == len(high) or not all(a <= b <= c for a, b, c in zip(low, opt, high)):
        raise RuntimeError(f"Shape provided for input '{name}' is inconsistent: min {tuple(low)} <= opt {tuple(opt)} "
                           f"<= max {tuple(high)} must hold in every dimension")


class ITimingCache(Api):
    """Bytes that are kept as they were given. Kernels are timed anew: their times are in the engine, not here."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = data

    def serialize(self) -> IHostMemory:
        return IHostMemory(self._data)

    def combine(self, input_cache: "ITimingCache", ignore_mismatch: bool) -> bool:
        return True

    def reset(self) -> bool:
        self._data = b""
        return True


class IBuilderConfig(Flagged):
    """Options. Those that choose among a GPU's ways are kept and have no effect on a CPU."""

    max_workspace_size = 0
    builder_optimization_level = 3
    avg_timing_iterations = 1
    min_timing_iterations = 1
    profiling_verbosity = ProfilingVerbosity.LAYER_NAMES_ONLY
    engine_capability = EngineCapability.STANDARD
    hardware_compatibility_level = HardwareCompatibilityLevel.NONE
    default_device_type = DeviceType.GPU
    DLA_core = -1
    max_aux_streams = 0
    profile_stream = 0
    int8_calibrator = None
    plugins_to_serialize: Sequence[str] = ()

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.flags = 0
        self._profiles: list[IOptimizationProfile] = []
        self._pools: dict[MemoryPoolType, int] = {}
        self._previews: dict[PreviewFeature, bool] = {}
        self._tactics = 0
        self._timing_cache: ITimingCache | None = None

    num_optimization_profiles = property(lambda self: len(self._profiles))

    def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: int) -> None:
        self._pools[pool] = pool_size

    def get_memory_pool_limit(self, pool: MemoryPoolType) -> int:
        return self._pools.get(pool, 0)

    def set_preview_feature(self, feature: PreviewFeature, enable: bool) -> None:
        self._previews[feature] = enable

    def get_preview_feature(self, feature: PreviewFeature) -> bool:
        return self._previews.get(feature, False)

    def set_tactic_sources(self, tactic_sources: int) -> bool:
        self._tactics = tactic_sources
        return True

    def get_tactic_sources(self) -> int:
        return self._tactics

    def create_timing_cache(self, serialized_timing_cache: Any) -> ITimingCache:
        return ITimingCache(bytes(memoryview(serialized_timing_cache)))

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        self._timing_cache = cache
        return True

    def get_timing_cache(self) -> ITimingCache | None:
        return self._timing_cache

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        """The profile's number."""
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def set_calibration_profile(self, profile: IOptimizationProfile) -> bool:
        return True


class Builder(Api):
    """Builds engines for this machine's CPU. Attributes that belong to implicit batches have no effect."""

    max_batch_size = 1
    max_workspace_size = 0
    max_threads = 1
    fp16_mode = False
    int8_mode = False
    strict_type_constraints = False
    int8_calibrator = None
    platform_has_fast_fp16 = False
    platform_has_fast_int8 = False
    platform_has_tf32 = False
    num_DLA_cores = 0
    max_DLA_batch_size = 0

    def __init__(self, logger: ILogger) -> None:
        self._logger = checked_logger(logger)

    logger = property(lambda self: self._logger)

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        return INetworkDefinition(int(flags))

    def create_builder_config(self) -> IBuilderConfig:
        return IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        return IOptimizationProfile()

    def is_network_supported(self, network: INetworkDefinition, config: IBuilderConfig) -> bool:
        return network._model is not None

    def reset(self) -> None:
        """Back to the defaults."""
        self.fp16_mode = self.int8_mode = self.strict_type_constraints = False

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> IHostMemory | None:
        """The engine as bytes; None, and a logged error, on failure."""
        engine = self._build(network, config)
        return None if engine is None else IHostMemory(engine.serialize())

    def build_engine(self, network: INetworkDefinition, config: IBuilderConfig) -> ICudaEngine | None:
        engine = self._build(network, config)
        return None if engine is None else ICudaEngine(engine, self._logger)

    build_engine_with_config = build_engine

    def build_cuda_engine(self, network: INetworkDefinition) -> ICudaEngine | None:
        return self.build_engine(network, IBuilderConfig())

    def _build(self, network: INetworkDefinition, config: IBuilderConfig) -> hone.Engine | None:
        if network._model is None:
            self._logger.log(Severity.ERROR, "the network is empty: parse an ONNX model into it with OnnxParser first")
            return None
        self._report_precision(config)
        given = network._given()
        fixed = {name: dims for name, dims in given.items() if -1 not in dims}
        profiles = [_shapes_of(profile, fixed) for profile in config._profiles] or ([fixed] if fixed else None)
        try:
            return hone.build(network._model, shapes=profiles, base_dir=network._base_dir, metadata=_metadata(given),
                              tune=config.builder_optimization_level > 0,
                              log=lambda line: self._logger.log(Severity.WARNING, line),
                              progress=lambda stage, done, total: None)
        except (hone.Error, ValueError) as error:
            self._logger.log(Severity.ERROR, f"the engine wasn't built: {error}")
            return None

    def _report_precision(self, config: IBuilderConfig) -> None:
        asked = [flag.name for flag in _REDUCED if config.get_flag(flag)]
        asked += [name for name, on in (("FP16", self.fp16_mode), ("INT8", self.int8_mode)) if on and name not in asked]
        if asked:
            self._logger.log(Severity.WARNING, f"{' and '.join(asked)} may be used, but no kernel for this CPU "
                             "computes in it: FP32 is computed, which is at least as accurate")


def _shapes_of(profile: IOptimizationProfile, fixed: dict[str, list[int]]) -> dict[str, Any]:
    return {**profile._shapes, **profile._contents, **fixed}


def _metadata(given: dict[str, list[int]]) -> dict[str, str]:
    generation = _generation.from_environment()
    metadata = {} if generation is None else {_generation.KEY: str(generation)}
    return {**metadata, SHAPES_KEY: json.dumps(given)} if given else metadata


class IInt8Calibrator(Extensible):
    """For deriving from. INT8 isn't computed here, so that none of its methods is called."""


class IInt8LegacyCalibrator(IInt8Calibrator):
    pass


class IInt8EntropyCalibrator(IInt8Calibrator):
    pass


class IInt8EntropyCalibrator2(IInt8Calibrator):
    pass


class IInt8MinMaxCalibrator(IInt8Calibrator):
    pass
