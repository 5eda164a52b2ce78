"""CenterPoint's training targets, for a whole batch at once."""

from typing import NamedTuple

import torch
from torch import Tensor

from .config import Config


class Targets(NamedTuple):
    heat: Tensor  # [B, classes, ny, nx] float32: 1 at objects' centres, falling off around them
    frame: Tensor  # [M] int64
    cell: Tensor  # [M] int64: y * nx + x of the centre
    values: Tensor  # [M, 8] float32: what center, center_z, dim and rot should hold at the cell
    boxes: Tensor  # [M, 7] float32: the objects themselves


def gaussian_radius(length: Tensor, width: Tensor, overlap: float) -> Tensor:
    """How far [M], in cells, a centre may be off for a box to keep IoU `overlap`, as CenterNet's published code has it.

    Of its three quadratic equations the code takes (b + root) / 2 without dividing by the leading coefficient.
    """
    total, area = length + width, length * width
    one = (total + (total**2 - 4 * area * (1 - overlap) / (1 + overlap)).sqrt()) / 2
    two = (2 * total + (4 * total**2 - 16 * (1 - overlap) * area).sqrt()) / 2
    three = (-2 * overlap * total + (4 * overlap**2 * total**2 + 16 * overlap * (1 - overlap) * area).sqrt()) / 2
    return torch.minimum(torch.minimum(one, two), three)


def draw_heat(heat: Tensor, frame: Tensor, label: Tensor, x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    """`heat` [B, classes, ny, nx] raised to a Gaussian around each integer x, y [M], cut at `radius` [M] (3 sigma)."""
    _, classes, ny, nx = heat.shape
    reach = int(radius.max()) if len(radius) else 0
    step = torch.arange(-reach, reach + 1, device=heat.device)
    dy, dx = step[:, None], step[None]
    sigma = (2 * radius + 1).float()[:, None, None] / 6
    patch = torch.exp(-(dx**2 + dy**2) / (2 * sigma**2))  # [M, D, D]
    px, py = x[:, None, None] + dx, y[:, None, None] + dy
    limit = radius[:, None, None]
    inside = (dx.abs() <= limit) & (dy.abs() <= limit) & (px >= 0) & (px < nx) & (py >= 0) & (py < ny)
    index = ((frame * classes + label)[:, None, None] * ny + py) * nx + px
    return heat.flatten().scatter_reduce(0, index[inside], patch[inside], "amax").view_as(heat)


def assign(boxes: Tensor, frames: int, config: Config) -> Targets:
    """Targets of `boxes` [M, 9]: frame, class, centre x, y, z, length, width, height, yaw.

    Boxes of a class that isn't the detector's, or with the centre out of range, are left out.
    """
    nx, ny, _ = config.grid()
    low, size = boxes.new_tensor(config.points.range[:2]), boxes.new_tensor(config.pillars.size[:2])
    place = (boxes[:, 2:4] - low) / size
    inside = (place >= 0).all(1) & (place[:, 0] < nx) & (place[:, 1] < ny)
    inside &= (boxes[:, 1] >= 0) & (boxes[:, 1] < len(config.classes))
    boxes, place = boxes[inside], place[inside]
    frame, label, objects = boxes[:, 0].long(), boxes[:, 1].long(), boxes[:, 2:]
    x, y = place.long().unbind(1)
    length, width = (objects[:, 3:5] / size).unbind(1)
    radius = gaussian_radius(length, width, config.targets.overlap).long().clamp(min=config.targets.min_radius)
    heat = draw_heat(boxes.new_zeros(frames, len(config.classes), ny, nx), frame, label, x, y, radius)
    yaw = objects[:, 6]
    parts = [place - place.floor(), objects[:, 2:3], objects[:, 3:6].log(), yaw.cos()[:, None], yaw.sin()[:, None]]
    return Targets(heat, frame, y * nx + x, torch.cat(parts, 1), objects)
