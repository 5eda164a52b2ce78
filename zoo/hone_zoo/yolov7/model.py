"""YOLOv7 in PyTorch (Wang, Bochkovskiy, Liao: "YOLOv7: Trainable bag-of-freebies sets new state-of-the-art for
real-time object detectors", 2022). Modules are named so that the published checkpoints' tensors fit by name."""

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from hone_zoo.yolov7.layers import STRIDES, Layer, Table, channels, read_tables

ANCHORS = 3  # of each cell


def _activation(table: Table) -> nn.Module:
    return nn.SiLU() if table.activation[0] == "silu" else nn.LeakyReLU(float(table.activation[1]))


def _norm(count: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(count, eps=1e-3, momentum=0.03)


def _folded(conv: nn.Conv2d, bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution that does what `conv` (without bias) and then `bn` do, rounded as YOLOv7's own
    merging rounds: lists of detections depend on the last bit where scores are about equal."""
    deviation = torch.sqrt(bn.running_var + bn.eps)
    weight = conv.weight * (bn.weight / deviation)[:, None, None, None]
    return weight, bn.bias - bn.running_mean * bn.weight / deviation


def _conv_with(weight: Tensor, bias: Tensor, stride: int) -> nn.Conv2d:
    count, inputs, kernel = weight.shape[:3]
    conv = nn.Conv2d(inputs, count, kernel, stride, kernel // 2)
    conv.weight, conv.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())
    return conv


class Conv(nn.Module):
    """Convolution, batch normalisation, activation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, activation: nn.Module) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn: nn.Module = _norm(outputs)
        self.act = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))

    def fuse(self) -> None:
        if isinstance(self.bn, nn.BatchNorm2d):
            self.conv = _conv_with(*_folded(self.conv, self.bn), self.conv.stride[0])
            self.bn = nn.Identity()


