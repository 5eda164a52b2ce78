"""ONNX files of a DSVT detector's parts.

vfe                   points, their pillars and the pillars' coordinates to features of pillars (opset 18)
position_embedding    coordinates of pillars to the blocks' embeddings
blocks                the transformer, with the names, types and dynamic sizes of DSVT's own exporter
map_to_bev            features and coordinates of pillars to a map [1, width, ny, nx]
backbone_2d           that map to the head's input
head                  that to the maps center, center_z, dim, rot, iou, hm, before any activation

Binning, partitions, decoding and suppression are no part of a file: they depend on the points.
"""

import argparse
import contextlib
import dataclasses
import inspect
import io
import json
import os
import warnings
from pathlib import Path
from typing import Iterator, NamedTuple

import onnx
import torch
from torch import Tensor, nn
from torch.onnx import symbolic_helper

from .. import onnx_check
from .bev import map_to_bev
from .config import Config, load_config
from .model import Detector, config_of, make_detector
from .pillars import DynamicPillarVFE, Pillars
from .transformer import DSVT, InputLayer

OPSET = 14
VFE_OPSET = 18  # the first with a maximum in ScatterElements
TOLERANCE = 1e-4  # of an output's range
HALF_TOLERANCE = 5e-3  # with weights rounded to 16 bit


class Vfe(nn.Module):
    """The pillar encoder as a function of points [P, C], the pillar of each [P], and coordinates [N, 4]."""

    def __init__(self, vfe: DynamicPillarVFE):
        super().__init__()
        self.vfe = vfe

    def forward(self, points: Tensor, index: Tensor, coords: Tensor) -> Tensor:
        cell = coords[:, 1:].flip(1).float()
        offset = points[:, :3] - (cell * self.vfe.size + (self.vfe.size / 2 + self.vfe.low))[index]
        # Means of offsets are as exact in float32 as means of places in float64.
        added = torch.cat([offset, torch.ones_like(offset[:, :1])], 1)
        sums = offset.new_zeros(coords.shape[0], 4).scatter_reduce(0, index[:, None].expand(-1, 4), added, "sum")
        x = torch.cat([points, offset - (sums[:, :3] / sums[:, 3:])[index], offset], 1)
        for layer in self.vfe.pfn_layers:
            x = layer(x, Pillars(points, index, cell, coords, sums[:, 3]))
        return x


class PositionEmbeddings(nn.Module):
    """Embeddings [blocks, 2, N, width] as a function of coordinates [N, 4]."""

    def __init__(self, layer: InputLayer):
        super().__init__()
        self.layer = layer

    def forward(self, coords: Tensor) -> Tensor:
        return self.layer.embed(self.layer.places(coords))


class Blocks(nn.Module):
    """The blocks as a function of tensors, in the published exporter's order."""

    def __init__(self, backbone: DSVT):
        super().__init__()
        self.blocks, self.norms = backbone.stage_0, backbone.residual_norm_stage_0

    def forward(self, src: Tensor, *tensors: Tensor) -> Tensor:
        inds_0, inds_1, masks_0, masks_1, pos = tensors
        partitions = ((inds_0, masks_0), (inds_1, masks_1))
        for b, (block, norm) in enumerate(zip(self.blocks, self.norms)):
            src = norm(src + block(src, pos[b], *partitions[b % 2]))
        return src


class MapToBev(nn.Module):
    def __init__(self, ny: int, nx: int):
        super().__init__()
        self.ny, self.nx = ny, nx

    def forward(self, features: Tensor, coords: Tensor) -> Tensor:
        return map_to_bev(features, coords, 1, self.ny, self.nx)


class Head(nn.Module):
    def __init__(self, head: nn.Module):
        super().__init__()
        self.head = head

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.head(x).values())


class Part(NamedTuple):
    """How a part is exported: dynamic maps a tensor's name to {axis: name}."""

    module: nn.Module
    inputs: list[str]
    outputs: list[str]
    dynamic: dict[str, dict[int, str]]
    opset: int = OPSET


PARTS = ("vfe", "position_embedding", "blocks", "map_to_bev", "backbone_2d", "head")


