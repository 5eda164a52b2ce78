"""Reads PyTorch's checkpoint files (.pt, .pth) without running anything that they contain.

A checkpoint is a pickle, and a pickle is a program. Here its classes become inert stand-ins, tensors are rebuilt by our
own code, and a call of anything else is refused. Both of PyTorch's formats are read: the archive (since 1.6) and the
older sequence of pickles."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

PART_BYTES = 16 << 20  # of the files that `write` makes
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
_MAX_ENTRIES = 100_000  # of a state dict
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class CheckpointError(ValueError):
    """The file isn't a checkpoint that can be read, or doesn't fit the model."""


class _InertType(type):
    """Type of the stand-ins. Unpickling may make instances, which calls nothing; calling the class is refused unless it
    stands for something harmless whose result doesn't matter."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if not cls.may_be_called:
            raise pickle.UnpicklingError(f"it wants to call {cls.__module__}.{cls.__qualname__}, which is refused")
        return cls.__new__(cls)


class StandIn(metaclass=_InertType):
    """An object of a class that isn't known here: its attributes and nothing else."""

    may_be_called = False

    def __new__(cls, *args: Any, **kwargs: Any) -> "StandIn":
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None:
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict):
                self.__dict__.update(part)


class _Function:
    """One of our functions, as pickles may call it; they can't change it."""

    __slots__ = ("_call",)

    def __init__(self, call: Any) -> None:
        object.__setattr__(self, "_call", call)

    def __setattr__(self, name: str, value: Any) -> None:
        raise pickle.UnpicklingError("it wants to change a function")

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)


class _Storage:
    """Memory that tensors share."""

    def __init__(self, data: torch.Tensor) -> None:
        self.data = data  # 1-D


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> torch.Tensor:
    numbers = (offset, *size, *stride)
    sound = (
        isinstance(storage, _Storage)
        and len(size) == len(stride)
        and all(isinstance(n, int) and n >= 0 for n in numbers)
    )
    if not sound:
        raise pickle.UnpicklingError("a tensor is described wrongly")
    count, last = 1, offset
    for length, step in zip(size, stride):
        count *= length
        last += (length - 1) * step
    if count > storage.data.numel() or (count > 0 and last >= storage.data.numel()):
        raise pickle.UnpicklingError(
            f"a tensor of shape {list(size)} doesn't lie in its memory of {storage.data.numel()} elements"
        )
    return storage.data.as_strided(tuple(size), tuple(stride), offset)


def _rebuild_parameter(data: Any, *_: Any) -> torch.Tensor:
    if not isinstance(data, torch.Tensor):
        raise pickle.UnpicklingError("a parameter isn't a tensor")
    return data


def _rebuild_from_type(function: Any, _type: Any, args: Any, _state: Any) -> torch.Tensor:
    if not isinstance(function, _Function):
        raise pickle.UnpicklingError("a tensor is made by an unknown function")
    return function(*args)


def _reconstruct_object(cls: Any, *_: Any) -> StandIn:
    if not isinstance(cls, _InertType):
        raise pickle.UnpicklingError("an object of a type that isn't a class")
    return cls.__new__(cls)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes are encoded as {encoding}")
    return text.encode("latin1")


_KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): _Function(lambda *_: {}),
    ("collections", "Counter"): _Function(dict),
    ("builtins", "set"): _Function(set),
    ("builtins", "frozenset"): _Function(frozenset),
    ("_codecs", "encode"): _Function(_encode),
    ("copyreg", "_reconstructor"): _Function(_reconstruct_object),
    ("torch", "Size"): _Function(tuple),
    ("torch._utils", "_rebuild_tensor"): _Function(_rebuild_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): _Function(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): _Function(_rebuild_parameter),
    ("torch._utils", "_rebuild_parameter_with_state"): _Function(_rebuild_parameter),
    ("torch._tensor", "_rebuild_from_type_v2"): _Function(_rebuild_from_type),
    **{("torch", name): dtype for name, dtype in _DTYPES.items()},
}
# Calls whose results no weight depends on: NumPy scalars and arrays, paths, methods bound when a model was fused.
_HARMLESS = {
    ("builtins", "getattr"),
    ("torch", "device"),
    ("numpy", "dtype"),
    ("pathlib", "PosixPath"),
    ("pathlib", "WindowsPath"),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
}
_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, storage: Any) -> None:
        super().__init__(file, encoding="utf-8")
        self._storage = storage  # (dtype, key, count) -> _Storage
        self._classes: dict[tuple[str, str], type] = {}

    def find_class(self, module: str, name: str) -> Any:
        key = (_OLD_MODULES.get(module, module), name)
        if key in _KNOWN:
            return _KNOWN[key]
        if key not in self._classes:
            members = {"__module__": module, "may_be_called": key in _HARMLESS}
            self._classes[key] = _InertType(name, (StandIn,), members)
        return self._classes[key]

    def persistent_load(self, pid: Any) -> Any:
        if pid[0] == "module" and isinstance(pid[1], _InertType):  # older files: a class with its source text
            return pid[1]
        kind, dtype, key, _location, count, *view = pid
        sound = kind == "storage" and isinstance(dtype, torch.dtype) and isinstance(count, int) and count >= 0
        if not sound or any(part is not None for part in view):
            raise pickle.UnpicklingError("a tensor's memory is of an unknown kind")
        return self._storage(dtype, str(key), count)


def _bytes_to_tensor(data: bytes, dtype: torch.dtype) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)


def _item_bytes(dtype: torch.dtype) -> int:
    return torch.empty(0, dtype=dtype).element_size()


