"""Loggers and profilers, both for deriving from."""

import sys
import time

from ._api import Extensible
from ._types import Severity


class ILogger(Extensible):
    """Derive from it and define log(severity, msg)."""

    Severity = Severity
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = Severity

    def log(self, severity: Severity, msg: str) -> None:
        raise NotImplementedError(f"{type(self).__name__}, derived from tensorrt.ILogger, needs log(severity, msg)")


class Logger(ILogger):
    """Writes messages of `min_severity` and above to standard error: "[06/24/2026-12:00:00] [TRT] [E] message"."""

    def __init__(self, min_severity: Severity = Severity.WARNING) -> None:
        self.min_severity = min_severity

    def log(self, severity: Severity, msg: str) -> None:
        if severity <= self.min_severity:
            letter = "FEWIV"[int(severity)]
            print(time.strftime("[%m/%d/%Y-%H:%M:%S]"), f"[TRT] [{letter}] {msg}", file=sys.stderr, flush=True)


class IProfiler(Extensible):
    """Derive from it and define report_layer_time(layer_name, ms)."""

    def report_layer_time(self, layer_name: str, ms: float) -> None:
        raise NotImplementedError(
            f"{type(self).__name__}, derived from tensorrt.IProfiler, needs report_layer_time(layer_name, ms)")


class Profiler(IProfiler):
    """Prints every layer's time."""

    def report_layer_time(self, layer_name: str, ms: float) -> None:
        print(f"{layer_name}: {ms}ms")


def checked_logger(logger: object) -> object:
    """`logger` itself. Raises TypeError for what can't log."""
    if not callable(getattr(logger, "log", None)):
        raise TypeError(f"a logger is needed, tensorrt.Logger() for example; this is {type(logger).__name__}")
    return logger
