"""The ray caster: nearest primitive of every ray of a sensor's grid, for many frames at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .noise import cell, hash3
from .sensors import Grid
from .shapes import GROUPS, Prims

EMPTY = torch.iinfo(torch.int64).max


@dataclass
class Hits:
    """t [F, R, C] (inf where nothing is hit) and the primitive's number (-1); R, C padded to whole tiles."""

    t: Tensor
    prim: Tensor


@dataclass
class _Rays:
    """Rays of a chunk of tiles: parts of the direction and the origin, [T, rows or columns, 3]."""

    v: Tensor
    u: Tensor
    origin: Tensor
    col_origin: Tensor | None

    def project(self, axes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Products with axes [T, K, 3]: row and column parts of the direction's and of the origin's, [T, K, R or
        C]."""

        def product(part: Tensor) -> Tensor:
            return (axes[:, :, None, :] * part[:, None]).sum(-1)

        return (
            product(self.v),
            product(self.u),
            product(self.origin),
            None if self.col_origin is None else product(self.col_origin),
        )


def _outer(row: Tensor, col: Tensor | None) -> Tensor:
    return row[:, :, None] if col is None else row[:, :, None] + col[:, None, :]


def _slabs(coef: Tensor, rays: _Rays) -> tuple[Tensor, Tensor]:
    """Where the rays enter and leave the intersection of half spaces."""
    v, u, origin, col_origin = rays.project(coef[..., :3])
    enter, leave = None, None
    for k in range(coef.shape[1]):
        speed = _outer(v[:, k], u[:, k])
        gap = coef[:, k, 3, None, None] - _outer(origin[:, k], None if col_origin is None else col_origin[:, k])
        t = gap / speed
        inward = speed < 0
        low, high = t.masked_fill(~inward, -1e9), t.masked_fill(inward, 1e9)
        enter = low if enter is None else torch.maximum(enter, low)
        leave = high if leave is None else torch.minimum(leave, high)
    return enter, leave


def _quadric(coef: Tensor, rays: _Rays, tube: bool, hole: Tensor) -> tuple[Tensor, Tensor]:
    """Where the rays enter and leave the unit sphere or the cylinder |z| <= 1 of each affine map."""
    v, u, origin, col_origin = rays.project(coef[..., :3])
    d = [_outer(v[:, k], u[:, k]) for k in range(3)]
    o = [_outer(origin[:, k] + coef[:, k, 3, None], None if col_origin is None else col_origin[:, k]) for k in range(3)]
    axes = 2 if tube else 3
    a, b, c = (
        sum(d[k] * d[k] for k in range(axes)),
        sum(d[k] * o[k] for k in range(axes)),
        sum(o[k] * o[k] for k in range(axes)) - 1.0,
    )
    inside = b * b - a * c
    root = inside.clamp_min(0).sqrt()
    enter, leave = (-b - root) / a, (-b + root) / a
    enter = enter.masked_fill(inside <= 0, 1e9)
    if tube:
        first, second = (-1.0 - o[2]) / d[2], (1.0 - o[2]) / d[2]
        enter = torch.maximum(enter, torch.minimum(first, second))
        leave = torch.minimum(leave, torch.maximum(first, second))
        hole = hole[:, None, None]
        if bool((hole > 0).any()):
            x, y = o[0] + enter * d[0], o[1] + enter * d[1]
            spoke = hash3(cell(torch.atan2(y, x) * 3.5), cell(x * 0), 5) < 0.12
            enter = enter.masked_fill((x * x + y * y < hole * hole) & ~spoke & (hole > 0), 1e9)
    return enter, leave


def _points(t: Tensor, rays: _Rays) -> tuple[Tensor, Tensor, Tensor]:
    out = []
    for k in range(3):
        start = _outer(rays.origin[..., k], None if rays.col_origin is None else rays.col_origin[..., k])
        out.append(start + t * _outer(rays.v[..., k], rays.u[..., k]))
    return out[0], out[1], out[2]


def _leafy(enter: Tensor, leave: Tensor, rays: _Rays, salt: Tensor, depth: float) -> Tensor:
    """Sinks each clump and leaf of a crown by its own random share of `depth` metres of t; what sinks through is a
    gap."""
    x, y, z = _points(enter.clamp(0.0, 500.0), rays)
    salt = salt[:, None, None]
    # Leaves are round, lie askew, and grow with the distance, as a pixel or a laser's spot covers more of them.
    scale = 11.0 / ((enter > 30.0).float() + 1.0)
    a, b, c = (
        (0.8 * x + 0.6 * z) * scale,
        (0.36 * x + 0.8 * y - 0.48 * z) * scale,
        (0.64 * z - 0.48 * x + 0.6 * y) * scale,
    )
    leaf = hash3(cell(a), cell(b), cell(c) + salt)
    a, b, c = a - torch.floor(a) - 0.5, b - torch.floor(b) - 0.5, c - torch.floor(c) - 0.5
    leaf = torch.where(a * a + b * b + c * c < 0.27, leaf, 0.6 + 0.4 * leaf)
    clump = hash3(cell(x * 2.9), cell(y * 2.9), cell(z * 2.9) + salt)
    sunk = enter + depth * (leaf * leaf * 0.6 + clump * clump)
    return torch.where((sunk < leave) & (leaf < 0.96), sunk, torch.full_like(sunk, 1e9))


def _pales(enter: Tensor, rays: _Rays, frame: Tensor) -> Tensor:
    """Opens the gaps between the pales of a fence; frame [T, 4]: its direction and an offset."""
    x, y, _ = _points(enter.clamp(0.0, 500.0), rays)
    f = frame[:, :, None, None]
    along = x * f[:, 0] + y * f[:, 1] + f[:, 3]
    pitch = 0.13
    share = along / pitch - torch.floor(along / pitch)
    return enter.masked_fill(share > 0.42, 1e9)


def _enter(group: str, coef: Tensor, extra: Tensor, rays: _Rays, salt: Tensor, tmin: float) -> Tensor:
    """t of the visible hit, 1e9 where there is none."""
    if group in ("ball", "leaf", "tube"):
        enter, leave = _quadric(coef, rays, group == "tube", extra[:, 0])
    else:
        enter, leave = _slabs(coef, rays)
    t = torch.where((enter < leave) & (enter > tmin), enter, torch.full_like(enter, 1e9))
    if group in ("leaf", "hedge"):
        return _leafy(t, leave, rays, salt, 1.3 if group == "leaf" else 0.35)
    return _pales(t, rays, extra) if group == "fence" else t


def _tiles(grid: Grid, corners: Tensor, frame: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(primitive, tile row, tile column) of every tile that a primitive's box can touch."""
    first_col, last_col, first_row, last_row = grid.rect(corners, frame)
    (rows, cols), (tile_r, tile_c) = grid.size, grid.tile
    r0, r1 = torch.floor(first_row).clamp(0, rows), torch.ceil(last_row).clamp(-1, rows - 1)
    c0, c1 = torch.floor(first_col).clamp(0, cols), torch.ceil(last_col).clamp(-1, cols - 1)
    seen = ((r1 >= r0) & (c1 >= c0)).nonzero().flatten()
    tr0, tc0 = (r0[seen] / tile_r).long(), (c0[seen] / tile_c).long()
    wide = (c1[seen] / tile_c).long() - tc0 + 1
    count = ((r1[seen] / tile_r).long() - tr0 + 1) * wide
    which = torch.repeat_interleave(torch.arange(len(seen), device=seen.device), count)
    serial = torch.arange(len(which), device=seen.device) - (torch.cumsum(count, 0) - count)[which]
    return seen[which], tr0[which] + serial // wide[which], tc0[which] + serial % wide[which]


def default_budget(device: torch.device) -> int:
    """Rays tried at once: many on a GPU to keep it busy, few on a CPU to stay in its caches."""
    return 1 << (24 if device.type == "cuda" else 17)


class Extents:
    """Smallest and largest row and column of every slot's hits, whether or not something hides them; first > last if
    none."""

    def __init__(self, slots: int, device: torch.device) -> None:
        self.low = torch.full((slots, 2), 1 << 20, dtype=torch.int64, device=device)
        self.high = torch.full((slots, 2), -1, dtype=torch.int64, device=device)

    def take(self, hit: Tensor, slot: Tensor, row: Tensor, col: Tensor) -> None:
        """hit [T, r, c] of tiles whose first row and column are row, col [T]; slot -1 is left out."""
        if len(self.low) == 0:
            return
        for axis, start in ((0, row), (1, col)):
            line = hit.any(2 - axis)
            place = start[:, None] + torch.arange(line.shape[1], device=line.device)
            low = torch.where(line, place, torch.full_like(place, 1 << 20)).amin(1)
            high = torch.where(line, place, torch.full_like(place, -1)).amax(1)
            index = slot.clamp_min(0)
            low, high = low.masked_fill(slot < 0, 1 << 20), high.masked_fill(slot < 0, -1)
            self.low[:, axis].scatter_reduce_(0, index, low, "amin")
            self.high[:, axis].scatter_reduce_(0, index, high, "amax")


def cast(
    prims: Prims,
    frame: Tensor,
    frames: int,
    grid: Grid,
    budget: int = 0,
    only: Tensor | None = None,
    slot: Tensor | None = None,
    extents: Extents | None = None,
    sensor_frame: Tensor | None = None,
) -> Hits:
    """The nearest hit of every ray of `frames` copies of the grid.

    frame [P]: the copy each primitive is seen in; only [P] bool: which take part; slot [P] and extents: where to note
    how far each object reaches. Memory follows `budget`, the number of (ray, primitive) pairs tried at once.
    """
    device = prims.corners.device
    budget = budget or default_budget(device)
    (tile_r, tile_c), rows, cols = grid.tile, len(grid.rows), len(grid.cols)
    best = torch.full((frames * rows * cols,), EMPTY, dtype=torch.int64, device=device)
    chunk = max(1, budget // (tile_r * tile_c))
    v, u = grid.rows.view(-1, tile_r, 3), grid.cols.view(-1, tile_c, 3)
    start = grid.row_origin.reshape(-1, tile_r, 3)
    side = None if grid.col_origin is None else grid.col_origin.view(-1, tile_c, 3)
    inner = (torch.arange(tile_r, device=device)[:, None] * cols + torch.arange(tile_c, device=device)).flatten()
    for group in GROUPS:
        first, count = prims.first[group], len(prims.coef[group])
        members = torch.arange(first, first + count, device=device)
        if only is not None:
            members = members[only[first : first + count]]
        if not len(members):
            continue
        which, tile_row, tile_col = _tiles(grid, prims.corners[members], frame[members])
        which = members[which]
        for low in range(0, len(which), chunk):
            prim, tr, tc = which[low : low + chunk], tile_row[low : low + chunk], tile_col[low : low + chunk]
            shown = frame[prim]
            rays = _Rays(v[tr], u[tc], start[tr], None if side is None else side[tc])
            if grid.frame_direction is not None:
                rays.v = rays.v + grid.frame_direction[shown][:, None]
                rays.origin = rays.origin + grid.frame_origin[shown][:, None]
            t = _enter(
                group,
                prims.coef[group][prim - first],
                prims.extra[group][prim - first],
                rays,
                prims.salt[prim],
                grid.nearest,
            )
            hit = t < 1e8
            if extents is not None:
                extents.take(hit, slot[prim], tr * tile_r, tc * tile_c)
            found = hit.flatten().nonzero().flatten()
            owner = found // (tile_r * tile_c)
            key = (t.flatten()[found].view(torch.int32).long() << 32) | prim[owner]
            base = (shown * rows + tr * tile_r) * cols + tc * tile_c
            best.scatter_reduce_(0, base[owner] + inner[found - owner * (tile_r * tile_c)], key, "amin")
    free = best == EMPTY
    depth = (best >> 32).to(torch.int32).view(torch.float32).masked_fill(free, float("inf"))
    number = (best & 0xFFFFFFFF).masked_fill(free, -1)
    return Hits(depth.view(frames, rows, cols), number.view(frames, rows, cols))


def normals(prims: Prims, prim: Tensor, points: Tensor) -> Tensor:
    """Outward unit normals of primitives [n] at points [n, 3] of their surfaces."""
    out = torch.zeros_like(points)
    for group in GROUPS:
        first, count = prims.first[group], len(prims.coef[group])
        index = ((prim >= first) & (prim < first + count)).nonzero().flatten()
        if not len(index):
            continue
        coef, p = prims.coef[group][prim[index] - first], points[index]
        value = (coef[..., :3] * p[:, None]).sum(-1)
        if group in ("ball", "leaf", "tube"):
            q = value + coef[..., 3]
            if group == "tube":
                cap = q[:, 2].abs() > (q[:, 0] ** 2 + q[:, 1] ** 2).sqrt()
                q = torch.where(cap[:, None], q * q.new_tensor([0.0, 0.0, 1.0]), q * q.new_tensor([1.0, 1.0, 0.0]))
            normal = (coef[..., :3] * q[..., None]).sum(1)
            out[index] = normal / normal.norm(dim=-1, keepdim=True).clamp_min(1e-9)
        else:
            real = coef[..., :3].abs().sum(-1) > 0
            face = (value - coef[..., 3]).masked_fill(~real, -1e9).argmax(1)
            out[index] = coef[torch.arange(len(index), device=p.device), face, :3]
    return out
