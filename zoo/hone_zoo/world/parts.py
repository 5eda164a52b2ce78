"""Surface parts that are no primitives of their own: the windows, lamps and plates of vehicles, the windows of
buildings."""

from __future__ import annotations

import torch
from torch import Tensor

from .kinds import KIND, MATERIAL
from .street import Street


def local_point(street: Street, owner: Tensor, point: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Points in the frames of their objects."""
    o = street.objects
    dx, dy = point[:, 0] - o["x"][owner], point[:, 1] - o["y"][owner]
    cos, sin = torch.cos(o["yaw"][owner]), torch.sin(o["yaw"][owner])
    return cos * dx + sin * dy, cos * dy - sin * dx, point[:, 2] - o["z"][owner]


def part_of(street: Street, owner: Tensor, material: Tensor, point: Tensor) -> Tensor:
    """The material of each point [n] once the parts are painted on the primitives' own."""
    out = material.clone()
    for kinds, name, paint in ((("car", "van", "truck"), "paint", _vehicle), (("block", "house"), "facade", _building)):
        kind = street.objects["kind"][owner]
        mask = material == MATERIAL[name]
        mask = mask & sum((kind == KIND[k]) for k in kinds).bool()
        index = mask.nonzero().flatten()
        if len(index):
            out[index] = paint(street, owner[index], *local_point(street, owner[index], point[index]))
    return out


def _pick(name: str, like: Tensor) -> Tensor:
    return torch.full_like(like, MATERIAL[name], dtype=torch.int64)


def _vehicle(street: Street, owner: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    o = {name: value[owner] for name, value in street.objects.items()}
    l, w, h = o["l"], o["w"], o["h"]
    half, side = l / 2, y.abs()
    car, van = o["kind"] == KIND["car"], o["kind"] == KIND["van"]
    truck = o["kind"] == KIND["truck"]
    belt = torch.where(car, h * (0.59 + 0.05 * o["p2"]), torch.where(van, 1.05 + 0.12 * o["p2"], h * 0.50)) + 0.03
    top = torch.where(car, h - 0.085, torch.where(van, (h - 0.35).clamp_max(1.85), h * 0.78))
    high = (z > belt) & (z < top)
    # Posts between the side windows, and the frame round the front and rear windows.
    share = (x / half + 1) / 2
    post = ((share - 0.50).abs() < 0.018) | ((share - 0.255 - 0.05 * o["p4"]).abs() < 0.02)
    width_at = w / 2 - 0.06 - 0.13 * ((z - belt) / (h - belt)).clamp(0, 1)
    on_side = side > width_at - 0.035
    frame = (side > width_at - 0.10) & ~on_side
    panel = (van & (x < half - 2.1 - 0.4 * o["p3"]) & (o["p5"] < 0.75)) | (truck & (x < half - 1.0))
    glass = high & ~(on_side & post) & ~frame & ~panel
    glass = glass & ~(truck & (x < half - 1.6))
    out = torch.where(glass, _pick("glass", x), _pick("paint", x))
    # Lamps, plates, grille, sills and wheel arches.
    nose, tail = x > half - 0.32, x < -half + 0.16
    lamp_low = torch.where(car, belt * 0.64, 0.70 + 0.0 * h)
    lamp_high = lamp_low + 0.15 + 0.05 * o["p3"]
    out = torch.where(nose & (side > w * 0.27) & (z > lamp_low) & (z < lamp_high) & ~truck, _pick("lamp", x), out)
    rear = tail & (side > w * 0.34) & (z > lamp_low + 0.02) & (z < lamp_high + 0.10) & ~truck
    out = torch.where(rear, _pick("lamp", x), out)
    grille = (x > half - 0.10) & (side < w * 0.25) & (z > 0.30) & (z < lamp_high - 0.04)
    out = torch.where(grille & ((z - 0.55).abs() > 0.04), _pick("trim", x), out)
    plate_z = torch.where(x > 0, 0.46 + 0.0 * h, torch.where(o["p4"] < 0.5, 0.55 + 0.0 * h, lamp_low + 0.02))
    ends = (x > half - 0.12) | (x < -half + 0.10)
    out = torch.where(ends & (side < 0.26) & ((z - plate_z).abs() < 0.058), _pick("plate", x), out)
    low = torch.where(car, 0.30 + 0.0 * h, 0.40 + 0.0 * h)
    out = torch.where((z < low) & ~(nose & (side < w * 0.3)), _pick("trim", x), out)
    doors = ((share - 0.50).abs() < 0.0035) | ((share - 0.74).abs() < 0.0035)
    out = torch.where(car & doors & (side > w * 0.4) & (z > low) & (z < belt), _pick("trim", x), out)
    return torch.where(_arch(o, x, z) & (side > w * 0.40), _pick("tyre", x), out)


def _arch(o: dict[str, Tensor], x: Tensor, z: Tensor) -> Tensor:
    """Wheel arches: the dark rings about the wheels that models.py places."""
    l, half = o["l"], o["l"] / 2
    car, van = o["kind"] == KIND["car"], o["kind"] == KIND["van"]
    scale = (o["h"] / 1.52).clamp(0.95, 1.15)
    radius = torch.where(car, (0.285 + 0.045 * o["p2"]) * scale, torch.where(van, 0.34 + 0 * l, 0.48 + 0 * l))
    front = torch.where(car, half - 0.17 * l - 0.10, torch.where(van, half - 0.95, half - 1.0))
    rear = torch.where(car, -half + 0.17 * l + 0.06, torch.where(van, -half + 0.85, -half + 1.2))
    gap = torch.minimum(torch.hypot(x - front, z - radius), torch.hypot(x - rear, z - radius))
    return gap < radius + 0.055


def _building(street: Street, owner: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    o = {name: value[owner] for name, value in street.objects.items()}
    on_end = (x.abs() - o["l"] / 2).abs() < (y.abs() - o["w"] / 2).abs()
    along = torch.where(on_end, y, x) + 50.0
    pitch, storey = 2.0 + 1.4 * o["p4"], 2.75 + 0.5 * o["p2"]
    a, b = along / pitch, z / storey
    fa, fb = a - torch.floor(a), b - torch.floor(b)
    wide, tall = 0.16 + 0.10 * o["p5"], 0.22 + 0.05 * o["p1"]
    pane = ((fa - 0.5).abs() < wide) & ((fb - 0.56).abs() < tall) & (z > 0.5) & (z < o["h"] - 0.3)
    rim = ((fa - 0.5).abs() < wide + 0.03) & ((fb - 0.56).abs() < tall + 0.025) & (z > 0.4) & (z < o["h"] - 0.3)
    bar = (fa - 0.5).abs() < 0.012
    door = (torch.floor(a) == torch.floor(50.0 / pitch)) & ((fa - 0.5).abs() < 0.55 / pitch) & (z < 2.1)
    out = torch.where(rim, _pick("plain", x), _pick("facade", x))
    out = torch.where(pane & ~bar, _pick("window", x), out)
    return torch.where(door, _pick("wood", x), out)
