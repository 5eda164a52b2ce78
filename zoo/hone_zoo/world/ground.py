"""The ground: a quadratic surface with kerbs, hit analytically, and what it is made of."""

from __future__ import annotations

import torch
from torch import Tensor

from .kinds import MATERIAL

Road = dict[str, Tensor]


def lateral(road: Road, x: Tensor, y: Tensor) -> Tensor:
    """Distance to the left of the road's centre line."""
    return y - x * (road["bend1"] + road["bend2"] * x)


def on_road(road: Road, x: Tensor, u: Tensor) -> Tensor:
    along = (u < road["left"]) & (u > road["right"])
    return along | ((x - road["cross"]).abs() < road["cross_half"])


def _root(road: Road, lift: Tensor | float, o: tuple, d: tuple) -> Tensor:
    """Smallest positive t at which o + t d lies on the ground raised by `lift`; 1e9 where it never does."""
    a = -0.5 * road["curve"] * d[0] * d[0]
    b = d[2] - road["pitch"] * d[0] - road["roll"] * d[1] - road["curve"] * o[0] * d[0]
    c = o[2] + road["height"] - lift - road["pitch"] * o[0] - road["roll"] * o[1] - 0.5 * road["curve"] * o[0] * o[0]
    inside = b * b - 4 * a * c
    below = -b + inside.clamp_min(0).sqrt()
    t = 2 * c / below
    return torch.where((inside >= 0) & (below > 1e-7) & (t < 400.0), t, torch.full_like(t, 1e9))


def hit_ground(road: Road, o: tuple, d: tuple) -> tuple[Tensor, Tensor]:
    """t of the ground along rays o + t d (triples of broadcastable tensors; road values broadcast too), and whether
    it is a kerb's upright face. 1e9: no ground."""

    def is_raised(t: Tensor) -> Tensor:
        t = t.clamp_max(500.0)
        x, y = o[0] + t * d[0], o[1] + t * d[1]
        return ~on_road(road, x, lateral(road, x, y))

    upper, lower = _root(road, road["kerb"], o, d), _root(road, 0.0, o, d)
    top = is_raised(upper) & (upper < 1e8)
    face = ~top & is_raised(lower) & (lower < 1e8) & (upper < 1e8)
    low, high = upper.clamp_max(500.0), lower.clamp_max(500.0)
    for _ in range(6):
        middle = 0.5 * (low + high)
        beyond = is_raised(middle)
        low, high = torch.where(beyond, low, middle), torch.where(beyond, middle, high)
    return torch.where(top, upper, torch.where(face, high, lower)), face


def ground_material(road: Road, x: Tensor, y: Tensor, face: Tensor) -> Tensor:
    """Material numbers (int64) of ground points."""
    u = lateral(road, x, y)
    street = on_road(road, x, u)
    beyond = torch.where(u > 0, u - road["left"], road["right"] - u)
    walk = torch.where(u > 0, road["walk_left"], road["walk_right"])

    def pick(name: str) -> Tensor:
        return torch.full_like(u, MATERIAL[name], dtype=torch.int64)

    beside = torch.where((road["beside"] > 0.5) & (beyond < walk + 9.0), pick("paving"), pick("grass"))
    material = torch.where(beyond < walk, pick("paving"), beside)
    material = torch.where(((beyond < 0.14) & (road["kerb"] > 0.035)) | face, pick("kerb"), material)
    material = torch.where(street & ~face, pick("asphalt"), material)
    return torch.where(_marks(road, x, u) & street & ~face, pick("mark"), material)


def _marks(road: Road, x: Tensor, u: Tensor) -> Tensor:
    """Lane marks: dashes between the lanes, lines at the edges, zebra crossings."""

    def dash(value: Tensor, period: float, share: float) -> Tensor:
        return value / period - torch.floor(value / period) < share

    cross = (x - road["cross"]).abs() < road["cross_half"] + 1.0
    middle = torch.where(road["left"] > 4.8, torch.full_like(road["left"], 1.75), road["left"] * 0 + 50.0)
    dashes = ((u - middle).abs() < 0.07) & dash(x + road["salt"] * 9, 8.0, 0.45) & (road["marks"] > 0.5)
    edges = (((u - road["left"] + 0.25).abs() < 0.06) | ((u - road["right"] - 0.25).abs() < 0.06)) & (
        road["marks"] > 1.5
    )
    zebra = ((x - road["zebra"]).abs() < 1.6) & dash(u + 0.25, 1.0, 0.5)
    return ((dashes | edges) & ~cross) | zebra
