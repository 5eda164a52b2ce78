"""The name of cuda.bindings.runtime before cuda-python 12.6."""

from .bindings.runtime import *  # noqa: F403
from .bindings.runtime import __getattr__  # noqa: F401
