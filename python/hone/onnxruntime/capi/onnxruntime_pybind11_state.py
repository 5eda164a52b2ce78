"""The exceptions of ONNX Runtime, under the names and in the module where its users catch them."""

from hone.onnxruntime._errors import (EPFail, EngineError, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf,
                                      ModelLoaded, NoModel, NoSuchFile, NotFound, NotImplemented, RuntimeException)

__all__ = ["EPFail", "EngineError", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "ModelLoaded",
           "NoModel", "NoSuchFile", "NotFound", "NotImplemented", "RuntimeException"]
