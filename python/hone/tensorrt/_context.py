"""IExecutionContext: shapes and runs, by bindings' numbers (TensorRT 7 to 9) and by tensors' names (8.5 and later)."""

import math
import operator
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import hone

from .._pycuda import _memory
from ._api import Api, Extensible
from ._buffers import BadBuffer, Buffers, Slot
from ._logger import IProfiler
from ._types import Dims, ProfilingVerbosity, Severity

if TYPE_CHECKING:
    from ._engine import ICudaEngine

# Where an open profile has no bound: what get_profile_shape() gives as the largest dimension. As a shape it means one.
OPEN = 2**31 - 1


class IOutputAllocator(Extensible):
    """Derive from it for outputs whose size the data decides: it gives memory after the run."""

    def reallocate_output(self, tensor_name: str, memory: int, size: int, alignment: int) -> int:
        """Returns the address of `size` bytes; `memory` is the address set before, or 0."""
        raise NotImplementedError(f"{type(self).__name__} needs reallocate_output(tensor_name, memory, size, align)")

    def notify_shape(self, tensor_name: str, shape: Dims) -> None:
        """Told the shape that the memory will hold."""
        raise NotImplementedError(f"{type(self).__name__} needs notify_shape(tensor_name, shape)")


def address_of(value: Any, what: str) -> int:
    """The address of anything with __int__ or __index__ but floats. Raises TypeError for anything else."""
    try:
        if not isinstance(value, (float, np.floating, str)):
            return int(value)
    except TypeError:
        pass
    raise TypeError(f"{what} is a {type(value).__name__}, not an address: pass an int or an object that int() takes, "
                    "such as a DeviceAllocation or array.ctypes.data")


def addresses_of(bindings: Iterable[Any]) -> list[int]:
    """address_of() each; None is null."""
    return [0 if binding is None else address_of(binding, f"bindings[{index}]")
            for index, binding in enumerate(bindings)]