def _read_archive(file: BinaryIO) -> Any:
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        roots = [name[: -len("data.pkl")] for name in names if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(roots) != 1 or f"{roots[0]}constants.pkl" in names:
            raise CheckpointError("it is an archive, but not a checkpoint of torch.save (TorchScript can't be read)")
        root = roots[0]
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise CheckpointError("it was written on a big-endian machine")
        storages: dict[str, _Storage] = {}

        def storage(dtype: torch.dtype, key: str, count: int) -> _Storage:
            if key not in storages:
                info = archive.getinfo(f"{root}data/{key}")
                if info.compress_type != zipfile.ZIP_STORED or info.file_size != count * _item_bytes(dtype):
                    raise CheckpointError(f"{info.filename} has {info.file_size} bytes, its description says otherwise")
                storages[key] = _Storage(_bytes_to_tensor(archive.read(info), dtype))
            return storages[key]

        with archive.open(f"{root}data.pkl") as pickled:
            return _Unpickler(io.BytesIO(pickled.read()), storage).load()


def _read_legacy(file: BinaryIO) -> Any:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    storages: dict[str, _Storage] = {}

    def storage(dtype: torch.dtype, key: str, count: int) -> _Storage:
        if count * _item_bytes(dtype) > size:
            raise CheckpointError(f"memory of {count} elements doesn't fit into the file")
        return storages.setdefault(key, _Storage(torch.empty(count, dtype=dtype)))

    if _Unpickler(file, storage).load() != _LEGACY_MAGIC:
        raise CheckpointError("it isn't a checkpoint of torch.save")
    if _Unpickler(file, storage).load() != _LEGACY_VERSION:
        raise CheckpointError("it has an unknown version")
    system = _Unpickler(file, storage).load()
    if not isinstance(system, dict) or not system.get("little_endian", True):
        raise CheckpointError("it was written on a big-endian machine")
    value = _Unpickler(file, storage).load()
    for key in _Unpickler(file, storage).load():
        data = storages[str(key)].data
        if int.from_bytes(file.read(8), "little") != data.numel():
            raise CheckpointError(f"memory {key} has another size than described")
        content = file.read(data.numel() * data.element_size())
        if len(content) != data.numel() * data.element_size():
            raise CheckpointError("it ends too early")
        data.copy_(_bytes_to_tensor(content, data.dtype))
    return value


def _open(path: Path) -> BinaryIO:
    parts = sorted(path.parent.glob(f"{path.name}.[0-9][0-9]"))
    if path.exists() or not parts:
        return path.open("rb")
    return io.BytesIO(b"".join(part.read_bytes() for part in parts))


def read(path: str | os.PathLike[str]) -> Any:
    """What a checkpoint holds: plain data, tensors on the CPU, and a StandIn for each object of another class. `path`
    may also be the name that `write` got when it made several parts. Raises CheckpointError or OSError."""
    path = Path(path)
    with _open(path) as file:
        try:
            value = (_read_archive if zipfile.is_zipfile(file) else _read_legacy)(file)
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from None
        except Exception as error:  # whatever a damaged pickle can cause
            raise CheckpointError(
                f"{path}: it can't be read as a checkpoint: {error or type(error).__name__}"
            ) from None
    return value


def weights_of(value: Any) -> Any:
    """The module or state dict within a checkpoint's top level: 'ema' if it holds something, else 'model',
    'model_state' (OpenPCDet) or 'state_dict'; else the value itself."""
    if isinstance(value, Mapping):
        for key in ("ema", "model", "model_state", "state_dict"):
            if value.get(key) is not None:
                return value[key]
    return value


def state_dict(module: Any) -> dict[str, torch.Tensor]:
    """Name -> tensor of a module that was read (its stand-in) or of a state dict. Raises CheckpointError."""
    if isinstance(module, Mapping):
        strangers = [str(name) for name, tensor in module.items() if not isinstance(tensor, torch.Tensor)]
        if strangers or not module:
            raise CheckpointError(
                f"no state dict: not tensors: {', '.join(strangers[:10])}" if strangers else "no weights inside"
            )
        return {str(name): tensor for name, tensor in module.items()}
    if not isinstance(module, StandIn) or not isinstance(vars(module).get("_modules"), Mapping):
        raise CheckpointError("no model and no state dict inside")
    result: dict[str, torch.Tensor] = {}
    for prefix, part in modules(module):
        members = vars(part)
        hidden = members.get("_non_persistent_buffers_set") or ()
        for table in ("_parameters", "_buffers"):
            for name, tensor in (members.get(table) or {}).items():
                if isinstance(tensor, torch.Tensor) and name not in hidden:
                    result[f"{prefix}.{name}" if prefix else str(name)] = tensor
    return result


def modules(module: StandIn) -> Iterator[tuple[str, StandIn]]:
    """A module that was read and all modules within it, each with its name ("model.0.conv"; "" for the first). Raises
    CheckpointError if they are nested without end."""
    waiting = [("", module, 0)]
    for _ in range(_MAX_ENTRIES):
        if not waiting:
            return
        name, part, depth = waiting.pop()
        yield name, part
        children = (vars(part).get("_modules") or {}).items()
        inner = [
            (f"{name}.{key}" if name else str(key), child, depth + 1)
            for key, child in children
            if isinstance(child, StandIn)
        ]
        if depth > 50 and inner:
            break
        waiting.extend(reversed(inner))
    raise CheckpointError("its modules are nested without end")


def load(model: torch.nn.Module, state: Mapping[str, torch.Tensor], source: str) -> None:
    """Copies a state dict into a model, by name. Raises CheckpointError that names every key that is missing, left over
    or of another shape; then the model is unchanged. `source` is what the error calls the state dict."""
    wanted = model.state_dict()
    problems = {
        "missing": [name for name in wanted if name not in state],
        "left over": [name for name in state if name not in wanted],
        "of another shape": [
            f"{name} {list(state[name].shape)} instead of {list(tensor.shape)}"
            for name, tensor in wanted.items()
            if name in state and state[name].shape != tensor.shape
        ],
    }
    if any(problems.values()):
        lines = [f"  {kind}: {', '.join(names)}" for kind, names in problems.items() if names]
        raise CheckpointError("\n".join([f"{source} doesn't fit the model:", *lines]))
    model.load_state_dict(dict(state))


def write(path: str | os.PathLike[str], value: Any) -> list[Path]:
    """Saves plain data and tensors at `path`, or, above 16 MiB, as parts path.00, path.01, ...; returns the files. Each
    file is put in place at once; parts of two versions, should the last write have been cut short, don't pass
    `read`."""
    path = Path(path)
    buffer = io.BytesIO()
    torch.save(value, buffer)
    data = buffer.getvalue()
    pieces = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
    targets = [path] if len(pieces) == 1 else [path.with_name(f"{path.name}.{i:02}") for i in range(len(pieces))]
    for target, piece in zip(targets, pieces):
        temporary = target.with_name(f".{target.name}.new")
        temporary.write_bytes(piece)
        os.replace(temporary, target)
    for old in {path, *path.parent.glob(f"{path.name}.[0-9][0-9]")} - set(targets):
        old.unlink(missing_ok=True)
    return targets
