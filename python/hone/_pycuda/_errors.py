"""pycuda.driver's exceptions."""

import builtins


class Error(Exception):
    """Base of all."""


class LogicError(Error):
    """A wrong argument."""


class LaunchError(Error):
    """A kernel failed."""


class MemoryError(Error, builtins.MemoryError):  # noqa: A001
    """Out of memory."""


class RuntimeError(Error, builtins.RuntimeError):  # noqa: A001
    """The driver failed."""
