"""As cuda.bindings: every call returns a tuple, the error first."""

from . import driver, runtime  # noqa: F401
