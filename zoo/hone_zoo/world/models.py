"""How each kind of object is made of primitives. Object frame: x forward, y left, z up from the ground."""

from __future__ import annotations

import torch
from torch import Tensor

from .kinds import KIND
from .shapes import Builder, Prims


def _wheels(m: Builder, places: list, half, radius, width: float) -> None:
    """Pairs of wheels at these x, their outer faces at |y| = half."""
    for x in places:
        for sign in (1.0, -1.0):
            m.tube((x, sign * half, radius), (x, sign * (half - width), radius), radius, "tyre")


def _car(m: Builder) -> None:
    """Hatchback, saloon, estate or off-roader by p0; the rest of the shape follows p1..p5 and the size."""
    o = m.o
    l, w, h, kind = o["l"], o["w"], o["h"], o["p0"]
    half, sill = l / 2, 0.19 + 0.05 * o["p1"]
    saloon, estate = (kind > 0.55) & (kind < 0.8) & (l > 3.7), kind >= 0.8
    belt = h * (0.59 + 0.05 * o["p2"])
    bonnet = l * (0.20 + 0.06 * o["p3"])
    nose, tail = belt * (0.76 + 0.08 * o["p4"]), torch.where(saloon, belt - 0.02, belt)
    body = [
        (-half + 0.10, sill),
        (half - 0.12, sill),
        (half, sill + 0.24),
        (half - 0.07, nose),
        (half - bonnet, belt),
        (-half + 0.05, tail),
        (-half, sill + 0.30),
    ]
    m.hull(body, w / 2 - 0.012, w / 2 - 0.045, "paint", cut=(0.34, 0.17), cut_rear=(0.14, 0.10), group="hull13")
    rear_low = torch.where(saloon, -half + l * 0.17, -half + 0.06)
    rear_high = torch.where(saloon, -half + l * 0.29, torch.where(estate, -half + 0.24, -half + 0.34 + 0.2 * o["p5"]))
    front_low, front_high = half - bonnet + 0.02, half - bonnet - l * (0.13 + 0.04 * o["p1"])
    crown = (front_high * 0.45 + rear_high * 0.55, h)
    cabin = [(rear_low, belt - 0.06), (front_low, belt - 0.06), (front_high, h - 0.045), crown, (rear_high, h - 0.06)]
    m.hull(cabin, w / 2 - 0.06, w / 2 - 0.19, "paint", group="hull8")
    radius = (0.285 + 0.045 * o["p2"]) * (h / 1.52).clamp(0.95, 1.15)
    _wheels(m, [half - 0.17 * l - 0.10, -half + 0.17 * l + 0.06], w / 2, radius, 0.20)


def _van(m: Builder) -> None:
    o = m.o
    l, w, h = o["l"], o["w"], o["h"]
    half, sill, bonnet = l / 2, 0.24, 0.55 + 0.4 * o["p1"]
    nose = 0.95 + 0.12 * o["p2"]
    body = [
        (-half + 0.05, sill),
        (half - 0.12, sill),
        (half, sill + 0.25),
        (half - 0.10, nose - 0.06),
        (half - bonnet, nose + 0.10),
        (-half, nose + 0.10),
        (-half, sill + 0.2),
    ]
    m.hull(body, w / 2 - 0.012, w / 2 - 0.03, "paint", cut=(0.25, 0.15), cut_rear=(0.08, 0.06), group="hull13")
    upper = [
        (-half, nose),
        (half - bonnet + 0.03, nose),
        (half - bonnet - 0.5, h - 0.06),
        (half - bonnet - 0.9, h),
        (-half + 0.04, h - 0.02),
    ]
    m.hull(upper, w / 2 - 0.035, w / 2 - 0.14, "paint")
    _wheels(m, [half - 0.95, -half + 0.85], w / 2, 0.34, 0.22)


