"""Makes a model from a checkpoint: the authors' published files, or our own."""

import os
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import BatchNorm2d

from hone_zoo import checkpoint
from hone_zoo.checkpoint import CheckpointError, StandIn
from hone_zoo.yolov7.layers import read_tables
from hone_zoo.yolov7.model import ANCHORS, Conv, RepConv, Yolov7, randomize


def load_model(path: str | os.PathLike[str]) -> Yolov7:
    """The model in a checkpoint, in eval mode, with float32 weights, not fused (unless the file's was). Which model it
    is, its classes and its form come from the file. Raises CheckpointError, which names all tensors that don't fit, or
    OSError."""
    content = checkpoint.read(path)
    module = checkpoint.weights_of(content)
    try:
        state = checkpoint.state_dict(module)
        model = _build(state, _class_names(content, module), _width(content), _activation(content, module), str(path))
        if isinstance(module, StandIn):
            _adopt_eps(model, module)
        return model
    except CheckpointError as error:
        text = str(error)
        raise CheckpointError(text if text.startswith(str(path)) else f"{path}: {text}") from None


def random_model(name: str, classes: int, seed: int, width: float = 1) -> Yolov7:
    """A model with random weights, as training would start from; see randomize."""
    return randomize(Yolov7(name, [f"class {i}" for i in range(classes)], width=width), seed)


def save_model(path: str | os.PathLike[str], model: Yolov7, **more: Any) -> list:
    """Writes a checkpoint with 16-bit weights; `more` is stored beside them. Returns the files (see
    checkpoint.write)."""
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in model.state_dict().items()
    }
    content = {"family": model.family, "names": model.names, "width": model.width, "model": state, **more}
    content["activation"] = " ".join(model.table.activation)
    return checkpoint.write(path, content)


def _build(
    state: dict[str, Tensor], names: list[str] | None, width: float, activation: tuple[str, ...] | None, source: str
) -> Yolov7:
    tables = {len(table.layers) - 1: table.name for table in read_tables().values()}
    last = max((int(found[1]) for key in state if (found := re.match(r"model\.(\d+)\.", key))), default=-1)
    if last not in tables:
        known = ", ".join(f"{name} ({count + 1} layers)" for count, name in tables.items())
        raise CheckpointError(f"its model has {last + 1} layers; known are {known}")
    bias = state.get(f"model.{last}.m.0.bias")
    if bias is None or bias.numel() % ANCHORS or bias.numel() // ANCHORS < 6:
        raise CheckpointError(f"model.{last}.m.0.bias, which tells the number of classes, is missing or misshapen")
    classes = bias.numel() // ANCHORS - 5
    names = names or [f"class {i}" for i in range(classes)]
    if len(names) != classes:
        raise CheckpointError(f"it names {len(names)} classes, its head has {classes}")
    implicit = any(key.startswith(f"model.{last}.ia.") for key in state)
    model = Yolov7(tables[last], names, implicit, width, activation)
    for prefix, module in model.named_modules():
        if _is_fused(prefix, module, state):
            module.fuse()
    checkpoint.load(model, state, source)
    return model.eval()


def _is_fused(prefix: str, module: Any, state: dict[str, Tensor]) -> bool:
    fused_key = {Conv: "conv.bias", RepConv: "rbr_reparam.weight"}.get(type(module))
    return fused_key is not None and f"{prefix}.{fused_key}" in state


def _class_names(content: Any, module: Any) -> list[str] | None:
    names = vars(module).get("names") if isinstance(module, StandIn) else None
    if names is None and isinstance(content, Mapping):
        names = content.get("names")
    if isinstance(names, Mapping):
        names = list(names.values())
    if names is None:
        return None
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, (str, int)) for name in names):
        raise CheckpointError("its class names aren't a list of strings")
    return [str(name) for name in names]


def _activation(content: Any, module: Any) -> tuple[str, ...] | None:
    """The activation, as Table has it; None where the file doesn't tell. YOLOv7-tiny is published with two, and its
    tensors don't show which."""
    if isinstance(module, StandIn):
        found = {_activation_of(part) for name, part in checkpoint.modules(module) if name.endswith(".act")}
    else:
        found = {content["activation"]} if isinstance(content, Mapping) and "activation" in content else set()
    known = [text for text in found if isinstance(text, str) and re.fullmatch(r"silu|leaky [0-9.e-]+", text)]
    if len(found) > 1 or len(known) < len(found):
        raise CheckpointError(
            f"its activations are {', '.join(sorted(map(str, found)))}; one is needed, SiLU or LeakyReLU"
        )
    return tuple(known[0].split()) if known else None


def _activation_of(part: StandIn) -> str:
    kind = type(part).__name__
    return {"SiLU": "silu", "LeakyReLU": f"leaky {vars(part).get('negative_slope')}"}.get(kind, kind)


def _adopt_eps(model: Yolov7, module: StandIn) -> None:
    """Makes normalisation as the file has it: what is added to the variance there and here may differ."""
    ours = dict(model.named_modules())
    for name, part in checkpoint.modules(module):
        norm, eps = ours.get(name), vars(part).get("eps")
        if isinstance(norm, BatchNorm2d) and isinstance(eps, float):
            norm.running_var += eps - norm.eps


def _width(content: Any) -> float:
    width = content.get("width", 1) if isinstance(content, Mapping) else 1
    if not isinstance(width, (int, float)) or not 0 < width <= 4:
        raise CheckpointError(f"its width is {width!r}; a factor for the channels is needed")
    return width
