"""What fills a street, block by block: vehicles, people, furniture, green, buildings. Coordinates as in layout.py."""

from __future__ import annotations

import numpy as np

from .plan import Table
from .rng import Rng

EXTENT = 78.0
"""Labelled objects stand between x = 0 and this."""


def _pick(
    rng: Rng, n: int, palette: list[tuple[float, float, float]], weights=None, spread: float = 0.06
) -> np.ndarray:
    """Colours [S, n, 3] around those of a palette."""
    colours = np.array(palette)[rng.choice(n, weights or [1.0] * len(palette))]
    shade = 1.0 + rng.uniform(n, -2 * spread, 2 * spread)
    shift = np.stack([rng.uniform(n, -spread, spread) for _ in range(3)], axis=-1)
    return np.clip(colours * shade[..., None] + shift * 0.6, 0.01, 0.95)


_PAINT = [
    (0.02, 0.02, 0.025),
    (0.09, 0.10, 0.11),
    (0.35, 0.36, 0.37),
    (0.55, 0.56, 0.57),
    (0.80, 0.80, 0.78),
    (0.05, 0.09, 0.25),
    (0.10, 0.20, 0.42),
    (0.42, 0.03, 0.03),
    (0.05, 0.16, 0.09),
    (0.45, 0.38, 0.26),
    (0.65, 0.42, 0.05),
]
_PAINT_WEIGHTS = [18, 14, 17, 13, 13, 8, 5, 7, 2, 2, 1]
_CLOTH = [
    (0.03, 0.03, 0.04),
    (0.12, 0.13, 0.16),
    (0.30, 0.30, 0.32),
    (0.70, 0.70, 0.68),
    (0.05, 0.08, 0.28),
    (0.45, 0.05, 0.06),
    (0.08, 0.25, 0.12),
    (0.60, 0.45, 0.10),
    (0.22, 0.15, 0.09),
    (0.55, 0.20, 0.35),
    (0.15, 0.35, 0.55),
]
_FACADE = [
    (0.80, 0.78, 0.72),
    (0.72, 0.62, 0.45),
    (0.62, 0.60, 0.58),
    (0.55, 0.32, 0.22),
    (0.70, 0.50, 0.38),
    (0.78, 0.72, 0.55),
    (0.42, 0.42, 0.44),
    (0.55, 0.62, 0.66),
]
_GREEN = [
    (0.06, 0.12, 0.025),
    (0.10, 0.17, 0.03),
    (0.16, 0.19, 0.045),
    (0.05, 0.09, 0.03),
    (0.20, 0.15, 0.03),
    (0.13, 0.06, 0.03),
]
_GREEN_WEIGHTS = [6, 7, 4, 4, 1, 0.5]
_PLAIN = [
    (0.30, 0.30, 0.30),
    (0.05, 0.05, 0.06),
    (0.05, 0.18, 0.10),
    (0.35, 0.20, 0.04),
    (0.10, 0.14, 0.30),
    (0.50, 0.50, 0.48),
]


