"""Streets from a seed: what stands where. NumPy on the CPU, vectorised over scenes, the same on every machine.

Frame: the LiDAR's (x forward, y left, z up, metres). The road's centre line is y = bend1 x + bend2 x^2; `u` is the
distance to its left. The ground is z = -height + pitch x + roll y + curve x^2 / 2, and `kerb` higher beside the road.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fill import built, furniture, green, moving, parked, walkers
from .plan import COL, OBJECT, Table
from .rng import Rng

__all__ = ["COL", "OBJECT", "Scenes", "make_scenes"]

STYLES = ("residential", "urban", "rural", "plaza", "open")
"""Street styles by their number in road["style"]."""


@dataclass
class Scenes:
    """Scenes of a batch: `objects` float32 [M, len(OBJECT)] (x, y, z of the bottom's centre), `road` name -> [S]."""

    objects: np.ndarray
    road: dict[str, np.ndarray]

    @property
    def count(self) -> int:
        return len(self.road["height"])


def _roads(rng: Rng) -> dict[str, np.ndarray]:
    """The street of each scene: its style, ground, widths, crowd, season of light."""
    one = lambda low, high: rng.uniform(1, low, high)[:, 0]  # noqa: E731
    style = rng.choice(1, [0.36, 0.24, 0.13, 0.17, 0.10])[:, 0]
    urban, rural, plaza, open_road = (style == k for k in (1, 2, 3, 4))
    road = {
        "style": style,
        "height": rng.normal(1, 1.70, 0.03)[:, 0],
        "crowd": one(0, 1) ** 0.9,
        "pitch": rng.normal(1, 0.0, 0.010)[:, 0],
        "roll": rng.normal(1, 0.0, 0.011)[:, 0],
        "curve": rng.normal(1, 0.0, 2.2e-4)[:, 0],
        "bend1": rng.normal(1, 0.0, 0.05)[:, 0],
        "bend2": rng.normal(1, 0.0, 1.0)[:, 0] * np.where(rng.chance(1, 0.45)[:, 0], 2.2e-3, 3e-4),
    }
    road["right"] = -np.where(
        open_road, one(3.0, 8.0), np.where(rng.chance(1, 0.3)[:, 0], one(1.7, 3.0), one(3.0, 5.6))
    )
    road["left"] = np.where(
        open_road, one(5.0, 13.0), np.where(rng.chance(1, 0.35)[:, 0], one(2.2, 4.5), one(4.5, 9.0))
    )
    road["kerb"] = np.where(rural | (plaza & rng.chance(1, 0.5)[:, 0]), one(0.0, 0.03), one(0.04, 0.16))
    road["walk_left"], road["walk_right"] = one(1.4, 4.0), one(1.4, 4.0)
    for side in ("walk_left", "walk_right"):
        road[side] = np.where(plaza, road[side] * 2.2, np.where(rural, road[side] * 0.6, road[side]))
    has_cross = rng.chance(1, np.where(open_road | rural, 0.2, 0.42)[:, None])[:, 0]
    road["cross"] = np.where(has_cross, one(9.0, 55.0), -500.0)
    road["cross_half"] = one(2.6, 6.0)
    road["zebra"] = np.where(
        rng.chance(1, 0.3)[:, 0], np.where(has_cross, road["cross"] - road["cross_half"] - 3.0, one(8, 45)), -500.0
    )
    road["marks"] = rng.choice(1, [0.35, 0.3, 0.35])[:, 0]  # none, dashes, dashes and edge lines
    road["beside"] = np.where(
        rural, 0, np.where(plaza | urban, 1, rng.choice(1, [0.55, 0.45])[:, 0])
    )  # grass or paving
    road["setback"] = np.where(urban, one(0.1, 2.5), np.where(plaza, one(0.5, 9.0), one(2.0, 8.0)))
    road["overcast"] = rng.chance(1, 0.35)[:, 0].astype(float)
    road["sun_azimuth"], road["sun_elevation"] = one(-np.pi, np.pi), one(0.35, 1.15)
    for name in ("exposure", "haze", "warm", "cloud", "tone", "blur", "grain"):
        road[name] = one(0, 1)
    for name in ("gain", "offset", "gamma", "falloff", "dropout", "beam", "range_noise", "mute", "salt"):
        road[name] = one(0, 1)
    return road


def make_scenes(seed: int, indices: np.ndarray) -> Scenes:
    """The scenes of these indices under a seed; a scene does not depend on which others are made with it."""
    rng = Rng(seed, indices)
    road = _roads(rng)
    table = Table(road)
    count = len(np.asarray(indices))
    table.add(
        rng, "pole", np.ones((count, 1), bool), np.zeros((count, 1)), 0.0, 0.0, (8.0, 2.4, 1.0), np.zeros((count, 1, 3))
    )
    for fill in (moving, parked, walkers, furniture, built, green):
        fill(table, rng, road)
    return Scenes(table.finish(), road)
