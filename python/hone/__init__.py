"""Hone: builds engines from ONNX models and runs them.

    engine = hone.build("model.onnx", "model.hone")     # or hone.load("model.hone")
    outputs = engine({"images": array})                 # {name: array}

`Engine` may be shared by threads; a `Context` belongs to one caller at a time. Errors are subclasses of `hone.Error`
with the engine's own message.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Union

from hone import _hone
from hone._errors import (Accuracy, Cancelled, CorruptEngine, Error, IncompatibleEngine, InvalidArgument, InvalidModel,
                          NotFound, Resource, Runtime, Unsupported)
from hone._hone import Binding, Context, Engine, LayerInfo, LayerTime, __version__, numpy_dtype

__all__ = [
    "Accuracy", "Binding", "Cancelled", "Context", "CorruptEngine", "Engine", "Error", "IncompatibleEngine",
    "InvalidArgument", "InvalidModel", "LayerInfo", "LayerTime", "NotFound", "Resource", "Runtime", "Unsupported",
    "__version__", "build", "load", "numpy_dtype", "open_model",
]

Path = Union[str, os.PathLike]
Dims = Sequence[int]
# One profile: {input: shape} or {input: (min, opt, max)}.
Shapes = Mapping[str, Union[Dims, tuple[Dims, Dims, Dims]]]


def build(model: Path | bytes, path: Path | None = None, *, shapes: Shapes | Sequence[Shapes] | None = None,
          tune: bool = True, threads: int = 0, device: str = "cpu", metadata: Mapping[str, str] | None = None,
          base_dir: str = "", log: Callable[[str], object] | None = None,
          progress: Callable[[str, int, int], object] | None = None) -> Engine:
    """Builds an engine for this machine from an ONNX model.

    model: a path, or the bytes of an ONNX file (whose external data, if any, lies in `base_dir`).
    path: the engine is saved there, too; an old file is replaced as a whole.
    shapes: the allowed shapes of inputs: {name: shape} or {name: (min, opt, max)}; a list of those gives one profile
        each. For inputs whose contents decide shapes they are the ranges of the elements. What isn't listed is open.
    tune: whether kernels are chosen by measuring them; False builds faster.
    threads: CPU threads; 0: as many as the process may use.
    device: "cpu", or "reference" (plain loops only).
    metadata: kept in the engine beside the model's own key-value pairs.
    log: called with each warning, one line; progress: with the stage, the steps done and their total.

    Raises NotFound, InvalidModel, Unsupported (names all unsupported operators), InvalidArgument or Resource.
    """
    return _hone.build(model, path, _profiles(shapes), tune, threads, device, dict(metadata or {}), os.fspath(base_dir),
                       log, progress)


def load(source: Path | bytes, *, threads: int = 0, log: Callable[[str], object] | None = None) -> Engine:
    """Loads an engine file, from its path or its bytes.

    An engine for another kind of machine is compiled anew from its portable part, without tuning; `log` is told so.
    Raises NotFound, CorruptEngine or IncompatibleEngine.
    """
    return _hone.load(source, threads, log)


def open_model(path: Path, *, tune: bool = True, threads: int = 0, cache: bool = True,
               log: Callable[[str], object] | None = None,
               progress: Callable[[str, int, int], object] | None = None) -> Engine:
    """Loads an engine file, or an ONNX file's engine from the cache folder, where it is built the first time.

    The folder is $XDG_CACHE_HOME/hone or ~/.cache/hone, shared with the `hone` command; without `cache` the engine is
    built anew and not kept. The other arguments are those of build(). Raises what build() and load() raise.
    """
    return _hone.open_model(path, tune, threads, cache, log, progress)


def _profiles(shapes) -> list[dict[str, tuple]]:
    if shapes is None:
        return []
    listed = [shapes] if isinstance(shapes, Mapping) else shapes
    return [{name: _range(name, dims) for name, dims in profile.items()} for profile in listed]


def _range(name: str, dims) -> tuple[list[int], list[int], list[int]]:
    """(min, opt, max) from either way to write it."""
    items = list(dims)
    if not any(isinstance(item, (Sequence, Mapping)) or hasattr(item, "__len__") for item in items):
        shape = [int(item) for item in items]
        return shape, shape, shape
    if len(items) != 3:
        raise InvalidArgument(f"input '{name}': give a shape or three of them (min, opt, max), not {dims!r}")
    low, opt, high = ([int(dim) for dim in item] for item in items)
    return low, opt, high