def _truck(m: Builder) -> None:
    o = m.o
    l, w, h = o["l"], o["w"], o["h"]
    half, cab = l / 2, 1.9 + 0.5 * o["p1"]
    low = h * (0.80 + 0.15 * o["p2"])
    front = [(half - cab, 0.45), (half, 0.45), (half, 1.35), (half - 0.18 - 0.3 * o["p3"], low), (half - cab, low)]
    m.hull(front, w / 2 - 0.04, w / 2 - 0.08, "paint")
    m.hull([(-half, 1.0), (half - cab - 0.12, 1.0), (half - cab - 0.12, h), (-half, h)], w / 2, w / 2, "cargo")
    m.box((-0.3, 0.0, 0.55), (l - 1.0, 0.9, 0.5), "trim")
    m.box((-half + 0.10, 0.0, 0.55), (0.08, w * 0.9, 0.12), "trim")
    for sign in (1.0, -1.0):
        m.box((-half + 0.06, sign * w * 0.36, 0.80), (0.05, 0.36, 0.14), "lamp")
    _wheels(m, [half - 1.0, -half + 1.2, -half + 2.3], w / 2 - 0.02, 0.48, 0.35)


def _person(m: Builder, hip: tuple, neck: tuple, scale: Tensor, shoulder, face: float) -> None:
    """Torso and head between a hip and a neck point."""
    mid = tuple((a + b) / 2 for a, b in zip(hip, neck))
    lean = ((neck[0] - hip[0]) * 0.12, 0.0, (neck[2] - hip[2]) * 0.12)
    low, high = (hip[0] - lean[0], 0.0, hip[2] - lean[2]), (neck[0] + lean[0], 0.0, neck[2] + lean[2])
    for sign in (1.0, -1.0):
        m.limb(
            (low[0], sign * shoulder * 0.30, low[2]),
            (high[0], sign * shoulder * 0.46, high[2]),
            shoulder * 0.46,
            "cloth",
        )
    m.ball((mid[0], 0.0, mid[2]), (shoulder * 0.50, shoulder * 0.74, (neck[2] - hip[2]) * 0.55), "cloth")
    top = scale - 0.125
    m.ball((neck[0] + face, 0.0, top), (0.10, 0.085, 0.125), "skin")
    m.ball((neck[0] + face - 0.025, 0.0, top + 0.015), (0.10, 0.092, 0.11), "hair")


def _pedestrian(m: Builder) -> None:
    """A walker in mid-stride (its length) with arms at its width; a third carry a bag or a rucksack."""
    o = m.o
    l, w, h = o["l"], o["w"], o["h"]
    shoulder = torch.minimum(w / 2 - 0.09, 0.215 + 0.0 * w)
    hip, neck = (m.full(0.0), m.full(0.0), 0.53 * h), (m.full(0.02), m.full(0.0), 0.83 * h)
    _person(m, hip, neck, h, shoulder, 0.02)
    reach = l / 2 - 0.13
    for sign in (1.0, -1.0):
        knee = (sign * reach * 0.45 + 0.05, sign * 0.09, 0.28 * h)
        foot = (sign * reach, sign * 0.09, m.full(0.07))
        m.limb((m.full(0.0), sign * 0.085, 0.56 * h), (knee[0], knee[1], knee[2] - 0.06), 0.095, "trousers")
        m.limb((knee[0], knee[1], knee[2] + 0.06), (foot[0] - 0.02, foot[1], m.full(0.04)), 0.07, "trousers")
        m.ball((foot[0], foot[1], m.full(0.05)), (0.13, 0.05, 0.05), "tyre")
        swing = -sign * reach * 0.55
        m.limb((m.full(0.01), sign * shoulder, 0.82 * h), (swing * 0.5, sign * (w / 2 - 0.06), 0.58 * h), 0.05, "cloth")
        m.limb(
            (swing * 0.45, sign * (w / 2 - 0.06), 0.61 * h),
            (swing + 0.03, sign * (w / 2 - 0.06), 0.45 * h),
            0.042,
            "skin",
        )
    m.ball((-0.17 + 0.0 * l, 0.0, 0.70 * h), (0.09, 0.13, 0.20), "plain", only=(o["p1"] < 0.3) & (l > 0.62))
    bag_y = (w / 2 - 0.09) * torch.where(o["p3"] < 0.5, 1.0, -1.0)
    m.box((0.0, bag_y, 0.22 * h), (0.30, 0.12, 0.28), "plain", only=(o["p2"] < 0.2) & (l > 0.6))


