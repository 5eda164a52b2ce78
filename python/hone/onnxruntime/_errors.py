"""ONNX Runtime's exceptions, and which of Hone's errors becomes which."""

from __future__ import annotations

from contextlib import contextmanager

import hone


class _Coded(Exception):
    """Text as ONNX Runtime writes it: the status' number and name before the message."""

    number, status = 1, "FAIL"

    def __init__(self, message: str):
        super().__init__(f"[ONNXRuntimeError] : {self.number} : {self.status} : {message}")


def _exception(name: str, number: int, status: str) -> type[_Coded]:
    module = "hone.onnxruntime.capi.onnxruntime_pybind11_state"
    return type(name, (_Coded,), {"number": number, "status": status, "__module__": module})


Fail = _exception("Fail", 1, "FAIL")
InvalidArgument = _exception("InvalidArgument", 2, "INVALID_ARGUMENT")
NoSuchFile = _exception("NoSuchFile", 3, "NO_SUCHFILE")
NoModel = _exception("NoModel", 4, "NO_MODEL")
EngineError = _exception("EngineError", 5, "ENGINE_ERROR")
RuntimeException = _exception("RuntimeException", 6, "RUNTIME_EXCEPTION")
InvalidProtobuf = _exception("InvalidProtobuf", 7, "INVALID_PROTOBUF")
ModelLoaded = _exception("ModelLoaded", 8, "MODEL_LOADED")
NotImplemented = _exception("NotImplemented", 9, "NOT_IMPLEMENTED")
InvalidGraph = _exception("InvalidGraph", 10, "INVALID_GRAPH")
EPFail = _exception("EPFail", 11, "EP_FAIL")
NotFound = _exception("NotFound", 12, "NOT_FOUND")

# Hone's code -> the exception.
_OF_CODE = {
    "InvalidArgument": InvalidArgument,
    "InvalidModel": InvalidGraph,
    "Unsupported": NotImplemented,
    "Resource": RuntimeException,
    "NotFound": NoSuchFile,
}


@contextmanager
def translated():
    """Hone's errors in the block come out as ONNX Runtime's, with the same text."""
    try:
        yield
    except hone.Error as error:
        raise _OF_CODE.get(error.code, Fail)(str(error)) from error
