"""Windows and sets of DSVT's attention (Wang et al., "DSVT: Dynamic Sparse Voxel Transformer with Rotated Sets", 2023).

Integer arithmetic and sorts of distinct keys only: the same on every device and in every order of the points.
"""

from typing import NamedTuple, Sequence

import torch
from torch import Tensor


class Sets(NamedTuple):
    """One partition. Axis 0 of each tensor is the order within windows: 0 x fastest ("y sorted"), 1 y fastest."""

    inds: Tensor  # [2, S, T] int64: voxel of each slot
    mask: Tensor  # [2, S, T] bool: true where a slot repeats the one before it
    first: Tensor  # [2, N] int64: the unmasked slot, of S * T, of each voxel


def window_partition(
    coords: Tensor, grid: Sequence[int], window: Sequence[int], shift: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Window number [N] and place in the window [N, 3] (x, y, z), both int64, of voxels [N, 4] (frame, z, y, x).

    grid, window and shift are x, y, z; the shift is added. A window as high as the grid isn't shifted in z.
    """
    frame, z, y, x = coords.long().unbind(1)
    shift = [shift[0], shift[1], 0 if grid[2] == window[2] else shift[2]]
    # One window more than fits, for the shift.
    nx, ny, nz = (-(-g // w) + 1 for g, w in zip(grid, window))
    x, y, z = x + shift[0], y + shift[1], z + shift[2]
    number = ((frame * nx + x // window[0]) * ny + y // window[1]) * nz + z // window[2]
    return number, torch.stack([x % window[0], y % window[1], z % window[2]], 1)


def set_partition(number: Tensor, place: Tensor, window: Sequence[int], set_size: int) -> Sets:
    """Splits each window's voxels evenly into as few sets of `set_size` slots as hold them.

    Set j of s in a window of n voxels takes in slot k the voxel of rank (j T + k) n / (s T), rounded down, so that
    slots left over repeat the voxel before them.
    """
    x, y, z = place.unbind(1)
    wx, wy, wz = window
    volume = wx * wy * wz
    _, sizes = torch.unique(number, return_counts=True)
    sets = (sizes + set_size - 1) // set_size
    of_set = torch.repeat_interleave(sets)  # [S] the window, by rank, of each set
    start_voxel, start_set = sizes.cumsum(0) - sizes, sets.cumsum(0) - sets
    slot = (torch.arange(len(of_set), device=x.device) - start_set[of_set])[:, None] * set_size
    slot = slot + torch.arange(set_size, device=x.device)
    rank = slot * sizes[of_set][:, None] // (sets[of_set][:, None] * set_size)
    voxel = start_voxel[of_set][:, None] + rank
    orders = [(number * volume + key).argsort() for key in ((y * wx + x) * wz + z, (x * wy + y) * wz + z)]
    inds = torch.stack([order[voxel] for order in orders])
    mask = torch.zeros_like(inds, dtype=torch.bool)
    mask[:, :, 1:] = inds[:, :, 1:] == inds[:, :, :-1]
    first = torch.empty(2, len(number), dtype=torch.int64, device=x.device)
    # Both axes' masks are the same, as they follow the ranks only.
    unmasked = (~mask[0]).flatten().nonzero()[:, 0]
    for axis in range(2):
        first[axis, inds[axis].flatten()[unmasked]] = unmasked
    return Sets(inds, mask, first)