def _car_size(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    length = np.clip(rng.normal(n, 3.9, 0.42), 3.2, 4.95)
    width = np.clip(1.63 + 0.10 * (length - 3.9) + rng.normal(n, 0, 0.07), 1.45, 1.87)
    tall = np.where(rng.chance(n, 0.18), rng.uniform(n, 0.10, 0.30), 0.0)
    return length, width, np.clip(rng.normal(n, 1.51, 0.07) + tall, 1.33, 1.95)


def _van_size(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.clip(rng.normal(n, 5.0, 0.5), 4.2, 6.2),
        np.clip(rng.normal(n, 1.9, 0.1), 1.7, 2.1),
        rng.uniform(n, 1.9, 2.65),
    )


def _truck_size(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rng.uniform(n, 6.5, 13.0), rng.uniform(n, 2.3, 2.6), rng.uniform(n, 2.8, 3.8)


def _vehicles(table: Table, rng: Rng, active, x, u, turn, sizes=None) -> None:
    """A block of places for vehicles: most get a car, some a van, few a truck."""
    n = x.shape[1]
    pick = rng.choice(n, [0.86, 0.105, 0.035])
    paint = _pick(rng, n, _PAINT, _PAINT_WEIGHTS, 0.04)
    fleet = np.where(rng.chance(n, 0.55)[..., None], np.array([0.78, 0.78, 0.76]), paint)
    makers = (
        ("car", "Car", sizes or _car_size(rng, n), paint),
        ("van", "Van", _van_size(rng, n), fleet),
        ("truck", "Truck", _truck_size(rng, n), fleet),
    )
    for number, (kind, cls, size, colour) in enumerate(makers):
        table.add(rng, kind, active & (pick == number), x, u, turn, size, colour, cls)


def _flip(rng: Rng, n: int, probability) -> np.ndarray:
    return np.where(rng.chance(n, probability), np.pi, 0.0)


def parked(table: Table, rng: Rng, road: dict[str, np.ndarray]) -> None:
    """A row of parked vehicles on either side, along or (seldom) across the road."""
    n, style, crowd = 13, road["style"][:, None], road["crowd"][:, None]
    for side, edge in ((-1, road["right"][:, None]), (1, road["left"][:, None])):
        across = rng.chance(1, np.where(style == 3, 0.4, np.where(style == 1, 0.2, 0.08)))
        room = np.where(np.abs(edge) > 3.0, 0.0, 0.9)
        present = rng.chance(1, np.array([0.85, 0.72, 0.12, 0.5, 0.03])[road["style"]][:, None])
        active = present & rng.chance(n, 0.12 + 0.85 * crowd)
        size = _car_size(rng, n)
        pitch = np.where(
            across, size[1] + rng.uniform(n, 0.6, 1.2), np.maximum(size[0], 4.4) + rng.uniform(n, 0.5, 1.6)
        )
        x = rng.uniform(1, -4.0, 9.0) + np.cumsum(pitch, axis=1) - pitch / 2
        inward = np.where(across, 1.9, 0.98 - room * rng.uniform(1, 0.4, 1.6)) + rng.normal(n, 0, 0.10)
        turn = np.where(across, side * np.pi / 2 + _flip(rng, n, 0.5), _flip(rng, n, 0.15 if side < 0 else 0.65))
        clear = np.abs(edge - side * inward) > 1.95
        _vehicles(
            table, rng, active & clear & (x < EXTENT), x, edge - side * inward, turn + rng.normal(n, 0, 0.03), size
        )


def moving(table: Table, rng: Rng, road: dict[str, np.ndarray]) -> None:
    """Traffic ahead, oncoming, crossing and turning."""
    busy = (0.15 + 0.75 * rng.uniform(1)) * np.array([0.55, 0.8, 0.6, 0.35, 0.9])[road["style"]][:, None]
    ahead = rng.uniform(1, 6.0, 26.0) + np.cumsum(rng.uniform(4, 7.0, 24.0), axis=1) - 7.0
    _vehicles(table, rng, rng.chance(4, busy) & (ahead < EXTENT), ahead, rng.normal(4, 0, 0.25), rng.normal(4, 0, 0.02))
    lane = np.minimum(3.2, road["left"][:, None] - 1.4) + rng.normal(5, 0, 0.25)
    against = rng.uniform(1, 2.0, 22.0) + np.cumsum(rng.uniform(5, 6.5, 22.0), axis=1) - 6.0
    _vehicles(
        table,
        rng,
        rng.chance(5, busy) & (lane > 2.1) & (against < EXTENT),
        against,
        lane,
        np.pi + rng.normal(5, 0, 0.02),
    )
    far = rng.uniform(3, 6.0, EXTENT)
    second = rng.chance(3, busy) & (np.abs(road["right"][:, None]) > 5.2)
    _vehicles(table, rng, second, far, -3.3 + rng.normal(3, 0, 0.2), rng.normal(3, 0, 0.02))
    lane = rng.choice(4, [1, 1]) * 2.0 - 1.0
    x = road["cross"][:, None] + lane * road["cross_half"][:, None] * 0.45
    u = rng.uniform(4, -28.0, 28.0)
    _vehicles(table, rng, rng.chance(4, 0.5) & (x > 0), x, u, lane * np.pi / 2 + rng.normal(4, 0, 0.05))
    _vehicles(
        table,
        rng,
        rng.chance(2, 0.2),
        rng.uniform(2, 7.0, 60.0),
        rng.uniform(2, -6.0, 8.0),
        rng.uniform(2, -np.pi, np.pi),
    )


def walkers(table: Table, rng: Rng, road: dict[str, np.ndarray]) -> None:
    """Pedestrians alone and in pairs on the pavements, some on the road; cyclists on the road and the pavements."""
    crowd = (rng.uniform(1) ** 1.6) * np.array([0.45, 0.75, 0.12, 1.0, 0.06])[road["style"]][:, None]
    n = 12
    side = rng.choice(n, [1, 1]) == 1
    walk = np.where(
        side,
        road["left"][:, None] + road["walk_left"][:, None] * rng.uniform(n, 0.1, 1.0),
        road["right"][:, None] - road["walk_right"][:, None] * rng.uniform(n, 0.1, 1.0),
    )
    u = np.where(rng.chance(n, 0.12), rng.uniform(n, -6.0, 7.0), walk)
    x = 4.0 + 51.0 * rng.uniform(n) ** 1.35
    turn = np.where(rng.chance(n, 0.7), _flip(rng, n, 0.5) + rng.normal(n, 0, 0.2), rng.uniform(n, -np.pi, np.pi))
    shown = rng.chance(n, crowd)
    for shift, partner in ((0.0, shown), (1.0, shown & rng.chance(n, 0.35))):
        size = (rng.uniform(n, 0.55, 1.05), rng.uniform(n, 0.50, 0.74), np.clip(rng.normal(n, 1.74, 0.11), 1.2, 2.0))
        apart_x, apart_u = shift * rng.normal(n, 0.0, 0.5), shift * rng.uniform(n, 0.8, 1.2)
        table.add(
            rng,
            "pedestrian",
            partner,
            x + apart_x,
            u + apart_u,
            turn,
            size,
            _pick(rng, n, _CLOTH),
            "Pedestrian",
            foot=(0.6, 0.6),
        )
    n = 6
    side = rng.choice(n, [1, 1]) * 2 - 1
    edge = np.where(side > 0, road["left"][:, None], road["right"][:, None])
    u = edge - side * np.where(rng.chance(n, 0.65), rng.uniform(n, 0.5, 2.3), -rng.uniform(n, 0.4, 1.6))
    size = (
        np.clip(rng.normal(n, 1.76, 0.08), 1.55, 1.95),
        rng.uniform(n, 0.52, 0.72),
        np.clip(rng.normal(n, 1.74, 0.08), 1.5, 1.92),
    )
    turn = np.where(
        rng.chance(n, 0.12), rng.uniform(n, -np.pi, np.pi), np.where(side > 0, np.pi, 0.0) + _flip(rng, n, 0.2)
    )
    shown = rng.chance(n, 0.05 + 0.55 * crowd)
    table.add(
        rng,
        "cyclist",
        shown,
        4.0 + 50.0 * rng.uniform(n) ** 1.2,
        u,
        turn + rng.normal(n, 0, 0.06),
        size,
        _pick(rng, n, _CLOTH),
        "Cyclist",
    )


def furniture(table: Table, rng: Rng, road: dict[str, np.ndarray]) -> None:
    """Unlabelled things on the pavements: the negatives of the detectors."""
    density = np.array([0.55, 0.75, 0.3, 0.7, 0.45])[road["style"]][:, None] * rng.uniform(1, 0.4, 1.2)

    def beside(n: int, near: float, far: float) -> np.ndarray:
        left = rng.choice(n, [1, 1]) == 1
        apart = rng.uniform(n, near, far)
        return np.where(left, road["left"][:, None] + apart, road["right"][:, None] - apart)

    def put(
        kind: str, n: int, share: float, near: float, far: float, size, colour, foot=None, reach: float = 60.0
    ) -> None:
        turn = rng.choice(n, [1, 1, 1, 1]) * np.pi / 2 + rng.normal(n, 0, 0.05)
        table.add(
            rng,
            kind,
            rng.chance(n, share * density),
            rng.uniform(n, 3.0, reach),
            beside(n, near, far),
            turn,
            size,
            colour,
            foot=foot,
        )

    grey, plain = _pick(rng, 12, _PLAIN[:1]), lambda n: _pick(rng, n, _PLAIN)
    put("bicycle", 5, 0.4, 0.4, 3.0, (rng.uniform(5, 1.6, 1.8), 0.5, rng.uniform(5, 0.95, 1.1)), _pick(rng, 5, _CLOTH))
    put("lamp", 6, 0.6, 0.3, 0.8, (0.3, 0.3, rng.uniform(6, 4.5, 9.0)), grey[:, :6])
    put("pole", 9, 0.6, 0.15, 2.5, (0.16, 0.16, rng.uniform(9, 0.8, 4.5)), plain(9))
    put("sign", 7, 0.6, 0.25, 1.0, (0.5, 0.5, rng.uniform(7, 2.1, 3.0)), plain(7), foot=(0.3, 0.3))
    put(
        "bin",
        6,
        0.5,
        0.4,
        3.0,
        (rng.uniform(6, 0.45, 0.75), rng.uniform(6, 0.45, 0.75), rng.uniform(6, 0.8, 1.25)),
        plain(6),
    )
    put(
        "cabinet",
        5,
        0.5,
        0.4,
        3.5,
        (rng.uniform(5, 0.6, 1.6), rng.uniform(5, 0.35, 0.9), rng.uniform(5, 0.8, 1.8)),
        plain(5),
    )
    put("cone", 4, 0.3, -2.0, 1.0, (0.3, 0.3, rng.uniform(4, 0.45, 0.8)), _pick(rng, 4, [(0.7, 0.2, 0.03)]))
    put("bench", 3, 0.4, 0.8, 3.5, (rng.uniform(3, 1.3, 2.0), 0.5, 0.85), _pick(rng, 3, [(0.25, 0.15, 0.07)]))


def green(table: Table, rng: Rng, road: dict[str, np.ndarray]) -> None:
    """Trees and bushes: at the kerb, behind the pavement, and far away as a backdrop."""
    style = road["style"]
    leafy = np.array([0.85, 0.45, 0.95, 0.7, 0.8])[style][:, None] * rng.uniform(1, 0.5, 1.2)

    def place(
        kind: str, n: int, share, low: float, high: float, near: float, far: float, size, canopy: float = 0.5
    ) -> None:
        left = rng.choice(n, [1, 1]) == 1
        apart = rng.uniform(n, near, far)
        u = np.where(
            left,
            road["left"][:, None] + road["walk_left"][:, None] + apart,
            road["right"][:, None] - road["walk_right"][:, None] - apart,
        )
        table.add(
            rng,
            kind,
            rng.chance(n, share * leafy),
            rng.uniform(n, low, high),
            u,
            rng.uniform(n, -np.pi, np.pi),
            size,
            _pick(rng, n, _GREEN, _GREEN_WEIGHTS, 0.03),
            foot=(canopy, canopy),
        )

    spread = lambda n, low, high: rng.uniform(n, low, high)  # noqa: E731
    place("tree", 9, 0.75, 3, 60, -1.2, 1.2, (spread(9, 2.5, 6.5), 1.0, spread(9, 4.0, 9.0)))
    place("tree", 10, 0.8, 8, 75, 1.0, 16.0, (spread(10, 3.5, 9.0), 1.0, spread(10, 5.0, 13.0)))
    place("conifer", 4, 0.4, 8, 75, 1.0, 16.0, (spread(4, 2.0, 4.5), 1.0, spread(4, 3.5, 12.0)))
    place("bush", 18, 0.8, 3, 70, -0.2, 6.0, (spread(18, 0.8, 3.2), 1.0, spread(18, 0.7, 3.0)), 0.8)
    place("bush", 12, 0.8, 8, 75, 7.0, 26.0, (spread(12, 3.5, 9.0), 1.0, spread(12, 2.5, 7.0)), 1.5)
    n = 18
    table.add(
        rng,
        "tree",
        rng.chance(n, 0.7),
        rng.uniform(n, 70, 115),
        rng.uniform(n, -80, 80),
        rng.uniform(n, -3, 3),
        (spread(n, 7, 14), 1.0, spread(n, 6, 15)),
        _pick(rng, n, _GREEN, _GREEN_WEIGHTS, 0.03),
        solid=False,
    )
    table.add(
        rng,
        "mound",
        rng.chance(3, 0.35 * leafy),
        rng.uniform(3, 10, 60),
        _outside(rng, road, 3, 3.0, 14.0),
        rng.normal(3, 0, 0.3),
        (spread(3, 6, 18), spread(3, 3, 7), spread(3, 0.4, 1.8)),
        _pick(rng, 3, _GREEN[:3]),
        solid=False,
    )


def _outside(rng: Rng, road: dict[str, np.ndarray], n: int, near: float, far: float) -> np.ndarray:
    left = rng.choice(n, [1, 1]) == 1
    apart = rng.uniform(n, near, far)
    return np.where(
        left,
        road["left"][:, None] + road["walk_left"][:, None] + apart,
        road["right"][:, None] - road["walk_right"][:, None] - apart,
    )


def built(table: Table, rng: Rng, road: dict[str, np.ndarray]) -> None:
    """Rows of buildings and of walls, fences or hedges along both sides; buildings that close the view."""
    style = road["style"][:, None]
    free = (
        lambda x, length: np.abs(x - road["cross"][:, None]) > road["cross_half"][:, None] + 1.5 + length / 2
    )  # noqa: E731
    for side, edge, walk in ((-1, road["right"], road["walk_right"]), (1, road["left"], road["walk_left"])):
        outer = (edge + side * walk)[:, None]
        pick, n = rng.choice(1, [1.0, 1.0, 1.0, 0.8]), 10  # wall, fence, hedge, nothing
        length = rng.uniform(n, 4.0, 9.0)
        x = (
            rng.uniform(1, -6.0, 4.0)
            + np.cumsum(length + rng.chance(n, 0.3) * rng.uniform(n, 1.0, 5.0), axis=1)
            - length / 2
        )
        lined = np.where(style == 1, 0.35, np.where(style == 3, 0.4, np.where(style == 2, 0.5, 0.85)))
        shown = rng.chance(1, lined) & rng.chance(n, 0.9) & free(x, length)
        colour = _pick(rng, n, _FACADE)
        for number, (kind, low, high) in enumerate((("wall", 0.5, 2.2), ("fence", 0.8, 1.6), ("hedge", 0.8, 2.4))):
            tint = (
                _pick(rng, 1, _GREEN, _GREEN_WEIGHTS)
                if kind == "hedge"
                else colour if kind == "wall" else _pick(rng, 1, _PLAIN)
            )
            size = (
                length,
                rng.uniform(1, 0.5, 1.0) if kind == "hedge" else 0.2,
                rng.uniform(1, low, high) + rng.normal(n, 0, 0.04),
            )
            table.add(
                rng,
                kind,
                shown & (pick == number),
                x,
                outer + side * 0.3,
                _flip(rng, n, 0),
                size,
                np.broadcast_to(tint, (*x.shape, 3)),
            )
        n = 7
        length = rng.uniform(n, 8.0, 17.0) + 6.0 * (style == 1)
        gap = np.where(style == 1, rng.uniform(n, 0.0, 1.5), rng.uniform(n, 2.0, 9.0))
        x = rng.uniform(1, -8.0, 6.0) + np.cumsum(length + gap, axis=1) - length / 2
        depth = rng.uniform(n, 7.0, 13.0)
        shown = rng.chance(n, np.array([0.88, 0.95, 0.3, 0.8, 0.4])[road["style"]][:, None]) & free(x, length)
        u = outer + side * (road["setback"][:, None] + 0.5 + depth / 2)
        homely = rng.chance(n, np.where(style == 1, 0.3, np.where(style == 3, 0.3, 0.85)))
        height = np.where(homely, rng.uniform(n, 3.2, 7.0), rng.uniform(n, 6.0, 18.0))
        for kind, which in (("house", homely), ("block", ~homely)):
            table.add(
                rng,
                kind,
                shown & which,
                x,
                u,
                _flip(rng, n, 0.5) + rng.normal(n, 0, 0.015),
                (length, depth, height),
                _pick(rng, n, _FACADE),
            )
    n = 5
    table.add(
        rng,
        "block",
        rng.chance(n, np.array([0.5, 0.6, 0.12, 0.6, 0.2])[road["style"]][:, None]),
        rng.uniform(n, 62, 105),
        rng.uniform(n, -45, 45),
        rng.normal(n, 0, 0.4),
        (rng.uniform(n, 10, 22), rng.uniform(n, 10, 26), rng.uniform(n, 6, 18)),
        _pick(rng, n, _FACADE),
        solid=True,
    )
