"""The name of cuda.bindings.driver before cuda-python 12.6."""

from .bindings.driver import *  # noqa: F403
from .bindings.driver import __getattr__  # noqa: F401
