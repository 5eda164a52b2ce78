"""The exceptions of Hone: one class for each code of the C++ Status, each deriving from the fitting builtin, too."""


class Error(Exception):
    """Base of all errors of Hone. `code` is the name of the C++ status code; the text is the C++ message."""

    code = ""


class InvalidArgument(Error, ValueError):
    """A name, shape, type or value given by the caller is wrong."""

    code = "InvalidArgument"


class InvalidModel(Error, ValueError):
    """The ONNX file or graph is malformed."""

    code = "InvalidModel"


class Unsupported(Error, NotImplementedError):
    """Well-formed, but asks for something that Hone doesn't do."""

    code = "Unsupported"


class Accuracy(Error, ArithmeticError):
    """A comparison found a difference above its tolerance."""

    code = "Accuracy"


class Resource(Error, MemoryError):
    """Memory, disk space or a configured limit."""

    code = "Resource"


class NotFound(Error, FileNotFoundError):
    """A file or a named thing doesn't exist."""

    code = "NotFound"


class CorruptEngine(Error, ValueError):
    """The engine file is damaged."""

    code = "CorruptEngine"


class IncompatibleEngine(Error, RuntimeError):
    """A sound engine file for another version or machine."""

    code = "IncompatibleEngine"


class Runtime(Error, RuntimeError):
    """Failure while running: an index out of range, a context used by two threads."""

    code = "Runtime"


class Cancelled(Error, RuntimeError):
    """Stopped on request."""

    code = "Cancelled"