class RepConv(nn.Module):
    """Sum of a k x k convolution, a 1x1 convolution and, where the shape allows, the input, each normalised; then the
    activation. fuse() makes one convolution of them."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, activation: nn.Module) -> None:
        super().__init__()
        self.rbr_dense = nn.Sequential(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), _norm(outputs)
        )
        self.rbr_1x1 = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), _norm(outputs))
        self.rbr_identity = _norm(inputs) if inputs == outputs and stride == 1 else None
        self.rbr_reparam: nn.Conv2d | None = None
        self.act = activation

    def forward(self, x: Tensor) -> Tensor:
        if self.rbr_reparam is not None:
            return self.act(self.rbr_reparam(x))
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return self.act(y if self.rbr_identity is None else y + self.rbr_identity(x))

    def fuse(self) -> None:
        if self.rbr_reparam is not None:
            return
        weight, bias = _folded(*self.rbr_dense)
        point, point_bias = _folded(*self.rbr_1x1)
        middle = weight.shape[2] // 2
        weight[:, :, middle, middle] += point[:, :, 0, 0]
        bias = bias + point_bias
        if self.rbr_identity is not None:
            one = nn.Conv2d(1, 1, 1)
            one.weight = nn.Parameter(torch.eye(weight.shape[1])[:, :, None, None].to(weight))
            same, same_bias = _folded(one, self.rbr_identity)
            weight[:, :, middle, middle] += same[:, :, 0, 0]
            bias = bias + same_bias
        self.rbr_reparam = _conv_with(weight, bias, self.rbr_dense[0].stride[0])
        self.rbr_dense = self.rbr_1x1 = self.rbr_identity = None


class SPPCSPC(nn.Module):
    """Spatial pyramid pooling within a cross-stage part."""

    def __init__(self, inputs: int, outputs: int, activation: nn.Module) -> None:
        super().__init__()
        c = outputs
        forms = [(inputs, c, 1), (inputs, c, 1), (c, c, 3), (c, c, 1), (4 * c, c, 1), (c, c, 3), (2 * c, c, 1)]
        for i, (before, after, kernel) in enumerate(forms, 1):
            setattr(self, f"cv{i}", Conv(before, after, kernel, 1, activation))
        self.m = nn.ModuleList(nn.MaxPool2d(kernel, 1, kernel // 2) for kernel in (5, 9, 13))

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv4(self.cv3(self.cv1(x)))
        y = self.cv6(self.cv5(torch.cat([y, *(pool(y) for pool in self.m)], 1)))
        return self.cv7(torch.cat([y, self.cv2(x)], 1))


class Concat(nn.Module):
    def forward(self, *xs: Tensor) -> Tensor:
        return torch.cat(xs, 1)


class Implicit(nn.Module):
    """A learned constant for each channel."""

    def __init__(self, count: int, mean: float) -> None:
        super().__init__()
        self.mean = mean
        self.implicit = nn.Parameter(torch.empty(1, count, 1, 1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.implicit, self.mean, 0.02)


def _cells(height: int, width: int, like: Tensor) -> Tensor:
    """Column and row of each cell, [1, 1, height, width, 2]."""
    y, x = (torch.arange(n, device=like.device, dtype=like.dtype) for n in (height, width))
    shape = (1, 1, height, width, 1)
    return torch.cat([x.view(1, 1, 1, width, 1).expand(shape), y.view(1, 1, height, 1, 1).expand(shape)], 4)


class Detect(nn.Module):
    """A 1x1 convolution for each map. With implicit layers (IDetect, the training form): im * (conv(x + ia))."""

    def __init__(self, inputs: list[int], classes: int, anchors: tuple, implicit: bool) -> None:
        super().__init__()
        self.columns = 5 + classes
        self.cells: list[Tensor] | None = None
        columns = ANCHORS * self.columns
        grid = torch.tensor(anchors)  # [maps, 3, 2], pixels
        self.register_buffer("anchors", grid / torch.tensor(STRIDES)[:, None, None])
        self.register_buffer("anchor_grid", grid.view(len(anchors), 1, ANCHORS, 1, 1, 2).clone())
        self.m = nn.ModuleList(nn.Conv2d(count, columns, 1) for count in inputs)
        self.ia = nn.ModuleList(Implicit(count, 0) for count in inputs) if implicit else None
        self.im = nn.ModuleList(Implicit(columns, 1) for _ in inputs) if implicit else None

    def forward(self, *xs: Tensor) -> list[Tensor]:
        """Raw maps [B, 3, H, W, 5 + classes], before the sigmoid."""
        maps = []
        for i, (x, conv) in enumerate(zip(xs, self.m)):
            y = conv(x) if self.ia is None else self.im[i].implicit * conv(x + self.ia[i].implicit)
            height, width = y.shape[2:] if self.cells is None else self.cells[i].shape[2:4]
            maps.append(y.view(y.shape[0], ANCHORS, self.columns, height, width).permute(0, 1, 3, 4, 2))
        return maps

    @torch.no_grad()
    def set_priors(self) -> None:
        """Biases for the start of training: 8 objects in a picture of 640 pixels, of one class or the other with
        0.6."""
        classes = self.columns - 5
        for conv, stride in zip(self.m, STRIDES):
            bias = conv.bias.view(ANCHORS, -1)
            bias[:, 4] = math.log(8 / (640 / stride) ** 2)
            bias[:, 5:] = math.log(0.6 / (classes - 0.99))

    def fix_size(self, height: int, width: int) -> None:
        """Settles the size of pictures, so that an export has constants where it would compute with shapes."""
        self.cells = [_cells(height // s, width // s, self.anchors) for s in STRIDES]

    def fuse(self) -> None:
        if self.ia is None:
            return
        for conv, ia, im in zip(self.m, self.ia, self.im):
            before, after = ia.implicit.detach().flatten(), im.implicit.detach().flatten()
            weight = conv.weight.detach()
            conv.bias = nn.Parameter(after * (conv.bias.detach() + (weight[:, :, 0, 0] @ before[:, None])[:, 0]))
            conv.weight = nn.Parameter(after[:, None, None, None] * weight)
        self.ia = self.im = None

    def decode(self, maps: list[Tensor]) -> Tensor:
        """Rows [B, N, 5 + classes] of raw maps: cx, cy, w, h in input pixels, objectness, classes; all maps, one after
        the other, each by anchor, row, column."""
        rows = []
        for i, x in enumerate(maps):
            cells = _cells(x.shape[2], x.shape[3], x) if self.cells is None else self.cells[i]
            xy, wh, rest = x.sigmoid().split((2, 2, self.columns - 4), 4)
            xy = xy * (2.0 * STRIDES[i]) + STRIDES[i] * (cells - 0.5)
            wh = wh**2 * (4 * self.anchor_grid[i]).to(x.dtype)
            rows.append(torch.cat([xy, wh, rest], 4).view(x.shape[0], -1, self.columns))
        return torch.cat(rows, 1)


class Yolov7(nn.Module):
    """A model of layers.txt: pictures [B, 3, H, W] (RGB, 0 to 1; H and W multiples of 32) -> raw maps [B, 3, h, w, 5 +
    classes]. `implicit`: with the layers that training uses. `width` scales the channels. `activation`: another one
    than the table's, as Table has it."""

    def __init__(
        self,
        name: str,
        names: list[str],
        implicit: bool = True,
        width: float = 1,
        activation: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__()
        table = read_tables()[name]
        table = replace(table, activation=activation or table.activation)
        self.family, self.names, self.width, self.table = name, list(names), width, table
        self.model = nn.ModuleList()
        counts = {-1: 3}
        for layer in table.layers:
            module, counts[layer.index] = self._module(layer, [counts[i] for i in layer.inputs], implicit)
            self.model.append(module)
        last_use = {source: layer.index for layer in table.layers for source in layer.inputs}
        self._dead_after = [[i for i, last in last_use.items() if last == layer.index] for layer in table.layers]

    def _module(self, layer: Layer, inputs: list[int], implicit: bool) -> tuple[nn.Module, int]:
        """A layer's module and its channels."""
        activation = _activation(self.table)
        if layer.kind in ("conv", "repconv"):
            count = channels(layer.numbers[0], self.width)
            return (Conv if layer.kind == "conv" else RepConv)(inputs[0], count, *layer.numbers[1:], activation), count
        if layer.kind == "sppcspc":
            count = channels(layer.numbers[0], self.width)
            return SPPCSPC(inputs[0], count, activation), count
        if layer.kind == "maxpool":
            kernel, stride = layer.numbers
            return nn.MaxPool2d(kernel, stride, kernel // 2 if stride == 1 else 0), inputs[0]
        if layer.kind == "upsample":
            return nn.Upsample(scale_factor=2.0, mode="nearest"), inputs[0]
        if layer.kind == "concat":
            return Concat(), sum(inputs)
        return Detect(inputs, len(self.names), self.table.anchors, implicit), 0

    @property
    def head(self) -> Detect:
        return self.model[-1]

    def forward(self, x: Tensor) -> list[Tensor]:
        values: dict = {-1: x}
        for layer, module, dead in zip(self.table.layers, self.model, self._dead_after):
            values[layer.index] = module(*(values[i] for i in layer.inputs))
            for i in dead:
                del values[i]
        return values[self.table.layers[-1].index]

    def rows(self, x: Tensor) -> Tensor:
        """Decoded rows [B, N, 5 + classes] of pictures; see Detect.decode."""
        return self.head.decode(self(x))

    @torch.no_grad()
    def fuse(self) -> "Yolov7":
        """Merges, in place, normalisation into convolutions, the branches of RepConv and the implicit layers, for eval
        mode."""
        for module in list(self.modules()):
            if module is not self and hasattr(module, "fuse"):
                module.fuse()
        return self.eval()


def _measure(norm: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
    """Sets a normalisation's statistics by what it gets: the size only, since a deep random network that takes means
    out, too, is chaotic and would enlarge rounding errors."""
    norm.running_mean.normal_(0, 0.1)
    norm.running_var.copy_((inputs[0] ** 2).mean((0, 2, 3)))


@torch.no_grad()
def randomize(model: Yolov7, seed: int) -> Yolov7:
    """Random weights with which signals neither die nor explode and some boxes are sure: normalisation is measured on
    random pictures. For tests of everything but accuracy."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        hooks = []
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                module.reset_parameters()
            elif isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.7, 1.3)
                module.bias.normal_(0, 0.6)
                hooks.append(module.register_forward_pre_hook(_measure))
            elif isinstance(module, Implicit):
                module.reset_parameters()
        maps = model.eval()(torch.rand(4, 3, 128, 128))
        for hook in hooks:
            hook.remove()
        for conv, x in zip(model.head.m, maps):
            conv.weight *= 1.5 / x.std((0, 2, 3)).mean()
            conv.bias.zero_()
        means = [x.mean((0, 2, 3)).flatten() for x in model(torch.rand(4, 3, 128, 128))]
        for conv, mean in zip(model.head.m, means):
            conv.bias -= mean - torch.tensor([0.0] * 4 + [-3.0] + [-1.0] * len(model.names)).repeat(ANCHORS)
    return model