class IExecutionContext(Api):
    """One caller's shapes and buffers. On a CPU every call is done when it returns; streams are ignored."""

    name = ""
    debug_sync = False
    enqueue_emits_profile = True
    nvtx_verbosity = ProfilingVerbosity.LAYER_NAMES_ONLY
    persistent_cache_limit = 0
    device_memory = 0  # kept; a context has memory of its own

    def __init__(self, engine: "ICudaEngine") -> None:
        self._owner = engine
        self._slots: list[Slot] = engine._slots
        self._context = engine._engine.create_context()
        self._buffers = Buffers(self._slots, self._context)
        self._run = self._context.run
        self._lock = threading.Lock()
        self._profiler: IProfiler | None = None
        self._named = [0] * len(self._slots)
        self._values: dict[int, np.ndarray] = {}  # of inputs whose contents decide shapes
        self._given: set[int] = set()  # those given by set_shape_input()
        self._value_slots = [slot for slot in self._slots if slot.is_shape_value]
        self._warned: set[str] = set()
        self._shapes: list[tuple[int, ...]] = []
        self._forget_shapes()

    engine = property(lambda self: self._owner)

    def _forget_shapes(self) -> None:
        self._dims: dict[int, tuple[int, ...]] = {}
        self._values.clear()
        self._given.clear()
        self._changed()
        for name, dims in self._owner._fixed.items():
            self._context.set_input_shape(name, list(dims))

    def _changed(self) -> None:
        self._prepared = False
        self._bound: list[int] | None = None

    def _fail(self, message: str) -> bool:
        self._owner._log(Severity.ERROR, message)
        return False

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._owner._log(Severity.WARNING, message)

    # Shapes

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        slot = self._owner._find(name, "set_input_shape")
        return slot is not None and self._set_shape(slot, tuple(map(operator.index, shape)))

    def set_binding_shape(self, binding: int, shape: Sequence[int]) -> bool:
        slot = self._owner._find(binding, "set_binding_shape")
        return slot is not None and self._set_shape(slot, tuple(map(operator.index, shape)))

    def _set_shape(self, slot: Slot, dims: tuple[int, ...]) -> bool:
        if self._dims.get(slot.index) == dims:
            return True
        problem = self._problem_with(slot, dims)
        if problem:
            return self._fail(f"{slot}: shape {dims} {problem}")
        if OPEN in dims:
            dims = tuple(1 if dim == OPEN else dim for dim in dims)
            self._warn_once(f"{slot}: the engine's profile is open, it has no largest shape; {dims} is taken. Set the "
                            "shape you need, or build with --minShapes, --optShapes and --maxShapes")
        try:
            self._context.set_input_shape(slot.name, list(dims))
        except hone.Error as error:
            return self._fail(str(error))
        self._dims[slot.index] = dims
        self._values.pop(slot.index, None)
        self._changed()
        return True

    def _problem_with(self, slot: Slot, dims: tuple[int, ...]) -> str | None:
        if not slot.is_input:
            return "can't be set: it follows from the inputs"
        if len(dims) != len(slot.shape):
            return f"has {len(dims)} dimensions; the engine's {slot.shape} has {len(slot.shape)}"
        if not all(0 <= dim < 2**63 and fixed in (dim, -1) for dim, fixed in zip(dims, slot.shape)):
            return f"doesn't fit the engine's {slot.shape}: only its -1 may be chosen, from 0 up"
        allowed = None if slot.is_shape_value else self._owner._engine.profile_range(self._context.profile, slot.name)
        if allowed and not all(low <= dim <= high for low, dim, high in zip(allowed[0], dims, allowed[2])):
            return (f"is outside of profile {self._context.profile}: {tuple(allowed[0])} to {tuple(allowed[2])}. "
                    "Choose another profile, or build the engine with a wider one")
        return None

    def get_tensor_shape(self, name: str) -> Dims:
        slot = self._owner._find(name, "get_tensor_shape")
        return Dims() if slot is None else Dims(self._shape(slot))

    def get_binding_shape(self, binding: int) -> Dims:
        slot = self._owner._find(binding, "get_binding_shape")
        return Dims() if slot is None else Dims(self._shape(slot))

    def _shape(self, slot: Slot) -> tuple[int, ...]:
        if slot.is_input:
            return self._dims.get(slot.index, slot.shape)
        if -1 not in slot.shape:
            return slot.shape
        try:
            self._read_values(self._named, True)
            if not self._prepared and self._context.missing_inputs():
                return slot.shape
            self._prepare()
            return self._context.shape(slot.name)
        except (hone.Error, BadBuffer) as error:
            self._fail(str(error))
            return slot.shape

    def get_max_output_size(self, name: str) -> int:
        """Bytes of an output; -1, and a logged error, where the data decides them or shapes aren't set."""
        slot = self._owner._find(name, "get_max_output_size")
        if slot is None:
            return -1
        shape = self._shape(slot)
        if -1 in shape:
            self._fail(f"{slot}: its size {shape} isn't known. Set the inputs' shapes; where the data decides, use "
                       "set_output_allocator()")
            return -1
        return slot.outside.itemsize * math.prod(shape)

    def get_tensor_strides(self, name: str) -> Dims:
        """In elements; all tensors are packed, the last dimension fastest."""
        strides, step = [], 1
        for dim in reversed(self.get_tensor_shape(name)):
            strides.insert(0, step)
            step *= dim
        return Dims(strides)

    def get_strides(self, binding: int) -> Dims:
        slot = self._owner._find(binding, "get_strides")
        return Dims() if slot is None else self.get_tensor_strides(slot.name)

    def set_shape_input(self, binding: int, shape: Sequence[int]) -> bool:
        """Contents of an input that decides shapes; its buffer isn't read from then on."""
        slot = self._owner._find(binding, "set_shape_input")
        if slot is None:
            return False
        if not slot.is_shape_value:
            return self._fail(f"{slot}: its contents decide no shapes; call set_binding_shape() for its own shape")
        value = np.array(shape, slot.inside)
        try:
            self._set_value(slot, value if len(slot.shape) == value.ndim else value.reshape([1] * len(slot.shape)))
        except (hone.Error, ValueError) as error:
            return self._fail(f"{slot}: {error}")
        self._given.add(slot.index)
        return True

    def get_shape(self, binding: int) -> list[int]:
        """What set_shape_input() gave."""
        slot = self._owner._find(binding, "get_shape")
        if slot is None or slot.index not in self._values:
            raise RuntimeError("Error in get shape bindings: give the contents by set_shape_input() first")
        return self._values[slot.index].ravel().tolist()

    def _set_value(self, slot: Slot, value: np.ndarray) -> None:
        self._context.set_input_value(slot.name, value)
        self._values[slot.index] = value
        self._dims[slot.index] = value.shape
        self._changed()

    def _read_values(self, addresses: list[int], lenient: bool) -> None:
        """Reads inputs whose contents decide shapes from their buffers. `lenient`: what has no buffer is left alone."""
        for slot in self._value_slots:
            address = addresses[slot.index]
            if slot.index in self._given or lenient and not address:
                continue
            shape = self._dims.get(slot.index, slot.shape)
            if -1 in shape:
                raise BadBuffer(f"{slot}: its shape isn't set. Call set_input_shape() before its contents are read")
            self._buffers.check(slot, address, shape)
            value = _memory.array_at(address, slot.outside, shape).astype(slot.inside)
            known = self._values.get(slot.index)
            if known is None or not np.array_equal(known, value):
                self._set_value(slot, value)

    def infer_shapes(self) -> list[str]:
        """Names of the inputs whose shape or contents are missing. Raises RuntimeError for impossible shapes."""
        try:
            self._read_values(self._named, True)
            missing = self._context.missing_inputs()
            if not missing:
                self._prepare()
            return missing
        except (hone.Error, BadBuffer) as error:
            self._fail(str(error))
            raise RuntimeError(str(error)) from error

    @property
    def all_binding_shapes_specified(self) -> bool:
        values = {slot.name for slot in self._value_slots}
        return not set(self._context.missing_inputs()) - values

    @property
    def all_shape_inputs_specified(self) -> bool:
        return all(slot.index in self._values or self._named[slot.index] for slot in self._value_slots)

    # Profiles

    @property
    def active_optimization_profile(self) -> int:
        return self._context.profile

    @active_optimization_profile.setter
    def active_optimization_profile(self, profile_index: int) -> None:
        self.set_optimization_profile_async(profile_index, 0)

    def set_optimization_profile_async(self, profile_index: int, stream_handle: Any = 0) -> bool:
        """Forgets all shapes. Raises RuntimeError if there is no such profile."""
        profiles = self._owner.num_optimization_profiles
        if not 0 <= profile_index < profiles:
            message = f"profile {profile_index}: the engine has {profiles}, counted from 0"
            self._fail(message)
            raise RuntimeError(f"Error in set optimization profile: {message}")
        try:
            if self._owner._engine.num_profiles:
                self._context.set_profile(profile_index)
        except hone.Error as error:
            self._fail(str(error))
            raise RuntimeError(f"Error in set optimization profile: {error}") from error
        self._forget_shapes()
        return True

    # Buffers

    def set_tensor_address(self, name: str, memory: Any) -> bool:
        slot = self._owner._find(name, "set_tensor_address")
        if slot is None:
            return False
        self._named[slot.index] = address_of(memory, f"the address of tensor '{name}'")
        return True

    set_input_tensor_address = set_tensor_address

    def get_tensor_address(self, name: str) -> int:
        slot = self._owner._find(name, "get_tensor_address")
        return 0 if slot is None else self._named[slot.index]

    def set_device_memory(self, memory: Any, size: int) -> None:
        self.device_memory = address_of(memory, "the device memory")

    def set_output_allocator(self, name: str, output_allocator: IOutputAllocator | None) -> bool:
        slot = self._owner._find(name, "set_output_allocator")
        if slot is None or slot.is_input:
            return self._fail(f"'{name}' is no output") if slot else False
        if output_allocator is None:
            self._buffers.allocators.pop(slot.index, None)
        else:
            self._buffers.allocators[slot.index] = output_allocator
        self._bound = None
        return True

    def get_output_allocator(self, name: str) -> IOutputAllocator | None:
        slot = self._owner._find(name, "get_output_allocator")
        return None if slot is None else self._buffers.allocators.get(slot.index)

    # Runs

    def execute_v2(self, bindings: Sequence[Any]) -> bool:
        """Runs with one address for each binding, in the order of their numbers."""
        try:
            addresses = list(map(int, bindings))
        except (TypeError, ValueError):
            addresses = addresses_of(bindings)
        return self._execute(addresses)

    def execute_async_v2(self, bindings: Sequence[Any], stream_handle: Any, input_consumed: Any = None) -> bool:
        return self.execute_v2(bindings)

    def execute_async_v3(self, stream_handle: Any) -> bool:
        """Runs with the addresses of set_tensor_address()."""
        return self._execute(self._named)

    def execute(self, batch_size: int = 1, bindings: Sequence[Any] = ()) -> bool:
        if batch_size != 1:
            return self._fail(f"batch_size {batch_size}: this engine's batch is a dimension of its tensors. Pass 1, "
                              "and set shapes")
        return self.execute_v2(bindings)

    def execute_async(self, batch_size: int = 1, bindings: Sequence[Any] = (), stream_handle: Any = 0,
                      input_consumed: Any = None) -> bool:
        return self.execute(batch_size, bindings)

    def _execute(self, addresses: list[int]) -> bool:
        if not self._lock.acquire(blocking=False):
            return self._fail("the execution context is in use by another thread; create one context for each thread")
        try:
            if self._value_slots:
                addresses = self._for_profile(addresses)
                self._read_values(addresses, False)
            if addresses != self._bound or self._buffers.freed != _memory.freed:
                self._bind(addresses)
            if self._buffers.idle:
                self._run()
            else:
                self._run_converted()
            if self._profiler is not None and self.enqueue_emits_profile:
                self.report_to_profiler()
            return True
        except (hone.Error, BadBuffer) as error:
            return self._fail(str(error))
        finally:
            self._lock.release()

    def _run_converted(self) -> None:
        self._buffers.before_run()
        self._run()
        for name in self._buffers.after_run():
            self._warn_once(f"output '{name}' has values that don't fit the type it is bound as; they became the "
                            "nearest that do. HONE_TENSORRT_GENERATION=10 binds int64 as it is")

    def _for_profile(self, addresses: list[int]) -> list[int]:
        """The addresses of this profile's bindings. Before TensorRT 10 each profile has bindings of its own."""
        count = len(self._slots)
        if len(addresses) == count:
            return addresses
        if len(addresses) == self._owner.num_bindings:
            first = self._context.profile * count
            return addresses[first : first + count]
        names = ", ".join(f"'{slot.name}'" for slot in self._slots)
        raise BadBuffer(f"{len(addresses)} addresses were given; the engine has {count} bindings: {names}. Pass one "
                        "for each, in this order")

    def _bind(self, given: list[int]) -> None:
        self._bound = None
        addresses = self._for_profile(given)
        if not self._prepared and (missing := self._context.missing_inputs()):
            names = ", ".join(f"'{name}' {self._owner._by_name[name].shape}" for name in missing)
            raise BadBuffer(f"the shape of input {names} isn't set. Call context.set_input_shape(name, shape), or "
                            "set_binding_shape(index, shape), before the run")
        self._prepare()
        self._buffers.bind(addresses, self._shapes)
        self._bound = list(given)

    def _prepare(self) -> None:
        if not self._prepared:
            self._context.prepare()
            # Now -1 stands where the data decides; after a run its result does.
            self._shapes = [self._context.shape(slot.name) for slot in self._slots]
            self._prepared = True

    # Times of layers

    @property
    def profiler(self) -> IProfiler | None:
        return self._profiler

    @profiler.setter
    def profiler(self, profiler: IProfiler | None) -> None:
        self._context.enable_profiling(profiler is not None)
        self._profiler = profiler

    def report_to_profiler(self) -> bool:
        """Hands the last run's times, one for each layer, to the profiler."""
        if self._profiler is None:
            return self._fail("there is no profiler: assign context.profiler first")
        for layer in self._context.last_profile():
            self._profiler.report_layer_time(layer.name, layer.time_us / 1e3)
        return True
