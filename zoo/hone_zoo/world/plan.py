"""Slots for objects along a road, and the ground they stand on. Coordinates as in layout.py."""

from __future__ import annotations

import numpy as np

from .kinds import CLASSES, KIND
from .rng import Rng

OBJECT = (
    "frame",
    "kind",
    "cls",
    "x",
    "y",
    "z",
    "yaw",
    "l",
    "w",
    "h",
    "r",
    "g",
    "b",
    "p0",
    "p1",
    "p2",
    "p3",
    "p4",
    "p5",
)
COL = {name: number for number, name in enumerate(OBJECT)}


class Table:
    """Collects blocks of slots [S, n]; earlier blocks win where footprints overlap."""

    def __init__(self, road: dict[str, np.ndarray]) -> None:
        self.road, self.blocks = road, []

    def add(
        self, rng: Rng, kind: str, active, x, u, turn, size, colour, cls: str = "", foot=None, solid: bool = True
    ) -> None:
        """turn: yaw against the road; size: (l, w, h); foot: (length, width) of the footprint along and across it."""
        active, x, u = np.broadcast_arrays(active, x, u)
        shape = active.shape
        length, width, height = (np.broadcast_to(v, shape) for v in size)
        turn = np.broadcast_to(turn, shape)
        if foot is None:
            cos, sin = np.abs(np.cos(turn)), np.abs(np.sin(turn))
            foot = (length * cos + width * sin, length * sin + width * cos)
        block = {
            "kind": np.full(shape, KIND[kind]),
            "cls": np.full(shape, CLASSES.index(cls) if cls else -1),
            "x": x,
            "u": u,
            "turn": turn,
            "l": length,
            "w": width,
            "h": height,
            "fl": np.broadcast_to(foot[0], shape),
            "fw": np.broadcast_to(foot[1], shape),
            "active": active,
            "solid": np.full(shape, solid),
        }
        for channel, name in enumerate("rgb"):
            block[name] = np.broadcast_to(colour[..., channel], shape)
        for k in range(6):
            block[f"p{k}"] = rng.uniform(shape[1])
        self.blocks.append(block)

    def finish(self) -> np.ndarray:
        """Drops what overlaps something earlier or stands in a crossing street; places the rest on the ground."""
        t = {name: np.concatenate([b[name] for b in self.blocks], axis=1) for name in self.blocks[0]}
        keep = t["active"].copy()
        for i in range(keep.shape[1]):
            if i and t["solid"][0, i]:
                gap_x = np.abs(t["x"][:, :i] - t["x"][:, i : i + 1]) - (t["fl"][:, :i] + t["fl"][:, i : i + 1]) / 2
                gap_u = np.abs(t["u"][:, :i] - t["u"][:, i : i + 1]) - (t["fw"][:, :i] + t["fw"][:, i : i + 1]) / 2
                hit = (gap_x < 0.15) & (gap_u < 0.15) & keep[:, :i] & t["solid"][:, :i]
                keep[:, i] &= ~hit.any(axis=1)
        keep[:, 0] = False
        road = {name: value[:, None] for name, value in self.road.items()}
        slope = road["bend1"] + 2 * road["bend2"] * t["x"]
        t["y"] = road["bend1"] * t["x"] + road["bend2"] * t["x"] ** 2 + t["u"]
        t["yaw"] = np.mod(t["turn"] + np.arctan(slope) + np.pi, 2 * np.pi) - np.pi
        t["z"] = ground_height(road, t["x"], t["y"])
        t["frame"] = np.broadcast_to(np.arange(keep.shape[0])[:, None], keep.shape)
        return np.stack([t[name][keep] for name in OBJECT], axis=1).astype(np.float32)


def raised(road: dict[str, np.ndarray], x: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Whether a place lies beside the carriageways (where the ground is a kerb higher)."""
    along = (u < road["left"]) & (u > road["right"])
    across = np.abs(x - road["cross"]) < road["cross_half"]
    return ~(along | across)


def ground_height(road: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height of the ground at (x, y), kerb included."""
    u = y - road["bend1"] * x - road["bend2"] * x**2
    base = -road["height"] + road["pitch"] * x + road["roll"] * y + 0.5 * road["curve"] * x**2
    return base + road["kerb"] * raised(road, x, u)
