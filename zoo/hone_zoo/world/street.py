"""Scenes on a device, ready to be cast: objects, road and primitives of a batch of frames."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .cast import Hits, cast
from .ground import ground_material, hit_ground
from .layout import OBJECT, Scenes, make_scenes
from .models import build
from .sensors import Grid


class Street:
    """`count` frames; `objects`: column -> [M] (and `salt`, int32, that sets an object's noise apart), `road`: name
    -> [F], `prims` with `frame` [P] and their `owner` objects."""

    def __init__(self, scenes: Scenes, device: torch.device | str) -> None:
        self.device, self.count = torch.device(device), scenes.count
        table = torch.from_numpy(scenes.objects).to(self.device)
        self.objects = {name: table[:, k] for k, name in enumerate(OBJECT)}
        self.frame_of_object = self.objects["frame"].long()
        self.road = {
            name: torch.from_numpy(np.ascontiguousarray(value)).float().to(self.device)
            for name, value in scenes.road.items()
        }
        counts = torch.bincount(self.frame_of_object, minlength=self.count)
        serial = torch.arange(len(table), device=self.device) - (counts.cumsum(0) - counts)[self.frame_of_object]
        self.objects["salt"] = serial.to(torch.int32) * 7919 + self.salt()[self.frame_of_object]
        self.prims = build(self.objects)
        self.frame = self.frame_of_object[self.prims.object]

    def salt(self) -> Tensor:
        """An int32 per frame that sets its noise apart."""
        return (self.road["salt"] * 16000000.0).to(torch.int32)

    def per_frame(self, *index) -> dict[str, Tensor]:
        """The road's values with trailing axes, `road[name][index]`."""
        return {name: value[index] for name, value in self.road.items()}


def make_street(seed: int, indices: np.ndarray, device: torch.device | str) -> Street:
    return Street(make_scenes(seed, np.asarray(indices)), device)


class View:
    """What a sensor's grid sees: t, object [F, R, C] (-1 ground or nothing), material, cut to the grid's size.

    `t` is inf in the sky. `prim` is the primitive (-1 if none), `face` whether a ground point is a kerb's face.
    """

    def __init__(self, street: Street, grid: Grid, hits: Hits | None = None) -> None:
        hits = hits or cast(street.prims, street.frame, street.count, grid)
        rows, cols = grid.size
        prim, t = hits.prim[:, :rows, :cols], hits.t[:, :rows, :cols]
        d = [grid.rows[None, :rows, None, k] + grid.cols[None, None, :cols, k] for k in range(3)]
        o = [grid.row_origin[None, :rows, None, k] for k in range(3)]
        road = street.per_frame(slice(None), None, None)
        soil, face = hit_ground(road, tuple(o), tuple(d))
        ground = soil < t
        t = torch.minimum(t, soil)
        self.t = torch.where(t < 1e8, t, torch.full_like(t, float("inf")))
        self.prim = torch.where(ground, torch.full_like(prim, -1), prim)
        reach = self.t.clamp_max(2000.0)
        self.point = torch.stack([o[k] + reach * d[k] for k in range(3)], -1)
        self.direction = d
        if len(street.prims.material):
            material = street.prims.material[self.prim.clamp_min(0)]
            self.object = torch.where(self.prim >= 0, street.prims.object[self.prim.clamp_min(0)], self.prim)
        else:
            material, self.object = torch.zeros_like(self.prim), self.prim
        floor = ground_material(road, self.point[..., 0], self.point[..., 1], face)
        self.material = torch.where(self.prim >= 0, material, floor)
        self.face = face & ground

    @staticmethod
    def ground_normal(road: dict[str, Tensor], point: Tensor) -> Tensor:
        slope = road["pitch"] + road["curve"] * point[..., 0]
        normal = torch.stack([-slope, -road["roll"] + 0 * slope, 1 + 0 * slope], -1)
        return normal / normal.norm(dim=-1, keepdim=True)
