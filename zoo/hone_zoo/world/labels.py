"""KITTI's ground truth of a batch: 3-D boxes, 2-D boxes, truncation, occlusion, what is left out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .cast import Extents, Hits, cast
from .sensors import HEIGHT, WIDTH, Calibration, Camera
from .street import Street

COARSE = (2, 4)
"""Rows and columns between the pixels that tell how much of an object is hidden."""
LEAST_VISIBLE, LEAST_HEIGHT, FARTHEST = 0.10, 10.0, 75.0
"""Objects seen to less than this share, lower than this many pixels or farther than this many metres are DontCare."""


@dataclass
class Labels:
    """One row per labelled object that reaches into the picture, frame by frame.

    object: its row in Street.objects; frame, cls; box [N, 7] (x, y, z of the centre, l, w, h, yaw in LiDAR
    coordinates); rect [N, 4]: first and last pixel column and row (x1, y1, x2, y2) of its whole outline inside the
    picture, whether or not something hides it; truncation 0..1; visible: the share of the outline that nothing
    hides; occlusion 0, 1, 2 (3: hardly seen); care: False for what KITTI would mark DontCare.
    """

    object: Tensor
    frame: Tensor
    cls: Tensor
    box: Tensor
    rect: Tensor
    truncation: Tensor
    visible: Tensor
    occlusion: Tensor
    care: Tensor

    def take(self, index: Tensor) -> "Labels":
        return Labels(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


def _truncation(camera: Camera, box: Tensor) -> Tensor:
    """The share of a box's volume outside the picture."""
    axes = [torch.linspace(-0.5, 0.5, n, device=box.device) for n in (13, 7, 5)]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).view(-1, 3)
    size = grid[None] * box[:, None, 3:6]
    cos, sin = torch.cos(box[:, 6])[:, None], torch.sin(box[:, 6])[:, None]
    points = torch.stack(
        [cos * size[..., 0] - sin * size[..., 1], sin * size[..., 0] + cos * size[..., 1], size[..., 2]], -1
    )
    q = camera.project(points + box[:, None, :3])
    u, v = q[..., 0] / q[..., 2], q[..., 1] / q[..., 2]
    seen = (q[..., 2] > 0) & (u >= 0) & (u < WIDTH) & (v >= 0) & (v < HEIGHT)
    return 1.0 - seen.float().mean(1)


def slots_of(street: Street, camera: Camera) -> tuple[Tensor, Tensor]:
    """Objects with a class that may be seen [N], and for every object its row there or -1 [M]."""
    o = street.objects
    centre = torch.stack([o["x"], o["y"], o["z"] + o["h"] / 2], -1)
    q = camera.project(centre)
    reach = torch.hypot(o["l"], o["w"]) / 2 * 900.0
    u = q[:, 0] / q[:, 2].clamp_min(0.5)
    margin = reach / q[:, 2].clamp_min(0.5)
    seen = (o["x"] > -o["l"]) & (u > -margin) & (u < WIDTH + margin)
    index = ((o["cls"] >= 0) & seen).nonzero().flatten()
    slot = torch.full_like(o["cls"], -1, dtype=torch.int64)
    slot[index] = torch.arange(len(index), device=index.device)
    return index, slot


def _visible(street: Street, rig: Calibration, index: Tensor, slot: Tensor, scene: Tensor) -> Tensor:
    """The share of every object's outline on which it is the nearest; scene [F, r, c]: the object of every coarse
    pixel."""
    coarse = Camera(rig, street.device, COARSE, (4, 4))
    mine = slot[street.prims.object]
    own = cast(street.prims, mine, len(index), coarse, only=mine >= 0)
    rows, cols = coarse.size
    hit = own.prim[:, :rows, :cols] >= 0
    nearest = scene[street.frame_of_object[index]] == index[:, None, None]
    total = hit.sum((1, 2))
    return (hit & nearest).sum((1, 2)) / total.clamp_min(1)


def make_labels(
    street: Street,
    rig: Calibration,
    camera: Camera | None = None,
    hits: Hits | None = None,
    extents: Extents | None = None,
    slots: tuple[Tensor, Tensor] | None = None,
) -> Labels:
    """Labels from a full picture's hits and extents, or (without them) from a coarse cast: rows exact to COARSE[0]
    pixels."""
    step = (1, 1)
    if hits is None:
        camera, step = Camera(rig, street.device, COARSE, (4, 8)), COARSE
        slots = slots_of(street, camera)
        extents = Extents(len(slots[0]), street.device)
        hits = cast(
            street.prims, street.frame, street.count, camera, slot=slots[1][street.prims.object], extents=extents
        )
    index, slot = slots
    prim = hits.prim[:, : camera.size[0], : camera.size[1]]
    prim = prim if step != (1, 1) else prim[:, :: COARSE[0], :: COARSE[1]]
    scene = torch.where(prim >= 0, street.prims.object[prim.clamp_min(0)], prim) if len(street.prims.object) else prim
    o = {name: value[index] for name, value in street.objects.items()}
    box = torch.stack([o["x"], o["y"], o["z"] + o["h"] / 2, o["l"], o["w"], o["h"], o["yaw"]], -1)
    low, high = extents.low, extents.high
    limit = torch.tensor([HEIGHT - 1, WIDTH - 1], device=box.device)
    scale = torch.tensor(step, device=box.device)
    low, high = torch.minimum(low * scale, limit), torch.minimum(high * scale, limit)
    rect = torch.stack([low[:, 1], low[:, 0], high[:, 1], high[:, 0]], -1).float()
    visible = _visible(street, rig, index, slot, scene) if len(index) else box[:, 0]
    occlusion = (visible < 0.82).long() + (visible < 0.48).long() + (visible < LEAST_VISIBLE).long()
    care = (visible >= LEAST_VISIBLE) & (rect[:, 3] - rect[:, 1] >= LEAST_HEIGHT) & (o["x"] < FARTHEST)
    labels = Labels(
        index,
        street.frame_of_object[index],
        o["cls"].long(),
        box,
        rect,
        _truncation(camera, box),
        visible,
        occlusion,
        care,
    )
    inside = ((extents.high[:, 0] >= 0) & (rect[:, 2] > rect[:, 0]) & (rect[:, 3] > rect[:, 1])).nonzero().flatten()
    inside = inside[labels.frame[inside].argsort(stable=True)]
    return labels.take(inside)
