import os
from collections.abc import Callable, Sequence

import numpy as np

__version__: str

class Binding:
    """One input or output of an engine."""

    @property
    def name(self) -> str: ...
    @property
    def is_input(self) -> bool: ...
    @property
    def dtype(self) -> str:
        """"float32", "float16", "bfloat16", "int64", "bool", ..."""
    @property
    def shape(self) -> tuple[int, ...]:
        """-1: decided when shapes are set, or by the data."""
    @property
    def dim_names(self) -> list[str]:
        """"N", "floordiv(H, 2)"; the number itself for fixed dimensions."""
    @property
    def is_shape_value(self) -> bool:
        """An input whose contents decide shapes: give it by Context.set_input_value()."""

class LayerInfo:
    """One step of an engine."""

    @property
    def name(self) -> str:
        """The node's name in the model."""
    @property
    def op(self) -> str: ...
    @property
    def kernel(self) -> str: ...
    @property
    def backend(self) -> str: ...
    @property
    def outputs(self) -> list[str]:
        """"name float32[N,64,80,80]"."""
    @property
    def weight_bytes(self) -> int: ...
    @property
    def shape_stage(self) -> bool:
        """Runs when shapes are set, not in run()."""

class LayerTime:
    """What one run of one step took."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> str: ...
    @property
    def kernel(self) -> str: ...
    @property
    def time_us(self) -> float: ...

class Context:
    """One caller's run of an engine; use by two threads at once raises hone.Runtime. Keeps its engine alive.

    Order of use: set_input_shape and set_input_value for whatever isn't fixed, set_tensor for inputs and for those
    outputs that should go to the caller's arrays, run(), output(). Shapes stay set from run to run.
    """

    def set_profile(self, profile: int) -> None:
        """Which profile's plan runs; shapes are forgotten."""
    @property
    def profile(self) -> int: ...
    def set_input_shape(self, name: str, dims: Sequence[int]) -> None: ...
    def set_input_value(self, name: str, value: np.ndarray) -> None:
        """Contents of an input that decides shapes; copied. Its shape is set with it."""
    def set_tensor(self, name: str, array: np.ndarray) -> None:
        """The array for an input or output, which stays bound, and alive, until changed.

        An input's array is read in place by each run, or copied now where it isn't contiguous; its shape is set, too.
        An output's must be contiguous and writable, with room for the result.
        """
    def set_address(self, name: str, address: int) -> None:
        """Like set_tensor, without a shape: the memory's size and life are the caller's promise."""
    def clear_tensor(self, name: str) -> None:
        """Unbinds; an output then goes to memory of the context."""
    def prepare(self) -> None:
        """Computes and checks all shapes, plans and grows the memory; run() does it when shapes changed."""
    def run(self) -> None: ...
    def shape(self, name: str) -> tuple[int, ...]:
        """Of inputs as set; of outputs after prepare(), -1 where the data decides, until run()."""
    def missing_inputs(self) -> list[str]:
        """Inputs whose shape or value isn't set yet."""
    def output(self, name: str) -> np.ndarray:
        """A copy of the last run's result."""
    def enable_profiling(self, on: bool) -> None:
        """Times every step of the following runs."""
    def last_profile(self) -> list[LayerTime]: ...
    @property
    def memory_bytes(self) -> int: ...

class Engine:
    """A loaded engine; threads may share it."""

    @property
    def bindings(self) -> list[Binding]:
        """Inputs first, in the model's order."""
    @property
    def inputs(self) -> list[Binding]: ...
    @property
    def outputs(self) -> list[Binding]: ...
    @property
    def num_profiles(self) -> int:
        """0: a single open one, any shape goes."""
    @property
    def metadata(self) -> dict[str, str]:
        """The model's key-value pairs, those given to build(), and "hone.*" about the build."""
    @property
    def weight_bytes(self) -> int: ...
    @property
    def target(self) -> str:
        """What it was built for, in words."""
    @property
    def graph_text(self) -> str:
        """The canonical graph."""
    @property
    def report(self) -> str:
        """The build's report in JSON; empty for an engine that was loaded."""
    def profile_range(self, profile: int, name: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None:
        """(min, opt, max) of an input's dimensions, or of its elements for shape values; None where it is open."""
    def layers(self, profile: int = 0) -> list[LayerInfo]: ...
    def create_context(self) -> Context: ...
    def serialize(self) -> bytes:
        """The engine file."""
    def save(self, path: str | os.PathLike) -> None:
        """Writes the engine file as a whole: the old one or the new one is there, never half of it."""
    def __call__(self, *inputs: np.ndarray | dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs the model on {name: array}, or on arrays in the order of `inputs`; the outputs are fresh arrays by name.

        Arrays are read in place where they are contiguous, else copied; their types must be the bindings'. Threads may
        call at the same time: each call has a context of its own, and the interpreter is free while the engine works.
        """

def build(model: str | os.PathLike | bytes, path: str | os.PathLike | None,
          profiles: Sequence[dict[str, tuple[Sequence[int], Sequence[int], Sequence[int]]]], tune: bool, threads: int,
          device: str, metadata: dict[str, str], base_dir: str, log: Callable[[str], object] | None,
          progress: Callable[[str, int, int], object] | None) -> Engine:
    """hone.build() with every argument spelled out."""

def load(source: str | os.PathLike | bytes, threads: int, log: Callable[[str], object] | None) -> Engine:
    """hone.load() with every argument spelled out."""

def open_model(path: str | os.PathLike, tune: bool, threads: int, use_cache: bool, log: Callable[[str], object] | None,
               progress: Callable[[str, int, int], object] | None) -> Engine:
    """hone.open_model() with every argument spelled out."""

def numpy_dtype(name: str) -> np.dtype:
    """NumPy's dtype for a Binding's dtype. bfloat16: that of ml_dtypes where it can be imported, else uint16.

    Raises hone.InvalidArgument for unknown names, hone.Unsupported where NumPy has no such type.
    """
