"""Hash noise in torch: the same on every device, no generator state."""

from __future__ import annotations

import torch
from torch import Tensor


def hash3(x: Tensor, y: Tensor, z: Tensor | int) -> Tensor:
    """Uniform numbers in [0, 1) from three int32 keys (broadcast)."""
    h = x * 374761393 + y * 668265263
    h = h + z * 1440662683
    h = (h ^ ((h >> 13) & 0x7FFFF)) * 1274126177
    h = (h ^ ((h >> 16) & 0xFFFF)) * 668265295
    h = h ^ ((h >> 15) & 0x1FFFF)
    return (h & 0xFFFFFF).float() * (1.0 / 16777216.0)


def cell(value: Tensor) -> Tensor:
    """The int32 index of the unit cell that holds each value."""
    return torch.floor(value).to(torch.int32)


def smooth_noise(x: Tensor, y: Tensor, salt: Tensor | int) -> Tensor:
    """Value noise in [0, 1) with unit cells, continuous in x and y."""
    x0, y0 = torch.floor(x), torch.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    ix, iy = x0.to(torch.int32), y0.to(torch.int32)
    low = torch.lerp(hash3(ix, iy, salt), hash3(ix + 1, iy, salt), fx)
    high = torch.lerp(hash3(ix, iy + 1, salt), hash3(ix + 1, iy + 1, salt), fx)
    return torch.lerp(low, high, fy)


def normal_noise(x: Tensor, y: Tensor, salt: Tensor | int) -> Tensor:
    """Nearly normal numbers (the scaled sum of four uniform ones), at most 3.46 from zero."""
    total = (
        hash3(x, y, salt)
        + hash3(x, y, salt + 7919)
        + hash3(y, x, salt + 104729)
        + hash3(x + 17, y + 31, salt + 1299709)
    )
    return (total - 2.0) * 1.7320508
