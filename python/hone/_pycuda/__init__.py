"""A stand-in for pycuda on host memory, for programs that feed an engine through it: memory, copies, streams, events.

Kernels can't be compiled or launched.
"""

from . import _memory, autoinit, autoprimaryctx, driver, gpuarray, tools

VERSION = (2024, 1, 0)
VERSION_STATUS = "hone"
VERSION_TEXT = "2024.1hone"
