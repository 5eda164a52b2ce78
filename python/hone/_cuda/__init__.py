"""A stand-in for cuda-python on host memory: the runtime's memory, copies, streams and events.

Kernels can't be compiled or launched.
"""

from . import bindings, cuda, cudart  # noqa: F401

__version__ = "12.6.0"
