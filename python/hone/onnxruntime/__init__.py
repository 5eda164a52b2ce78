"""The part of ONNX Runtime's Python interface that most programs use, on Hone's engines.

    import hone.onnxruntime as ort
    session = ort.InferenceSession("model.onnx")
    outputs = session.run(None, {"images": array})

`python -m hone.onnxruntime script.py [args]` runs a script whose `import onnxruntime` means this module. Names that
aren't there yet raise an AttributeError that says so.
"""

from __future__ import annotations

from hone.onnxruntime import capi
from hone.onnxruntime._options import ExecutionMode, GraphOptimizationLevel, RunOptions, SessionOptions
from hone.onnxruntime._session import PROVIDERS, InferenceSession, ModelMetadata, NodeArg

__all__ = ["ExecutionMode", "GraphOptimizationLevel", "InferenceSession", "ModelMetadata", "NodeArg", "RunOptions",
           "SessionOptions", "capi", "get_all_providers", "get_available_providers", "get_device",
           "get_version_string", "set_default_logger_severity", "set_default_logger_verbosity", "set_seed"]

# The release whose behaviour is followed.
__version__ = "1.32.0"


def get_version_string() -> str:
    return __version__


def get_available_providers() -> list[str]:
    return list(PROVIDERS)


def get_all_providers() -> list[str]:
    return list(PROVIDERS)


def get_device() -> str:
    return "CPU"


def set_default_logger_severity(severity: int) -> None:
    """0 (verbose) to 4 (fatal). Changes nothing: sessions log nothing, errors are exceptions."""
    if severity not in range(5):
        raise RuntimeError(f"Invalid severity value {severity}: give 0 (verbose) to 4 (fatal)")


def set_default_logger_verbosity(level: int) -> None:
    """Changes nothing: sessions log nothing."""


def set_seed(seed: int) -> None:
    """Changes nothing: no operator of Hone is random."""


def __getattr__(name: str):
    raise AttributeError(f"hone.onnxruntime.{name} isn't there yet")