def make_part(detector: Detector, name: str) -> Part:
    """The module of part `name` and its interface."""
    nx, ny, _ = detector.config.grid()
    if name == "vfe":
        inputs = ["points", "point_voxels", "voxel_coords"]
        dynamic = {"points": {0: "point_number"}, "point_voxels": {0: "point_number"}}
        dynamic |= {"voxel_coords": {0: "voxel_number"}, "pillar_features": {0: "voxel_number"}}
        return Part(Vfe(detector.vfe), inputs, ["pillar_features"], dynamic, VFE_OPSET)
    if name == "position_embedding":
        dynamic = {"voxel_coords": {0: "voxel_number"}, "pos_embed_tensor": {2: "voxel_number"}}
        module = PositionEmbeddings(detector.backbone_3d.input_layer)
        return Part(module, ["voxel_coords"], ["pos_embed_tensor"], dynamic)
    if name == "blocks":
        inputs = ["src", *(f"set_voxel_{kind}_tensor_shift_{s}" for kind in ("inds", "masks") for s in (0, 1))]
        dynamic = {name: {1: f"set_number_shift_{name[-1]}"} for name in inputs[1:]}
        dynamic |= {"src": {0: "voxel_number"}, "pos_embed_tensor": {2: "voxel_number"}, "output": {0: "voxel_number"}}
        return Part(Blocks(detector.backbone_3d), [*inputs, "pos_embed_tensor"], ["output"], dynamic)
    if name == "map_to_bev":
        inputs = ["pillar_features", "voxel_coords"]
        dynamic = {name: {0: "voxel_number"} for name in inputs}
        return Part(MapToBev(ny, nx), inputs, ["spatial_features"], dynamic)
    if name == "backbone_2d":
        return Part(detector.backbone_2d, ["spatial_features"], ["spatial_features_2d"], {})
    return Part(Head(detector.dense_head), ["spatial_features_2d"], detector.dense_head.heads_list[0].outputs, {})


def random_cloud(config: Config, count: int, seed: int) -> Tensor:
    """[count, C] float32: points within the range, in clusters as objects make them, and scattered."""
    generator = torch.Generator().manual_seed(seed)
    low, high = torch.tensor(config.points.range).view(2, 3)
    high = high - 0.01 * (high - low)
    centres = low + (high - low) * torch.rand(1 + count // 20, 3, generator=generator)
    cluster = torch.randint(len(centres), (count,), generator=generator)
    spread = torch.tensor([1.0, 1.0, 0.3]) * torch.randn(count, 3, generator=generator)
    xyz = torch.minimum(torch.maximum(centres[cluster] + spread, low), high)
    return torch.cat([xyz, torch.rand(count, len(config.points.features) - 3, generator=generator)], 1)


@torch.no_grad()
def sample_inputs(detector: Detector, name: str, points: int, seed: int) -> tuple[Tensor, ...]:
    """Inputs of part `name` for a random cloud: true partitions, random features."""
    config = detector.config
    generator = torch.Generator().manual_seed(seed)
    nx, ny, _ = config.grid()
    if name in ("backbone_2d", "head"):
        channels = config.transformer.width if name == "backbone_2d" else sum(config.backbone_2d.upsample_filters)
        return (torch.randn(1, channels, ny, nx, generator=generator),)
    cloud = random_cloud(config, points, seed)
    pillars = detector.pillarizer(cloud, torch.zeros(points, dtype=torch.int64))
    if name == "vfe":
        return pillars.points, pillars.index, pillars.coords.int()
    if name == "position_embedding":
        return (pillars.coords.int(),)
    features = torch.randn(len(pillars.coords), config.transformer.width, generator=generator)
    if name == "map_to_bev":
        return features, pillars.coords.int()
    (one, two), position = detector.backbone_3d.input_layer(pillars.coords)
    return features, one.inds, two.inds, one.mask, two.mask, position


@contextlib.contextmanager
def plain_scatter() -> Iterator[None]:
    """Lets the exporter write scatter_reduce as ScatterElements alone: its own form asks for the rank in the graph."""

    @symbolic_helper.parse_args("v", "i", "v", "v", "s", "b")
    def scatter(g, data, axis, index, source, reduction, include_self):
        if not include_self:
            raise NotImplementedError("scatter_reduce without the former values")
        word = {"amax": "max", "sum": "add"}[reduction]
        return g.op("ScatterElements", data, index, source, axis_i=axis, reduction_s=word)

    torch.onnx.register_custom_op_symbolic("aten::scatter_reduce", scatter, VFE_OPSET)
    try:
        yield
    finally:
        torch.onnx.unregister_custom_op_symbolic("aten::scatter_reduce", VFE_OPSET)


def trace(part: Part, inputs: tuple[Tensor, ...]) -> onnx.ModelProto:
    """The part as the classic exporter, which traces, writes it."""
    if part.opset > OPSET and torch.__version__.startswith("1."):
        raise onnx_check.ExportError(f"this part needs opset {part.opset} and so PyTorch 2; this is {torch.__version__}")
    classic = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    buffer = io.BytesIO()
    scatters = part.opset == VFE_OPSET
    with warnings.catch_warnings(), plain_scatter() if scatters else contextlib.nullcontext():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part.module.eval(), inputs, buffer, input_names=part.inputs, output_names=part.outputs,
            dynamic_axes=part.dynamic, opset_version=part.opset, **classic
        )  # fmt: skip
    model = onnx.load_from_string(buffer.getvalue())
    if scatters:  # the exporter doesn't know the shape of what it has from us
        del model.graph.output[:]
        for name, value in zip(part.outputs, [part.module(*inputs)]):
            sizes = [part.dynamic[name].get(axis, size) for axis, size in enumerate(value.shape)]
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sizes))
    return model


