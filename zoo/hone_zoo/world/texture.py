"""Colours of surfaces: materials, textures and small patterns. Linear light, 0..1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .kinds import KIND, MATERIAL, MATERIALS
from .ground import lateral
from .noise import cell, hash3, smooth_noise
from .parts import local_point
from .street import Street

_COLOURS = {
    "glass": (0.015, 0.018, 0.02),
    "tyre": (0.018, 0.018, 0.02),
    "trim": (0.03, 0.03, 0.032),
    "skin": (0.45, 0.27, 0.19),
    "hair": (0.05, 0.035, 0.025),
    "bark": (0.13, 0.10, 0.075),
    "roof": (0.25, 0.10, 0.06),
    "brick": (0.33, 0.24, 0.19),
    "wood": (0.20, 0.12, 0.06),
    "metal": (0.32, 0.33, 0.34),
    "grass": (0.11, 0.15, 0.035),
    "asphalt": (0.15, 0.15, 0.155),
    "paving": (0.27, 0.26, 0.245),
    "kerb": (0.36, 0.36, 0.35),
    "mark": (0.66, 0.66, 0.63),
    "lamp": (0.75, 0.76, 0.78),
    "plate": (0.72, 0.72, 0.66),
    "window": (0.05, 0.06, 0.075),
    "sign": (0.7, 0.7, 0.7),
}
_OWN = ("paint", "cargo", "cloth", "leaf", "facade", "plain")
_TROUSERS = (
    (0.03, 0.05, 0.12),
    (0.02, 0.02, 0.022),
    (0.10, 0.14, 0.24),
    (0.22, 0.17, 0.11),
    (0.13, 0.13, 0.14),
    (0.05, 0.05, 0.07),
)
_ROOFS = ((0.30, 0.10, 0.055), (0.22, 0.085, 0.05), (0.09, 0.085, 0.085), (0.16, 0.10, 0.08))
_SIGNS = ((0.55, 0.02, 0.02), (0.02, 0.08, 0.42), (0.75, 0.75, 0.72), (0.70, 0.50, 0.02))


@dataclass
class Surface:
    """The pixels [n] that show something: frame, prim, owner, material, point and normal [n, 3], depth t, unit view
    ray [n, 3]."""

    frame: Tensor
    prim: Tensor
    owner: Tensor
    material: Tensor
    point: Tensor
    normal: Tensor
    t: Tensor
    ray: Tensor

    def of(self, *names: str) -> Tensor:
        """Indices of the pixels of these materials."""
        return sum((self.material == MATERIAL[name]) for name in names).bool().nonzero().flatten()


def _fine(x: Tensor, y: Tensor, size: float, t: Tensor, salt: Tensor | int) -> Tensor:
    """Cell noise about 0 (-0.5..0.5) that fades where a cell gets smaller than a pixel."""
    return (hash3(cell(x / size), cell(y / size), salt) - 0.5) * (size * 450.0 / t).clamp(0.12, 1.0)


def colours(street: Street, s: Surface) -> Tensor:
    """Albedo [n, 3]."""
    table = torch.zeros((len(MATERIALS), 3), device=street.device)
    for name, colour in _COLOURS.items():
        table[MATERIAL[name]] = torch.tensor(colour, device=street.device)
    out = table[s.material]
    own = s.of(*_OWN)
    if len(own):
        out[own] = torch.stack([street.objects[c][s.owner[own]] for c in "rgb"], -1)
    ground = (s.owner < 0).nonzero().flatten()
    if len(ground):
        out[ground] = _ground(street, s, ground, out[ground])
    for names, paint in (
        (("leaf", "grass"), _leaf),
        (("facade", "brick", "roof", "window", "plain", "wood", "bark"), _masonry),
        (("cloth", "trousers", "skin", "hair"), _people),
        (("tyre", "lamp", "sign", "cargo", "plate"), _details),
    ):
        index = s.of(*names)
        index = index[s.owner[index] >= 0]
        if len(index):
            out[index] = paint(street, s, index, out[index])
    return out.clamp(0.004, 0.95)


def _ground(street: Street, s: Surface, index: Tensor, base: Tensor) -> Tensor:
    p, t, frame, material = s.point[index], s.t[index], s.frame[index], s.material[index]
    road = street.per_frame(frame)
    salt = street.salt()[frame]
    x, y = p[:, 0], p[:, 1]
    u = lateral(road, x, y)
    worn = smooth_noise(x * 0.35, u * 0.9, salt)
    patch = smooth_noise(x * 1.7, y * 1.7, salt + 1)
    grain = _fine(x, y, 0.02, t, salt) + 0.6 * _fine(x, y, 0.09, t, salt + 5)
    asphalt, paving = material == MATERIAL["asphalt"], material == MATERIAL["paving"]
    grass, mark = material == MATERIAL["grass"], material == MATERIAL["mark"]
    shade = 1.0 + 0.22 * (worn - 0.5) + 0.14 * (patch - 0.5) + 0.32 * grain
    tone = torch.where(asphalt, 0.62 + 0.9 * road["tone"], 0.8 + 0.4 * road["cloud"])
    # Darker tyre tracks, thin cracks and repaired patches in asphalt; joints between paving slabs.
    track = torch.exp(-(((u.abs() - 0.75) / 0.28) ** 2)) * 0.10
    crack = ((smooth_noise(x * 0.8, y * 0.8, salt + 2) - 0.5).abs() < 0.006) & (t < 20) & (patch > 0.55)
    mended = hash3(cell(x / 5.0), cell(u / 1.7), salt + 3) < 0.10
    shade = torch.where(
        asphalt, shade * (1 - track) * torch.where(crack, 0.62, 1.0) * torch.where(mended, 0.80, 1.0), shade
    )
    slab = 0.45
    fx, fu = x / slab - torch.floor(x / slab), u / slab - torch.floor(u / slab)
    joint = ((fx < 0.05) | (fu < 0.05)) & (t < 28)
    shade = torch.where(paving & joint, shade * 0.72, shade)
    shade = torch.where(mark, shade * (0.65 + 0.4 * patch), shade)
    wild = (
        1.0
        + 0.7 * (smooth_noise(x * 2.3, y * 2.3, salt + 4) - 0.5)
        + 0.9 * _fine(x, y, 0.05, t, salt + 6)
        + 0.5 * (worn - 0.5)
    )
    shade = torch.where(grass, wild, shade)
    dry = (worn * 0.8 * road["tone"]).clamp(0, 1)[:, None]
    straw = torch.tensor([0.24, 0.20, 0.09], device=base.device)
    base = torch.where(grass[:, None], base + dry * (straw - base), base)
    warm = torch.stack([1 + 0.10 * road["warm"], torch.ones_like(u), 1 - 0.16 * road["warm"]], -1)
    warm = torch.where(paving[:, None], warm, torch.ones_like(warm))
    return base * (shade * torch.where(mark | grass, torch.ones_like(tone), tone))[:, None] * warm


def _leaf(street: Street, s: Surface, index: Tensor, base: Tensor) -> Tensor:
    x, y, z = s.point[index].unbind(-1)
    salt = street.objects["salt"][s.owner[index]]
    size = (s.t[index] * 0.0035).clamp(0.05, 0.35)
    scale = 2.0 ** torch.ceil(torch.log2(size / 0.05)) * 0.05
    leaf = hash3(cell(x / scale), cell(y / scale), cell(z / scale) + salt)
    clump = smooth_noise(x * 1.6 + z * 0.9, y * 1.6 - z * 1.1, salt)
    tint = torch.stack([0.75 + 0.7 * leaf, 0.8 + 0.45 * leaf, 0.8 + 0.3 * leaf], -1)
    grass = (s.material[index] == MATERIAL["grass"])[:, None]
    return base * torch.where(grass, 0.8 + 0.3 * tint, tint) * (0.45 + 0.95 * clump)[:, None]


def _masonry(street: Street, s: Surface, index: Tensor, base: Tensor) -> Tensor:
    owner, t, material = s.owner[index], s.t[index], s.material[index]
    x, y, z = local_point(street, owner, s.point[index])
    o = {name: street.objects[name][owner] for name in ("p1", "p2", "p3", "p4", "p5", "h")}
    salt = street.objects["salt"][owner]
    along = x + y
    stain = smooth_noise(along * 0.7, z * 0.35, salt)
    course = hash3(cell(along / 0.24 + torch.floor(z / 0.08) * 0.5), cell(z / 0.08), salt) - 0.5
    rows = (0.08 * 450.0 / t).clamp(0, 1)
    shade = 1 + 0.25 * (stain - 0.5) + 0.10 * _fine(along, z, 0.05, t, salt)
    brick = material == MATERIAL["brick"]
    shade = torch.where(brick, shade * (1 + 0.5 * course * rows), shade)
    roof = material == MATERIAL["roof"]
    tile = z / 0.22 - torch.floor(z / 0.22)
    shade = torch.where(
        roof, shade * (1 + 0.35 * course - 0.25 * (tile < 0.25).float() * (0.22 * 300 / t).clamp(0, 1)), shade
    )
    facade = material == MATERIAL["facade"]
    shade = torch.where(facade & (z < 0.6), shade * 0.75, shade)
    roofs = torch.tensor(_ROOFS, device=base.device)[(o["p5"] * 3.99).long()]
    base = torch.where(roof[:, None], roofs, base)
    stone = torch.stack([0.30 + 0.12 * o["p3"], 0.25 + 0.13 * o["p3"] * o["p4"], 0.19 + 0.16 * o["p4"] * o["p3"]], -1)
    base = torch.where(brick[:, None], stone, base)
    # Some panes are curtained, each its own way.
    window = material == MATERIAL["window"]
    pane = hash3(cell((along + 50.0) / (2.0 + 1.4 * o["p4"])), cell(z / (2.75 + 0.5 * o["p2"])), salt + 9)
    base = torch.where((window & (pane > 0.6))[:, None], 0.12 + 0.5 * (pane - 0.6)[:, None] + 0 * base, base)
    bark = material == MATERIAL["bark"]
    shade = torch.where(bark, 0.75 + 0.6 * hash3(cell(along / 0.03), cell(z / 0.3), salt), shade)
    return base * shade[:, None]


def _people(street: Street, s: Surface, index: Tensor, base: Tensor) -> Tensor:
    owner, material = s.owner[index], s.material[index]
    p1, p3, p4, p5 = (street.objects[name][owner] for name in ("p1", "p3", "p4", "p5"))
    trousers = torch.tensor(_TROUSERS, device=base.device)[(p4 * 5.99).long()]
    base = torch.where((material == MATERIAL["trousers"])[:, None], trousers, base)
    skin = base * (0.45 + 0.75 * p5)[:, None]
    base = torch.where((material == MATERIAL["skin"])[:, None], skin, base)
    fair = torch.stack([0.05 + 0.35 * p3**3, 0.035 + 0.24 * p3**3, 0.025 + 0.10 * p3**3], -1)
    helmet = torch.stack([p1, 0.3 * p4 + 0.2, 0.8 * p5], -1) * 0.6
    rides = (street.objects["kind"][owner] == KIND["cyclist"]) & (p4 < 0.4)
    base = torch.where((material == MATERIAL["hair"])[:, None], torch.where(rides[:, None], helmet, fair), base)
    x, y, z = local_point(street, owner, s.point[index])
    fold = smooth_noise(y * 9 + x * 5, z * 5, street.objects["salt"][owner])
    return base * (0.8 + 0.4 * fold)[:, None]


def _details(street: Street, s: Surface, index: Tensor, base: Tensor) -> Tensor:
    owner, material, prim = s.owner[index], s.material[index], s.prim[index]
    x, y, z = local_point(street, owner, s.point[index])
    o = {name: street.objects[name][owner] for name in ("p1", "p2", "p3", "p4", "h", "kind")}
    rear = (material == MATERIAL["lamp"]) & (x < 0)
    base = torch.where(rear[:, None], torch.tensor([0.42, 0.015, 0.015], device=base.device), base)
    # Rims of wheels: a bright disc with dark gaps, told by the radius in the wheel's own coordinates.
    first, tubes = street.prims.first["tube"], street.prims.coef["tube"]
    wheel = (
        (material == MATERIAL["tyre"]) & (prim >= first) & (prim < first + len(tubes)) & (o["kind"] <= KIND["truck"])
    )
    if bool(wheel.any()):
        coef = tubes[(prim - first).clamp(0, len(tubes) - 1)]
        q = (coef[..., :3] * s.point[index][:, None]).sum(-1) + coef[..., 3]
        radius = torch.hypot(q[:, 0], q[:, 1])
        spokes = torch.cos(torch.atan2(q[:, 1], q[:, 0]) * (5 + 2 * (o["p3"] > 0.5))) > 0.35 * (o["p4"] - 0.6)
        rim = wheel & (radius < 0.64) & (spokes | (radius < 0.2) | (radius > 0.56)) & (q[:, 2].abs() > 0.97)
        base = torch.where(rim[:, None], (0.22 + 0.35 * o["p2"])[:, None] + 0 * base, base)
    sign = material == MATERIAL["sign"]
    colour = torch.tensor(_SIGNS, device=base.device)[(o["p3"] * 3.99).long()]
    off = torch.hypot(y, z - o["h"] + 0.35)
    field = torch.where(o["p4"] < 0.5, off > 0.21, off < 0.24)
    base = torch.where(sign[:, None], torch.where(field[:, None], colour, torch.full_like(colour, 0.72)), base)
    plate = material == MATERIAL["plate"]
    ink = (
        plate
        & (hash3(cell(y / 0.055), cell(z / 0.12), street.objects["salt"][owner]) < 0.45)
        & ((y / 0.055 - torch.floor(y / 0.055) - 0.5).abs() < 0.3)
    )
    return torch.where(ink[:, None], 0.05 + 0 * base, base)
