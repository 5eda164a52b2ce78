"""InferenceSession on an engine."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import hone
from hone.onnxruntime._errors import InvalidArgument, InvalidProtobuf, translated
from hone.onnxruntime._model import Declared, read_declared
from hone.onnxruntime._options import GraphOptimizationLevel, RunOptions, SessionOptions

PROVIDERS = ["CPUExecutionProvider"]

# The words for element types that aren't Hone's own.
_TYPE_WORDS = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class NodeArg:
    """An input or output. `shape`: numbers, the file's names for open dimensions, None for those without a name."""

    name: str
    type: str
    shape: list


@dataclass(frozen=True)
class ModelMetadata:
    """What the file says about itself; `version` is the largest int64 where it says none."""

    producer_name: str = ""
    graph_name: str = ""
    domain: str = ""
    description: str = ""
    graph_description: str = ""
    version: int = 2**63 - 1
    custom_metadata_map: dict[str, str] | None = None


class InferenceSession:
    """Runs a model, given as the path or the bytes of an ONNX file or of an engine that Hone built.

    The first session of an ONNX file builds its engine, measuring kernels on this machine: seconds, for large models up
    to a minute. It is kept in the cache folder (hone.open_model), from which later sessions load it at once. With
    ORT_DISABLE_ALL or ORT_ENABLE_BASIC as `sess_options.graph_optimization_level` nothing is measured: faster to
    build, slower to run. Threads may share a session. Providers other than the CPU's are passed over with a warning.
    """

    def __init__(self, path_or_bytes: str | os.PathLike | bytes, sess_options: SessionOptions | None = None,
                 providers: Sequence[str | tuple[str, Mapping]] | None = None,
                 provider_options: Sequence[Mapping] | None = None, **kwargs):
        if not isinstance(path_or_bytes, (str, bytes, os.PathLike)):
            raise TypeError(f"Unable to load from type '{type(path_or_bytes)}'")
        self._options = sess_options or SessionOptions()
        for name in ("enable_profiling", "optimized_model_filepath"):
            if getattr(self._options, name):
                raise NotImplementedError(f"hone.onnxruntime.SessionOptions.{name} isn't there yet")
        _check_providers(providers)
        source = path_or_bytes if isinstance(path_or_bytes, bytes) else os.fspath(path_or_bytes)
        with translated():
            self._engine, declared = self._open(source)
        self._inputs = [_node_arg(binding, declared) for binding in self._engine.inputs]
        self._outputs = [_node_arg(binding, declared) for binding in self._engine.outputs]
        self._input_dtypes = {binding.name: hone.numpy_dtype(binding.dtype) for binding in self._engine.inputs}
        self._output_names = [output.name for output in self._outputs]
        self._meta = ModelMetadata(**declared.texts, version=declared.version,
                                   custom_metadata_map=declared.properties)

    def _open(self, source: str | bytes) -> tuple[hone.Engine, Declared]:
        if source == b"":
            raise InvalidArgument("No graph was found in the protobuf.")
        if _is_engine(source):
            return hone.load(source, threads=self._options.intra_op_num_threads), Declared()
        try:
            declared = read_declared(source)
        except OSError:
            declared = Declared()  # opening it says what is wrong
        except ValueError as error:
            raise InvalidProtobuf(f"Failed to load model because protobuf parsing failed: {error}") from error
        if isinstance(source, str):
            return self._open_file(source), declared
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(source)
            file.flush()
            return self._open_file(file.name), declared

    def _open_file(self, path: str) -> hone.Engine:
        tune = self._options.graph_optimization_level >= GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        return hone.open_model(path, tune=tune, threads=self._options.intra_op_num_threads)

    def get_inputs(self) -> list[NodeArg]:
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        return list(self._outputs)

    def get_overridable_initializers(self) -> list[NodeArg]:
        """None: initializers are constants of the engine, also those that are listed as inputs."""
        return []

    def get_providers(self) -> list[str]:
        return list(PROVIDERS)

    def get_provider_options(self) -> dict[str, dict]:
        return {name: {} for name in PROVIDERS}

    def get_session_options(self) -> SessionOptions:
        return self._options

    def get_modelmeta(self) -> ModelMetadata:
        return self._meta

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, object],
            run_options: RunOptions | None = None) -> list[np.ndarray]:
        """The named outputs, all where none is named, in fresh arrays.

        Values may be lists where no array is at hand; they become arrays of the input's type. Raises ValueError for
        missing inputs, InvalidArgument for unknown names and for types, ranks and dimensions that don't fit.
        """
        missing = [name for name in self._input_dtypes if name not in input_feed]
        if missing:
            raise ValueError(f"Required inputs ({missing}) are missing from input feed ({list(input_feed.keys())}).")
        for name in output_names or ():
            if name not in self._output_names:
                raise InvalidArgument(f"Invalid output name:{name}; the outputs are {self._output_names}")
        feed = input_feed
        if any(not isinstance(value, np.ndarray) for value in input_feed.values()):
            feed = {name: self._as_array(name, value) for name, value in input_feed.items()}
        with translated():
            results = self._engine(feed if isinstance(feed, dict) else dict(feed))
        return [results[name] for name in output_names or self._output_names]

    def _as_array(self, name: str, value) -> np.ndarray:
        if isinstance(value, np.ndarray):
            return value
        if isinstance(value, np.generic):
            return np.asarray(value)
        if isinstance(value, list):
            return np.asarray(value, self._input_dtypes.get(name))
        raise RuntimeError(f"Unable to handle object of type {type(value)} for input '{name}'; give a NumPy array")

    def __getattr__(self, name: str):
        raise AttributeError(f"hone.onnxruntime.InferenceSession.{name} isn't there yet")


def _check_providers(providers: Sequence[str | tuple[str, Mapping]] | None) -> None:
    for provider in providers or ():
        name = provider if isinstance(provider, str) else provider[0]
        if name not in PROVIDERS:
            warnings.warn(f"Specified provider '{name}' is not in available provider names. Available providers: "
                          f"'{', '.join(PROVIDERS)}'", UserWarning, stacklevel=3)


def _is_engine(source: str | bytes) -> bool:
    magic = b"\x89HONE\r\n\x1a"
    if isinstance(source, bytes):
        return source.startswith(magic)
    try:
        with open(source, "rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False


def _node_arg(binding: hone.Binding, declared: Declared) -> NodeArg:
    """Numbers are the engine's, names the file's; an engine file's own names where there is no ONNX file."""
    names = declared.shapes.get(binding.name, [])
    if len(names) != len(binding.shape):
        names = [dim if dim.isidentifier() else None for dim in binding.dim_names]
    shape = [size if size >= 0 else name for size, name in zip(binding.shape, names)]
    return NodeArg(binding.name, f"tensor({_TYPE_WORDS.get(binding.dtype, binding.dtype)})", shape)
