"""Runtime and ICudaEngine."""

import json
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

import hone

from . import _generation
from ._api import Api
from ._buffers import Slot
from ._context import OPEN, IExecutionContext
from ._logger import ILogger, checked_logger
from ._network import inferred_shapes
from ._types import (DataType, Dims, EngineCapability, ExecutionContextAllocationStrategy, HardwareCompatibilityLevel,
                     IHostMemory, LayerInformationFormat, ProfilingVerbosity, Severity, TensorFormat, TensorIOMode,
                     TensorLocation)

# Shapes that the program gave to the network's inputs before it built the engine.
SHAPES_KEY = "hone.tensorrt_shapes"

_MAGIC = b"\x89HONE\r\n\x1a"
# What follows an ONNX model's first field, its IR version: the tags of its other fields.
_ONNX_FIELDS = (b"\x12", b"\x1a", b"\x22", b"\x28", b"\x32", b"\x3a", b"\x42")


class Runtime(Api):
    """Loads engines. Raises TypeError without a logger."""

    max_threads = 1
    DLA_core = -1
    num_DLA_cores = 0
    engine_host_code_allowed = False

    def __init__(self, logger: ILogger) -> None:
        self._logger = checked_logger(logger)

    logger = property(lambda self: self._logger)

    def deserialize_cuda_engine(self, serialized_engine: Any) -> "ICudaEngine | None":
        """An engine from its bytes; None, and a logged error, if they aren't one that runs here."""
        data = bytes(memoryview(serialized_engine))
        try:
            engine = hone.load(data, log=lambda line: self._logger.log(Severity.WARNING, line))
            result = ICudaEngine(engine, self._logger)
        except (hone.Error, ValueError) as error:
            self._logger.log(Severity.ERROR, f"the engine can't be loaded: {error}{_guess(data)}")
            return None
        self._logger.log(Severity.INFO, f"Loaded engine size: {len(data) / 2**20:.1f} MiB, of TensorRT's generation "
                         f"{result._generation}")
        return result


def _guess(data: bytes) -> str:
    """What the bytes may be instead of an engine of Hone."""
    build = "`hone trtexec --onnx=model.onnx --saveEngine=model.engine` builds one"
    if not data:
        return f". The file is empty: {build}"
    if data.startswith(_MAGIC):
        return ""
    if data[4:5] == b"{" and int.from_bytes(data[:4], "little") < len(data):
        return ". It starts with the header that Ultralytics puts before a plan (a length and JSON): read past it"
    if data[:1] == b"\x08" and data[2:3] in _ONNX_FIELDS:
        return f". It looks like an ONNX model: {build}"
    return f". A plan of NVIDIA's TensorRT is read by that version on that GPU only: {build}"


