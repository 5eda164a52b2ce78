"""Batches of LiDAR sweeps from a pool that lies in the device's memory, and their augmentation there."""

from typing import NamedTuple

import torch
from torch import Tensor

from .config import Training

IGNORED = -1  # class of an object that is neither to be found nor wrong to find


class Pool(NamedTuple):
    """Sweeps one after the other. `offsets` and `box_offsets` [N + 1] say where each sweep's points and boxes start."""

    points: Tensor  # [P, C] float32: x, y, z, ...
    offsets: Tensor  # [N + 1] int64
    boxes: Tensor  # [M, 9] float32: sweep, class or IGNORED, centre x, y, z, length, width, height, yaw
    box_offsets: Tensor  # [N + 1] int64

    def __len__(self) -> int:
        return len(self.offsets) - 1


class Batch(NamedTuple):
    points: Tensor  # [P, C] float32
    frame: Tensor  # [P] int64
    boxes: Tensor  # [M, 9] float32, the first number the frame


def make_pool(points: Tensor, offsets: Tensor, boxes: Tensor) -> Pool:
    """A pool of sweeps, and boxes in any order."""
    boxes = boxes[boxes[:, 0].argsort(stable=True)]
    sweeps = torch.arange(len(offsets), device=boxes.device, dtype=boxes.dtype)
    return Pool(points, offsets, boxes, torch.searchsorted(boxes[:, 0].contiguous(), sweeps))


def segments(offsets: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of all rows of segments `picks`, and which of the picks each row belongs to."""
    starts, lengths = offsets[picks], offsets[picks + 1] - offsets[picks]
    owner = torch.repeat_interleave(lengths)
    ends = lengths.cumsum(0)
    row = torch.arange(len(owner), device=offsets.device) - (ends - lengths)[owner] + starts[owner]
    return row, owner


def take(pool: Pool, picks: Tensor) -> Batch:
    """The sweeps `picks` [B] of a pool, as frames 0 to B - 1."""
    row, frame = segments(pool.offsets, picks)
    box_row, box_frame = segments(pool.box_offsets, picks)
    boxes = pool.boxes[box_row]
    return Batch(pool.points[row], frame, torch.cat([box_frame[:, None].to(boxes.dtype), boxes[:, 1:]], 1))


def transform(batch: Batch, angle: Tensor, scale: Tensor, mirror: Tensor) -> Batch:
    """Each frame turned by `angle` [B], scaled by `scale` [B], mirrored by the signs `mirror` [B, 2] of x and y."""
    points, frame, boxes = batch
    cos, sin = (angle.cos() * scale), (angle.sin() * scale)

    def move(xyz: Tensor, of: Tensor) -> Tensor:
        x, y, z = xyz.unbind(1)
        turned = torch.stack([x * cos[of] - y * sin[of], x * sin[of] + y * cos[of]], 1)
        return torch.cat([turned * mirror[of], (z * scale[of])[:, None]], 1)

    of = boxes[:, 0].long()
    yaw = boxes[:, 8] + angle[of]
    heading = torch.stack([yaw.cos(), yaw.sin()], 1) * mirror[of]
    size = boxes[:, 5:8] * scale[of][:, None]
    yaw = torch.atan2(heading[:, 1], heading[:, 0])[:, None]
    boxes = torch.cat([boxes[:, :2], move(boxes[:, 2:5], of), size, yaw], 1)
    return Batch(torch.cat([move(points[:, :3], frame), points[:, 3:]], 1), frame, boxes)


def augment(batch: Batch, frames: int, settings: Training) -> Batch:
    """The batch, each frame randomly turned, scaled and mirrored."""
    uniform = torch.rand(4, frames, device=batch.points.device)
    low, high = settings.scaling
    flips = torch.tensor([settings.flip_x, settings.flip_y], device=uniform.device)
    mirror = torch.where((uniform[2:].T < 0.5) & flips, -1.0, 1.0)
    return transform(batch, (2 * uniform[0] - 1) * settings.rotation, low + (high - low) * uniform[1], mirror)
