"""Objects as unions of convex primitives, built for all objects of a kind at once.

Groups (name -> planes or rows of coefficients): `hull8`, `hull13` (half spaces n.p <= d), `hedge` (a leafy hull8),
`fence` (a hull8 of pales), `ball`, `leaf` (ellipsoids, the latter leafy) and `tube` (finite cylinders), the last
three as an affine map to the unit sphere or cylinder.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .kinds import MATERIAL

GROUPS = ("hull8", "hull13", "hedge", "fence", "ball", "leaf", "tube")
PLANES = {"hull8": 8, "hull13": 13, "hedge": 8, "fence": 8}


@dataclass
class Prims:
    """Primitives in LiDAR coordinates, groups one after the other in the order of GROUPS.

    coef: group -> [N, K, 4] (planes n, d or rows of the map p -> A p + b); extra: group -> [N, 4] (tube: the radius
    of its hole; fence: the direction along it and an offset); corners [P, 8, 3] of a bounding box; object, material,
    salt [P]; first: group -> number of its first primitive.
    """

    coef: dict[str, Tensor]
    extra: dict[str, Tensor]
    corners: Tensor
    object: Tensor
    material: Tensor
    salt: Tensor
    first: dict[str, int]


class Builder:
    """Takes primitives in the frame of their objects and keeps them in LiDAR coordinates."""

    def __init__(self, objects: dict[str, Tensor]) -> None:
        """objects: column name -> [M]."""
        self.all, self.device = objects, objects["x"].device
        self.rows: dict[str, list[tuple[Tensor, ...]]] = {group: [] for group in GROUPS}

    def select(self, index: Tensor) -> None:
        """The objects that the following calls speak of."""
        self.index = index
        self.o = {name: value[index] for name, value in self.all.items()}
        cos, sin, zero = torch.cos(self.o["yaw"]), torch.sin(self.o["yaw"]), torch.zeros_like(self.o["yaw"])
        self.turn = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, zero + 1], -1).view(-1, 3, 3)
        self.place = torch.stack([self.o["x"], self.o["y"], self.o["z"]], -1)

    def full(self, value) -> Tensor:
        if isinstance(value, Tensor):
            return value.expand(len(self.index)) if value.dim() == 0 else value
        return torch.full((len(self.index),), float(value), device=self.device)

    def vector(self, *values) -> Tensor:
        return torch.stack([self.full(value) for value in values], -1)

    def _keep(
        self, group: str, coef: Tensor, extra: Tensor, corners: Tensor, material: str, only: Tensor | None
    ) -> None:
        mat = torch.full((len(self.index),), MATERIAL[material], device=self.device)
        row = (coef, extra, corners, self.index, mat)
        self.rows[group].append(tuple(part[only] for part in row) if only is not None else row)

    def _planes(
        self,
        group: str,
        normals: list[Tensor],
        dists: list[Tensor],
        corners: Tensor,
        material: str,
        only: Tensor | None,
        extra: Tensor | None = None,
    ) -> None:
        normal, dist = torch.stack(normals, 1), torch.stack(dists, 1)
        size = normal.norm(dim=-1).clamp_min(1e-9)
        flat = size < 1e-6
        normal, dist = normal / size[..., None], dist / size
        normal = torch.where(flat[..., None], torch.zeros_like(normal), normal)
        dist = torch.where(flat, torch.ones_like(dist), dist)
        world = (self.turn[:, None] * normal[:, :, None, :]).sum(-1)
        dist = dist + (world * self.place[:, None]).sum(-1)
        coef = torch.cat([world, dist[..., None]], -1)
        missing = PLANES[group] - coef.shape[1]
        if missing:
            spare = torch.tensor([0.0, 0.0, 0.0, 1.0], device=self.device).expand(len(coef), missing, 4)
            coef = torch.cat([coef, spare], 1)
        self._keep(
            group,
            coef,
            torch.zeros_like(self.vector(0, 0, 0, 0)) if extra is None else extra,
            self._to_world(corners),
            material,
            only,
        )

    def _to_world(self, points: Tensor) -> Tensor:
        return (self.turn[:, None] * points[:, :, None, :]).sum(-1) + self.place[:, None]

    def _box_corners(self, low: Tensor, high: Tensor) -> Tensor:
        pick = torch.tensor([[i & 1, (i >> 1) & 1, i >> 2] for i in range(8)], device=self.device, dtype=low.dtype)
        return low[:, None] + (high - low)[:, None] * pick

    def hull(
        self,
        profile: list[tuple],
        half_low,
        half_high,
        material: str,
        centre_y=0.0,
        cut=None,
        cut_rear=None,
        along_y: bool = False,
        group: str = "hull8",
        only: Tensor | None = None,
    ) -> None:
        """A convex outline in (x, z), counter-clockwise, widened to |y - centre_y| <= half (of its lowest to its
        highest z).

        cut, cut_rear: (length, width) cut off the vertical edges at the front and the rear. along_y: the outline lies
        in (y, z) instead and centre_y and half are those of x.
        """
        xs, zs = [self.full(p[0]) for p in profile], [self.full(p[1]) for p in profile]
        x_low, x_high = torch.stack(xs).amin(0), torch.stack(xs).amax(0)
        z_low, z_high = torch.stack(zs).amin(0), torch.stack(zs).amax(0)
        half_low, half_high, mid, zero = self.full(half_low), self.full(half_high), self.full(centre_y), self.full(0.0)
        flat = []  # (along, across, up, distance)
        for i in range(len(xs)):
            j = (i + 1) % len(xs)
            nx, nz = zs[j] - zs[i], xs[i] - xs[j]
            flat.append((nx, zero, nz, nx * xs[i] + nz * zs[i]))
        lean = (half_low - half_high) / (z_high - z_low).clamp_min(1e-3)
        for sign in (1.0, -1.0):
            flat.append((zero, zero + sign, lean, half_low + lean * z_low + sign * mid))
        half = torch.maximum(half_low, half_high)
        for corner, sign_x, edge in ((cut, 1.0, x_high), (cut_rear, -1.0, -x_low)):
            if corner is not None:
                length, width = self.full(corner[0]), self.full(corner[1])
                for sign in (1.0, -1.0):
                    flat.append(
                        (
                            sign_x * width,
                            sign * length,
                            zero,
                            edge * width + length * (half - width) + sign * length * mid,
                        )
                    )
        order = (1, 0, 2) if along_y else (0, 1, 2)
        normals = [torch.stack([plane[k] for k in order], -1) for plane in flat]
        low, high = torch.stack([x_low, mid - half, z_low], -1), torch.stack([x_high, mid + half, z_high], -1)
        corners = self._box_corners(low[:, order], high[:, order])
        self._planes(group, normals, [plane[3] for plane in flat], corners, material, only)

    def box(self, centre: tuple, size: tuple, material: str, group: str = "hull8", only: Tensor | None = None) -> None:
        """centre: x, y and the lower z; size: length, width, height."""
        x, y, z = (self.full(v) for v in centre)
        length, width, height = (self.full(v) for v in size)
        low = torch.stack([x - length / 2, y - width / 2, z], -1)
        high = torch.stack([x + length / 2, y + width / 2, z + height], -1)
        normals, dists = [], []
        for axis in range(3):
            for sign, bound in ((1.0, high), (-1.0, -low)):
                normal = torch.zeros_like(low)
                normal[:, axis] = sign
                normals.append(normal)
                dists.append(bound[:, axis])
        along = self.turn[:, :, 0]
        offset = -(along * self.place).sum(-1)
        self._planes(
            group, normals, dists, self._box_corners(low, high), material, only, torch.cat([along, offset[:, None]], -1)
        )

    def _affine(self, group: str, axes: Tensor, radii: Tensor, centre: Tensor, material: str, hole, only) -> None:
        """axes [N, 3, 3]: rows are the unit directions whose half lengths are radii [N, 3]."""
        world_axes = (self.turn[:, None] * axes[:, :, None, :]).sum(-1)
        rows = world_axes / radii[..., None]
        centre = self._to_world(centre[:, None])[:, 0]
        shift = -(rows * centre[:, None]).sum(-1)
        coef = torch.cat([rows, shift[..., None]], -1)
        signs = torch.tensor(
            [[(i & 1) * 2 - 1, (i & 2) - 1, (i >> 2) * 2 - 1] for i in range(8)], device=self.device, dtype=rows.dtype
        )
        corners = centre[:, None] + (signs[None, :, :, None] * (world_axes * radii[..., None])[:, None]).sum(2)
        self._keep(group, coef, self.vector(hole, 0, 0, 0), corners, material, only)

    def ball(self, centre: tuple, radii: tuple, material: str, leafy: bool = False, only: Tensor | None = None) -> None:
        axes = torch.eye(3, device=self.device).expand(len(self.index), 3, 3)
        self._affine("leaf" if leafy else "ball", axes, self.vector(*radii), self.vector(*centre), material, 0.0, only)

    def _between(self, a: tuple, b: tuple) -> tuple[Tensor, Tensor, Tensor]:
        """Axes (the third from a to b), the distance and the middle."""
        a, b = self.vector(*a), self.vector(*b)
        length = (b - a).norm(dim=-1).clamp_min(1e-4)
        third = (b - a) / length[:, None]
        side = torch.where(third[:, 2:].abs() < 0.9, self.vector(0, 0, 1), self.vector(1, 0, 0))
        first = torch.cross(side, third, dim=-1)
        first = first / first.norm(dim=-1, keepdim=True)
        return torch.stack([first, torch.cross(third, first, dim=-1), third], 1), length, (a + b) / 2

    def limb(self, a: tuple, b: tuple, radius, material: str, only: Tensor | None = None) -> None:
        """An ellipsoid whose poles are a and b."""
        axes, length, middle = self._between(a, b)
        radius = self.full(radius)
        self._affine("ball", axes, torch.stack([radius, radius, length / 2], -1), middle, material, 0.0, only)

    def tube(self, a: tuple, b: tuple, radius, material: str, hole=0.0, only: Tensor | None = None) -> None:
        """A cylinder from a to b; hole: the share of its radius that is open (a ring), all but some spokes."""
        axes, length, middle = self._between(a, b)
        radius = self.full(radius)
        self._affine("tube", axes, torch.stack([radius, radius, length / 2], -1), middle, material, hole, only)

    def finish(self) -> Prims:
        coef, extra, first, rest, total = {}, {}, {}, [], 0
        for group in GROUPS:
            first[group] = total
            if not self.rows[group]:
                planes = PLANES.get(group, 3)
                coef[group] = torch.zeros((0, planes, 4), device=self.device)
                extra[group] = torch.zeros((0, 4), device=self.device)
                continue
            columns = [torch.cat(part) for part in zip(*self.rows[group])]
            coef[group], extra[group] = columns[0], columns[1]
            rest.append(columns[2:])
            total += len(columns[0])
        if not rest:
            none = torch.zeros(0, dtype=torch.long, device=self.device)
            return Prims(
                coef, extra, torch.zeros((0, 8, 3), device=self.device), none, none, none.to(torch.int32), first
            )
        corners, owner, material = (torch.cat(part) for part in zip(*rest))
        return Prims(coef, extra, corners, owner, material, self.all["salt"][owner], first)