def _bike(m: Builder, l: Tensor, h: Tensor, half) -> None:
    """A bicycle of length l; h: the height of its handlebar, half: half the handlebar's width."""
    radius = 0.335
    back, front = -l / 2 + radius, l / 2 - radius
    for x in (back, front):
        m.tube((x, 0.02, radius), (x, -0.02, radius), radius, "tyre", hole=0.86)
    crank, seat, head = (back + 0.42, 0.0, 0.30), (back + 0.25, 0.0, h - 0.14), (front - 0.14, 0.0, h - 0.10)
    for a, b in (
        (crank, seat),
        (crank, head),
        ((seat[0], 0.0, seat[2] - 0.12), head),
        ((back, 0.0, radius), crank),
        ((front, 0.0, radius), head),
    ):
        m.tube(a, b, 0.022, "plain")
    m.tube(head, (head[0] - 0.02, 0.0, h), 0.02, "trim")
    m.tube((head[0] - 0.02, half, h), (head[0] - 0.02, -half, h), 0.018, "trim")
    m.ball((seat[0], 0.0, seat[2] + 0.03), (0.14, 0.07, 0.04), "trim")


def _cyclist(m: Builder) -> None:
    o = m.o
    l, w, h = o["l"], o["w"], o["h"]
    bar = 0.60 * h
    half = w / 2 - 0.03
    _bike(m, l, bar, half)
    back, front = -l / 2 + 0.335, l / 2 - 0.335
    hip = (back + 0.27, m.full(0.0), 0.55 * h)
    neck = (back + 0.27 + 0.12 + 0.26 * o["p1"], m.full(0.0), 0.845 * h)
    _person(m, hip, neck, h, torch.minimum(w / 2 - 0.08, 0.205 + 0.0 * w), 0.05)
    for sign in (1.0, -1.0):
        lift = 0.10 + 0.17 * (o["p2"] if sign > 0 else 1 - o["p2"])
        foot = (back + 0.45, sign * 0.12, lift)
        knee = (back + 0.60, sign * 0.11, lift + 0.44 * (h / 1.74))
        m.limb((hip[0] - 0.05, sign * 0.09, hip[2] + 0.03), (knee[0] + 0.04, knee[1], knee[2]), 0.09, "trousers")
        m.limb((knee[0] + 0.01, knee[1], knee[2] + 0.04), foot, 0.065, "trousers")
        m.ball((foot[0] + 0.05, foot[1], foot[2]), (0.13, 0.045, 0.05), "tyre")
        elbow = ((neck[0] + front - 0.16) / 2 - 0.05, sign * (half - 0.02), (neck[2] + bar) / 2 - 0.06)
        m.limb((neck[0], sign * (w / 2 - 0.14), neck[2]), (elbow[0] + 0.02, elbow[1], elbow[2] - 0.03), 0.055, "cloth")
        m.limb(
            (elbow[0] - 0.02, elbow[1], elbow[2] + 0.02),
            (front - 0.16, sign * (half - 0.04), bar + 0.01),
            0.043,
            "skin",
        )
    m.ball((hip[0] + 0.02, 0.0, 0.70 * h), (0.13, 0.15, 0.20), "plain", only=o["p3"] < 0.2)


def _bicycle(m: Builder) -> None:
    _bike(m, m.o["l"], m.o["h"], 0.25)


def _block(m: Builder) -> None:
    """A flat-roofed building with a plinth and a parapet; some with a projecting bay."""
    o = m.o
    m.box((0.0, 0.0, -1.5), (o["l"], o["w"], o["h"] + 1.5), "facade")
    m.box((0.0, 0.0, o["h"]), (o["l"] + 0.25, o["w"] + 0.25, 0.35), "plain")
    m.box((0.0, 0.0, -1.5), (o["l"] + 0.12, o["w"] + 0.12, 1.5 + 0.6 * o["p1"]), "brick")
    m.box(
        (o["l"] * (o["p2"] - 0.5) * 0.6, 0.0, -1.5),
        (o["l"] * 0.22, o["w"] + 1.0, o["h"] * 0.9 + 1.5),
        "facade",
        only=o["p3"] < 0.3,
    )