@torch.no_grad()
def disagreement(part: Part, path: Path, inputs: tuple[Tensor, ...], tolerance: float) -> str | None:
    """What ONNX Runtime computes otherwise than PyTorch, in words."""
    expected = part.module(*inputs)
    expected = (expected,) if isinstance(expected, Tensor) else expected
    found = onnx_check.run(onnx.load(path), {name: x.numpy() for name, x in zip(part.inputs, inputs)})
    return onnx_check.differences(found, {name: x.numpy() for name, x in zip(part.outputs, expected)}, tolerance)


def export_part(detector: Detector, name: str, path: str | os.PathLike[str], half: bool = False) -> None:
    """Writes part `name` as an ONNX file, after ONNX Runtime gave PyTorch's outputs for other inputs than the traced
    ones. half: store weights in 16 bit. The classes and the configuration are stored too.

    Raises ExportError if outputs differ, and OSError; then `path` is as it was."""
    part = make_part(detector, name)
    clouds = (3000, 500, 6000) if part.dynamic else (1, 1)
    traced, *others = [sample_inputs(detector, name, points, seed) for seed, points in enumerate(clouds)]

    tolerance = HALF_TOLERANCE if half else TOLERANCE

    def check(file: Path) -> str | None:
        return next(filter(None, (disagreement(part, file, inputs, tolerance) for inputs in others)), None)

    model = trace(part, traced)
    if half:
        onnx_check.halve_weights(model)
        onnx_check.shorten_names(model)
    config = detector.config
    properties = {"hone.family": "dsvt", "hone.part": name, "names": repr(dict(enumerate(config.classes)))}
    onnx.helper.set_model_props(model, {**properties, "hone.config": json.dumps(dataclasses.asdict(config))})
    onnx_check.put_in_place(model, path, check)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", required=True, help="OpenPCDet's .pth, ours, or random[:SEED]")
    parser.add_argument(
        "--config", help="waymo, kitti_a, kitti_b, or a .toml file; the weights' own by default, or waymo"
    )
    parser.add_argument("--part", required=True, choices=PARTS)
    parser.add_argument("--half-weights", action="store_true", help="store weights in 16 bit, half the file")
    parser.add_argument("-o", "--output", metavar="F.onnx", help="dsvt_PART.onnx if left out")


def main(args: argparse.Namespace) -> None:
    config = load_config(args.config) if args.config else config_of(args.weights)
    detector = make_detector(config, args.weights)
    output = args.output or f"dsvt_{args.part}.onnx"
    export_part(detector, args.part, output, args.half_weights)
    print(f"{output}: {args.part} of DSVT, checked against PyTorch with ONNX Runtime")
