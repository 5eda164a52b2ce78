"""Checkpoints in the form of YOLOv7's authors: a pickled module of classes that only the pickle knows."""

import contextlib
import copy
import sys
import types
import warnings
from collections.abc import Iterator

import torch
from torch import nn

from hone_zoo.yolov7.model import Yolov7

NAMES = {
    "models.common": ("Conv", "RepConv", "SPPCSPC", "Concat", "MP", "ImplicitA"),
    "models.yolo": ("Model", "Detect", "IDetect"),
}
RENAMED = {"MaxPool2d": "MP", "Implicit": "ImplicitA", "Yolov7": "Model"}


@contextlib.contextmanager
def author_classes() -> Iterator[dict[str, type]]:
    """Modules `models.*` with empty classes of the authors' names; gone afterwards."""
    classes = {}
    sys.modules["models"] = types.ModuleType("models")
    for module, names in NAMES.items():
        sys.modules[module] = types.ModuleType(module)
        for name in names:
            classes[name] = type(name, (nn.Module,), {"__module__": module})
            setattr(sys.modules[module], name, classes[name])
    try:
        yield classes
    finally:
        for module in ("models", *NAMES):
            del sys.modules[module]


def as_author(module: nn.Module, classes: dict[str, type]) -> nn.Module:
    """The same tree, weights in 16 bit, of the authors' classes where they have their own."""
    name = RENAMED.get(type(module).__name__, type(module).__name__)
    if name == "Detect" and module.ia is not None:
        name = "IDetect"
    if name not in classes:
        result = copy.copy(module)
        result.__dict__ = dict(module.__dict__)
    else:
        result = classes[name]()
    result._parameters = {
        key: nn.Parameter(value.detach().half()) for key, value in module._parameters.items() if value is not None
    }
    half = {key: value.half() if value.is_floating_point() else value for key, value in module._buffers.items()}
    result._buffers = half
    result._modules = {key: child and as_author(child, classes) for key, child in module._modules.items()}
    return result


def write_author_checkpoint(model: Yolov7, path: str, archive: bool = True, ema: bool = False) -> None:
    """torch.save as the authors' training does it."""
    with author_classes() as classes, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no source text
        module = as_author(model, classes)
        module.names, module.nc, module.stride = list(model.names), len(model.names), torch.tensor([8.0, 16.0, 32.0])
        module.yaml = {"nc": len(model.names), "backbone": [[-1, 1, "Conv", [32, 3, 1]]]}
        content = {
            "epoch": -1,
            "best_fitness": None,
            "model": None if ema else module,
            "ema": module if ema else None,
            "optimizer": None,
        }
        content["width"] = model.width  # ours: tests use narrow models
        torch.save(content, path, _use_new_zipfile_serialization=archive)