def _house(m: Builder) -> None:
    """A house with a gable roof along its length or across, a chimney and sometimes a porch."""
    o = m.o
    l, w, h, eave = o["l"], o["w"], o["h"], 0.35
    rise = w * (0.30 + 0.25 * o["p1"])
    m.box((0.0, 0.0, -1.5), (l, w, h + 1.5), "facade")
    across = o["p2"] < 0.4
    side = w / 2 + eave
    m.hull(
        [(-side, h - 0.1), (side, h - 0.1), (0.0, h + rise)],
        l / 2 + eave,
        l / 2 + eave,
        "roof",
        along_y=True,
        only=~across,
    )
    m.hull([(-l / 2 - eave, h - 0.1), (l / 2 + eave, h - 0.1), (0.0, h + rise)], side, side, "roof", only=across)
    m.box((l * (o["p3"] - 0.5) * 0.5, w * (o["p4"] - 0.5) * 0.3, h), (0.6, 0.6, rise + 0.5), "brick")
    m.box((l * (o["p5"] - 0.5) * 0.7, 0.0, -1.5), (1.8, w + 1.6, 4.0), "facade", only=o["p4"] < 0.35)


def _wall(m: Builder) -> None:
    o = m.o
    m.box((0.0, 0.0, -0.6), (o["l"], o["w"], o["h"] + 0.6), "brick")
    m.box((0.0, 0.0, o["h"]), (o["l"] + 0.04, o["w"] + 0.1, 0.07), "kerb")


def _fence(m: Builder) -> None:
    o = m.o
    m.box((0.0, 0.0, -0.2), (o["l"], 0.05, o["h"] + 0.2), "plain", group="fence")
    m.box((0.0, 0.0, -0.6), (o["l"], 0.25, 0.6 + 0.45 * o["p1"]), "brick", only=o["p2"] < 0.5)


def _hedge(m: Builder) -> None:
    o = m.o
    m.box((0.0, 0.0, -0.4), (o["l"], o["w"], o["h"] + 0.4), "leaf", group="hedge")


def _tree(m: Builder) -> None:
    """A trunk and a crown of twelve leafy ellipsoids (l: the crown's width)."""
    o = m.o
    h, wide = o["h"], o["l"] / 2
    fork = torch.minimum(h * (0.18 + 0.2 * o["p1"]), 1.6 + 1.2 * o["p1"])
    trunk = 0.05 + 0.016 * h * (0.5 + 0.8 * o["p2"])
    m.tube((0.0, 0.0, -0.5), (0.1 * (o["p3"] - 0.5) * h, 0.0, fork + 0.35 * (h - fork)), trunk, "bark")
    tall = h - fork
    for k in range(12):
        angle = 2.39996 * k + 6.28 * o["p4"]
        rise = ((k * 5) % 12) / 11.0
        wobble = torch.sin(o["p5"] * 40 + k * 2.1)
        out = wide * (0.50 + 0.16 * wobble) * (0.25 + (1.0 if 0.1 < rise < 0.75 else 0.35))
        up = fork + tall * (0.22 + 0.62 * rise + 0.05 * wobble)
        size = 0.36 + 0.08 * torch.cos(o["p3"] * 50 + k * 1.3)
        m.ball(
            (torch.cos(angle) * out, torch.sin(angle) * out, up),
            (wide * size, wide * size, tall * 0.17 + 0.15 * wide * size),
            "leaf",
            leafy=True,
        )
    for k in range(2):
        angle = 6.28 * (o["p5"] + 0.5 * k)
        m.tube(
            (0.0, 0.0, fork),
            (torch.cos(angle) * wide * 0.5, torch.sin(angle) * wide * 0.5, fork + 0.5 * tall),
            trunk * 0.45,
            "bark",
        )


def _conifer(m: Builder) -> None:
    o = m.o
    m.tube((0.0, 0.0, -0.5), (0.0, 0.0, o["h"] * 0.5), 0.05 + 0.015 * o["h"], "bark")
    for k in range(5):
        wide = o["l"] / 2 * (1.0 - 0.18 * k)
        m.ball((0.0, 0.0, o["h"] * (0.16 + 0.18 * k)), (wide, wide, o["h"] * 0.17), "leaf", leafy=True)


def _bush(m: Builder) -> None:
    o = m.o
    for k in range(4):
        angle = 1.7 * k + 6.28 * o["p1"]
        shift = o["l"] * (0.05 if k == 0 else 0.28)
        size = o["l"] * (0.36 if k == 0 else 0.26)
        tall = o["h"] * (0.52 if k == 0 else 0.30 + 0.12 * o[f"p{k}"])
        m.ball((torch.cos(angle) * shift, torch.sin(angle) * shift, tall * 0.9), (size, size, tall), "leaf", leafy=True)