class ICudaEngine(Api):
    """A loaded engine, by numbers and by names. Unknown ones give what TensorRT gives, and a logged error."""

    name = "Unnamed Network 0"
    max_batch_size = 1  # the batch is a dimension of the tensors
    has_implicit_batch_dimension = False
    refittable = False
    num_aux_streams = 0
    engine_capability = EngineCapability.STANDARD
    hardware_compatibility_level = HardwareCompatibilityLevel.NONE
    profiling_verbosity = ProfilingVerbosity.DETAILED

    def __init__(self, engine: hone.Engine, logger: ILogger) -> None:
        self._engine, self._logger = engine, logger
        metadata = engine.metadata
        self._generation = _generation.of_engine(metadata)
        given = json.loads(metadata.get(SHAPES_KEY, "{}"))
        self._fixed = {name: dims for name, dims in given.items() if -1 not in dims}
        self._shapes = {**given, **(inferred_shapes(engine, given) if given else {})}
        self._slots = [self._slot(index, binding) for index, binding in enumerate(engine.bindings)]
        self._by_name = {slot.name: slot for slot in self._slots}
        self._memory: dict[int, int] = {}

    def _slot(self, index: int, binding: hone.Binding) -> Slot:
        dtype, outside = _generation.presented(binding.dtype, self._generation)
        return Slot(index, binding.name, binding.is_input, tuple(self._shapes.get(binding.name, binding.shape)), dtype,
                    hone.numpy_dtype(outside), hone.numpy_dtype(binding.dtype), binding.is_shape_value)

    def _log(self, severity: Severity, message: str) -> None:
        self._logger.log(severity, message)

    def _find(self, key: int | str, call: str) -> Slot | None:
        """A binding by number or name; None, and a logged error, if there is none."""
        if isinstance(key, str):
            base, _, profile = key.partition(" [profile ")
            slot = self._by_name.get(key) or (self._by_name.get(base) if profile else None)
            if slot is None:
                names = ", ".join(f"'{name}'" for name in self._by_name)
                self._log(Severity.ERROR, f"{call}: there is no tensor '{key}'; the engine has {names}")
            return slot
        index = operator.index(key)
        if 0 <= index < self.num_bindings:
            return self._slots[index % len(self._slots)]
        self._log(Severity.ERROR, f"{call}: there is no binding {index}; the engine has {self.num_bindings}, from 0 on")
        return None

    # Bindings by number

    @property
    def num_bindings(self) -> int:
        """Before TensorRT 10 each profile has bindings of its own."""
        return len(self._slots) * (max(1, self._engine.num_profiles) if self._generation < 10 else 1)

    def __len__(self) -> int:
        return self.num_bindings

    def __getitem__(self, key: int | str) -> str | int:
        """The name of a number (IndexError beyond the last), the number of a name (-1 if there is none)."""
        if isinstance(key, str):
            return self.get_binding_index(key)
        index = operator.index(key)
        index += len(self) if index < 0 else 0
        if not 0 <= index < len(self):
            raise IndexError(f"binding {key}: the engine has {len(self)}")
        return self.get_binding_name(index)

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def get_binding_name(self, index: int) -> str | None:
        slot = self._find(index, "get_binding_name")
        if slot is None:
            return None
        profile = index // len(self._slots)
        return f"{slot.name} [profile {profile}]" if profile else slot.name

    def get_binding_index(self, name: str) -> int:
        slot = self._find(name, "get_binding_index")
        if slot is None:
            return -1
        _, _, profile = ("", "", "") if name in self._by_name else name.partition(" [profile ")
        return slot.index + len(self._slots) * (int(profile.rstrip("]")) if profile else 0)

    def binding_is_input(self, key: int | str) -> bool:
        slot = self._find(key, "binding_is_input")
        return slot is not None and slot.is_input

    def get_binding_dtype(self, key: int | str) -> DataType:
        slot = self._find(key, "get_binding_dtype")
        return DataType.FLOAT if slot is None else slot.dtype

    def get_binding_shape(self, key: int | str) -> Dims:
        slot = self._find(key, "get_binding_shape")
        return Dims() if slot is None else Dims(slot.shape)

    def get_location(self, key: int | str) -> TensorLocation:
        slot = self._find(key, "get_location")
        return TensorLocation.HOST if slot is not None and slot.is_shape_value else TensorLocation.DEVICE

    def get_binding_format(self, key: int | str) -> TensorFormat:
        self._find(key, "get_binding_format")
        return TensorFormat.LINEAR

    def get_binding_format_desc(self, key: int | str) -> str:
        slot = self._find(key, "get_binding_format_desc")
        return "" if slot is None else f"Row major linear {slot.dtype.name} format"

    def get_binding_vectorized_dim(self, key: int | str) -> int:
        """-1: no tensor is vectorized."""
        self._find(key, "get_binding_vectorized_dim")
        return -1

    get_binding_bytes_per_component = get_binding_components_per_element = get_binding_vectorized_dim

    def is_shape_binding(self, binding: int | str) -> bool:
        slot = self._find(binding, "is_shape_binding")
        return slot is not None and slot.is_shape_value

    def is_execution_binding(self, binding: int | str) -> bool:
        return self._find(binding, "is_execution_binding") is not None

    # Tensors by name

    @property
    def num_io_tensors(self) -> int:
        return len(self._slots)

    def get_tensor_name(self, index: int) -> str | None:
        slot = self._find(index, "get_tensor_name")
        return None if slot is None else slot.name

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        slot = self._find(name, "get_tensor_mode")
        if slot is None:
            return TensorIOMode.NONE
        return TensorIOMode.INPUT if slot.is_input else TensorIOMode.OUTPUT

    get_tensor_dtype = get_binding_dtype
    get_tensor_shape = get_binding_shape
    get_tensor_location = get_location
    is_shape_inference_io = is_shape_binding

    def get_tensor_format(self, name: str, profile_index: int = 0) -> TensorFormat:
        return self.get_binding_format(name)

    def get_tensor_format_desc(self, name: str, profile_index: int = 0) -> str:
        return self.get_binding_format_desc(name)

    def get_tensor_vectorized_dim(self, name: str, profile_index: int = 0) -> int:
        return self.get_binding_vectorized_dim(name)

    get_tensor_bytes_per_component = get_tensor_components_per_element = get_tensor_vectorized_dim

    # Profiles

    @property
    def num_optimization_profiles(self) -> int:
        """At least 1: an engine without one has an open profile."""
        return max(1, self._engine.num_profiles)

    def _range(self, profile: int, slot: Slot) -> tuple[tuple[int, ...], ...]:
        """The smallest, best and largest shape. An open dimension goes from 1 to OPEN."""
        ranges = None if slot.is_shape_value else self._engine.profile_range(profile, slot.name)
        if ranges is not None:
            return tuple(map(tuple, ranges))
        return tuple(tuple(bound if dim < 0 else dim for dim in slot.shape) for bound in (1, 1, OPEN))

    def get_profile_shape(self, profile_index: int, binding: int | str) -> list[Dims]:
        """The smallest, best and largest shape of an input."""
        slot = self._find(binding, "get_profile_shape")
        if slot is None or not self._is_profile(profile_index, "get_profile_shape"):
            return []
        if not slot.is_input:
            self._log(Severity.ERROR, f"get_profile_shape: {slot} has no range of its own; only inputs have")
            return []
        return [Dims(shape) for shape in self._range(profile_index, slot)]

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[Dims]:
        return self.get_profile_shape(profile_index, name)

    def get_profile_shape_input(self, profile_index: int, binding: int | str) -> list[list[int]]:
        """The smallest, best and largest contents of an input that decides shapes. Raises RuntimeError for others."""
        slot = self._find(binding, "get_profile_shape_input")
        if slot is None or not slot.is_shape_value:
            raise RuntimeError(f"Binding {binding} does not correspond to an input shape tensor.")
        if not self._is_profile(profile_index, "get_profile_shape_input"):
            return []
        ranges = self._engine.profile_range(profile_index, slot.name)
        return [] if ranges is None else [list(values) for values in ranges]

    def get_tensor_profile_values(self, name: str, profile_index: int) -> list[list[int]]:
        return self.get_profile_shape_input(profile_index, name)

    def _is_profile(self, profile: int, call: str) -> bool:
        if 0 <= profile < self.num_optimization_profiles:
            return True
        count = self.num_optimization_profiles
        self._log(Severity.ERROR, f"{call}: there is no profile {profile}; the engine has {count}, from 0 on")
        return False

    # The whole

    @property
    def num_layers(self) -> int:
        """Layers after fusion."""
        return len(self._engine.layers(0))

    @property
    def device_memory_size(self) -> int:
        """Bytes of scratch memory that a context needs for the largest shapes of the profile that needs most."""
        return max(map(self.get_device_memory_size_for_profile, range(self.num_optimization_profiles)))

    device_memory_size_v2 = device_memory_size

    def get_device_memory_size_for_profile(self, profile_index: int) -> int:
        """The same of one profile; open dimensions count as 1. 0 where the contents of inputs decide."""
        if not self._is_profile(profile_index, "get_device_memory_size_for_profile"):
            return 0
        if profile_index not in self._memory:
            self._memory[profile_index] = self._measured_memory(profile_index)
        return self._memory[profile_index]

    get_device_memory_size_for_profile_v2 = get_device_memory_size_for_profile

    def _measured_memory(self, profile: int) -> int:
        try:
            context = self._engine.create_context()
            if self._engine.num_profiles:
                context.set_profile(profile)
            for slot in self._slots:
                largest = [1 if dim == OPEN else dim for dim in self._range(profile, slot)[2]]
                if slot.is_shape_value:
                    values = self._engine.profile_range(profile, slot.name)
                    contents = np.array(values[2] if values else 1, slot.inside)
                    context.set_input_value(slot.name, contents.reshape(largest))
                elif slot.is_input and -1 in self._engine.bindings[slot.index].shape:
                    context.set_input_shape(slot.name, largest)
            context.prepare()
            return context.memory_bytes
        except (hone.Error, ValueError) as error:
            self._log(Severity.VERBOSE, f"the memory of profile {profile} isn't known before shapes are set: {error}")
            return 0

    def serialize(self) -> IHostMemory:
        return IHostMemory(self._engine.serialize())

    def create_execution_context(
            self, strategy: ExecutionContextAllocationStrategy = ExecutionContextAllocationStrategy.STATIC
    ) -> IExecutionContext | None:
        """A new context, whose memory grows with its shapes; None, and a logged error, on failure."""
        try:
            return IExecutionContext(self)
        except hone.Error as error:
            self._log(Severity.ERROR, f"no execution context: {error}")
            return None

    def create_execution_context_without_device_memory(self) -> IExecutionContext | None:
        """As create_execution_context(): the memory that the program gives then isn't used."""
        return self.create_execution_context()

    def create_engine_inspector(self) -> "EngineInspector":
        return EngineInspector(self)


class EngineInspector(Api):
    """Layers as text or JSON."""

    execution_context = None

    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine

    def get_layer_information(self, layer_index: int, format: LayerInformationFormat) -> str:  # noqa: A002
        layers = self._engine._engine.layers(0)
        if not 0 <= layer_index < len(layers):
            self._engine._log(Severity.ERROR, f"there is no layer {layer_index}; the engine has {len(layers)}")
            return ""
        layer = layers[layer_index]
        if format == LayerInformationFormat.ONELINE:
            return f"{layer.name}: {layer.op} by {layer.kernel} -> {', '.join(layer.outputs)}\n"
        return json.dumps({"Name": layer.name, "LayerType": layer.op, "TacticName": layer.kernel,
                           "Outputs": list(layer.outputs)})

    def get_engine_information(self, format: LayerInformationFormat) -> str:  # noqa: A002
        parts = [self.get_layer_information(index, format) for index in range(self._engine.num_layers)]
        if format == LayerInformationFormat.ONELINE:
            return "".join(parts)
        bindings = [slot.name for slot in self._engine._slots]
        return json.dumps({"Layers": [json.loads(part) for part in parts], "Bindings": bindings})