def _pole(m: Builder) -> None:
    m.tube((0.0, 0.0, -0.5), (0.0, 0.0, m.o["h"]), 0.04 + 0.06 * m.o["p1"] ** 2, "plain")


def _lamp(m: Builder) -> None:
    o = m.o
    m.tube((0.0, 0.0, -0.5), (0.0, 0.0, o["h"]), 0.06 + 0.03 * o["p1"], "metal")
    m.tube((0.0, 0.0, o["h"] - 0.05), (1.2 + 0.8 * o["p2"], 0.0, o["h"] + 0.1), 0.04, "metal")
    m.ball((1.3 + 0.8 * o["p2"], 0.0, o["h"] + 0.05), (0.35, 0.13, 0.08), "metal")


def _sign(m: Builder) -> None:
    o = m.o
    m.tube((0.0, 0.0, -0.5), (0.0, 0.0, o["h"]), 0.035, "metal")
    disc = o["p1"] < 0.5
    z = o["h"] - 0.35
    m.tube((0.05, 0.0, z), (0.07, 0.0, z), 0.30, "sign", only=disc)
    m.box((0.06, 0.0, z - 0.3), (0.02, 0.6 + 0.4 * o["p2"], 0.6), "sign", only=~disc)


def _bin(m: Builder) -> None:
    o = m.o
    square = o["p1"] < 0.6
    l, w, h = o["l"], o["w"], o["h"]
    m.hull(
        [(-l / 2 + 0.05, 0.04), (l / 2 - 0.05, 0.04), (l / 2, h - 0.08), (-l / 2, h)],
        w / 2 - 0.04,
        w / 2,
        "plain",
        only=square,
    )
    m.tube((0.0, 0.0, 0.0), (0.0, 0.0, h), l / 2, "plain", only=~square)


def _cabinet(m: Builder) -> None:
    o = m.o
    m.box((0.0, 0.0, -0.1), (o["l"], o["w"], o["h"] + 0.1), "plain")
    m.box((0.0, 0.0, o["h"]), (o["l"] + 0.06, o["w"] + 0.06, 0.05), "metal")


def _cone(m: Builder) -> None:
    h = m.o["h"]
    m.box((0.0, 0.0, 0.0), (0.3, 0.3, 0.04), "trim")
    m.hull([(-0.13, 0.0), (0.13, 0.0), (0.03, h), (-0.03, h)], 0.13, 0.03, "plain")


def _mound(m: Builder) -> None:
    o = m.o
    m.ball((0.0, 0.0, 0.0), (o["l"] / 2, o["w"] / 2, o["h"]), "grass")


def _bench(m: Builder) -> None:
    l = m.o["l"]
    m.box((0.0, 0.05, 0.42), (l, 0.40, 0.05), "wood")
    m.box((0.0, -0.20, 0.50), (l, 0.05, 0.35), "wood")
    for sign in (1.0, -1.0):
        m.box((sign * l * 0.4, 0.0, 0.0), (0.06, 0.42, 0.44), "metal")


_MODELS = {
    "car": _car,
    "van": _van,
    "truck": _truck,
    "pedestrian": _pedestrian,
    "cyclist": _cyclist,
    "bicycle": _bicycle,
    "block": _block,
    "house": _house,
    "wall": _wall,
    "fence": _fence,
    "hedge": _hedge,
    "tree": _tree,
    "conifer": _conifer,
    "bush": _bush,
    "pole": _pole,
    "lamp": _lamp,
    "sign": _sign,
    "bin": _bin,
    "cabinet": _cabinet,
    "cone": _cone,
    "mound": _mound,
    "bench": _bench,
}


def build(objects: dict[str, Tensor]) -> Prims:
    """The primitives of all objects (column name -> [M], as layout.OBJECT)."""
    builder = Builder(objects)
    for name, model in _MODELS.items():
        index = (objects["kind"] == KIND[name]).nonzero().flatten()
        if len(index):
            builder.select(index)
            model(builder)
    return builder.finish()
