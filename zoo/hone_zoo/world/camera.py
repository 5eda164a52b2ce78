"""The picture: sun, shadow, sky, reflections, haze, exposure and grain over the colours of texture.py."""

from __future__ import annotations

import torch
from torch import Tensor

from .cast import Hits, cast, normals
from .kinds import MATERIAL
from .noise import normal_noise, smooth_noise
from .parts import part_of
from .sensors import HEIGHT, WIDTH, Camera, Sun
from .street import Street, View
from .texture import Surface, colours


def _sun(street: Street) -> Tensor:
    """Unit vectors to the sun [F, 3]; under clouds the light comes from nearly overhead."""
    road = street.road
    high = torch.where(road["overcast"] > 0.5, 1.35 + 0 * road["tone"], road["sun_elevation"])
    turn = road["sun_azimuth"]
    return torch.stack([torch.cos(high) * torch.cos(turn), torch.cos(high) * torch.sin(turn), torch.sin(high)], -1)


class _Shadow:
    """A map of the first thing that sunlight meets, and soft lookups in it."""

    def __init__(self, street: Street, towards: Tensor) -> None:
        self.grid = Sun(towards)
        self.map = cast(street.prims, street.frame, street.count, self.grid).t

    def dark(self, s: Surface, towards: Tensor) -> tuple[Tensor, Tensor]:
        """(share of the sun that is hidden, share hidden by something close above) at the surface's points."""
        lifted = s.point + s.normal * (0.05 + 0.012 * s.t)[:, None]
        row, col, t = self.grid.locate(lifted, towards[s.frame])
        rows, cols = self.map.shape[1:]
        inside = (row > 0) & (row < rows - 1) & (col > 0) & (col < cols - 1)
        r0, c0 = torch.floor(row.clamp(0, rows - 2)), torch.floor(col.clamp(0, cols - 2))
        fr, fc = (row - r0).clamp(0, 1), (col - c0).clamp(0, 1)
        base = (s.frame * rows + r0.long()) * cols + c0.long()
        flat = self.map.flatten()
        hidden, close = torch.zeros_like(t), torch.zeros_like(t)
        for dr, dc in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = (fr if dr else 1 - fr) * (fc if dc else 1 - fc)
            gap = t - flat[base + dr * cols + dc]
            hidden += weight * (gap > 0.06)
            close += weight * ((gap > 0.06) & (gap < 0.9))
        return hidden * inside, close * inside


def _sky(road: dict[str, Tensor], ray: Tensor, towards: Tensor, salt: Tensor) -> Tensor:
    """The sky's light [..., 3] along unit rays: blue with clouds or an overcast grey, brighter about the sun."""
    up = ray[..., 2].clamp(0, 1)
    blue = (
        torch.stack([0.30 - 0.20 * up, 0.52 - 0.24 * up, 0.88 - 0.22 * up], -1)
        * (0.65 + 0.45 * road["tone"])[..., None]
    )
    white = torch.stack([0.74 + 0 * up, 0.78 + 0 * up, 0.83 + 0 * up], -1)
    reach = 1.0 / (up + 0.08)
    x, y = ray[..., 0] * reach, ray[..., 1] * reach
    cloud = (
        0.6 * smooth_noise(x * 0.8, y * 0.8, salt)
        + 0.3 * smooth_noise(x * 2.1, y * 2.1, salt + 1)
        + 0.15 * smooth_noise(x * 5, y * 5, salt + 2)
    )
    cover = ((cloud - 0.75 + 0.5 * road["cloud"]) * 4).clamp(0, 1)
    cover = torch.where(road["overcast"] > 0.5, 0.85 + 0.15 * cover, 0.85 * cover * (0.2 + 0.8 * (up * 6).clamp(0, 1)))[
        ..., None
    ]
    grey = white * torch.where(road["overcast"] > 0.5, 0.75 + 0.4 * cloud, 0.85 + 0.3 * cloud)[..., None]
    glow = (ray * towards).sum(-1).clamp(0, 1)
    shine = torch.where(road["overcast"] > 0.5, 0.10 * glow, 0.5 * glow**8 + 4.0 * (glow > 0.9995).float())
    horizon = torch.exp(-up * 9)[..., None] * 0.45
    sky = blue + cover * (grey - blue)
    return sky + horizon * (white - sky) + shine[..., None]


_SHINE = {"paint": 0.055, "glass": 0.09, "window": 0.10, "metal": 0.10, "lamp": 0.08, "cargo": 0.02}


def _lit(street: Street, s: Surface, towards: Tensor, shadow: _Shadow) -> Tensor:
    """The light that leaves each point of the surface [n, 3]."""
    road = street.per_frame(s.frame)
    sun = towards[s.frame]
    hidden, close = shadow.dark(s, towards)
    leafy = s.of("leaf")
    facing = (s.normal * sun).sum(-1)
    direct = facing.clamp_min(0)
    direct[leafy] = 0.35 + 0.45 * facing[leafy].clamp(-0.6, 1)
    direct = direct * (1 - hidden)
    cloudy = road["overcast"] > 0.5
    power = torch.where(cloudy, 0.22 + 0 * hidden, 1.3 + 0 * hidden)[:, None]
    warmth = road["warm"]
    sunlight = torch.stack([1.0 + 0.06 * warmth, 0.96 + 0 * warmth, 0.90 - 0.14 * warmth], -1) * power
    skylight = torch.where(
        cloudy[:, None], s.point.new_tensor([0.72, 0.76, 0.82]), s.point.new_tensor([0.23, 0.28, 0.38])
    )
    dome = (0.58 + 0.42 * s.normal[:, 2]) * (1 - 0.62 * close)
    bounce = (0.5 - 0.5 * s.normal[:, 2]).clamp_min(0)[:, None] * 0.10
    colour = colours(street, s) * (sunlight * direct[:, None] + skylight * dome[:, None] + bounce)
    glossy = s.of(*_SHINE)
    if len(glossy):
        colour[glossy] = _mirrored(street, s, glossy, colour[glossy], towards, hidden[glossy], close[glossy])
    return colour


def _mirrored(
    street: Street, s: Surface, index: Tensor, colour: Tensor, towards: Tensor, hidden: Tensor, close: Tensor
) -> Tensor:
    """Adds what smooth surfaces mirror: the sky above, a dim street below the horizon, the sun's highlight."""
    frame, normal, ray = s.frame[index], s.normal[index], s.ray[index]
    road = street.per_frame(frame)
    facing = (normal * ray).sum(-1)
    mirror = ray - 2 * facing[:, None] * normal
    sky = _sky(road, mirror, towards[frame], street.salt()[frame])
    x, z = mirror[:, 0], mirror[:, 2]
    skyline = 0.10 + 0.30 * smooth_noise(
        torch.atan2(mirror[:, 1], x) * 4, s.point[index][:, 0] * 0.6, street.salt()[frame] + 3
    )
    above = ((z - skyline) * 8 + 0.5).clamp(0, 1)[:, None]
    around = above * sky + (1 - above) * (0.10 + 0.10 * (z[:, None] + 0.3).clamp(0, 1))
    base = torch.zeros(len(MATERIAL), device=colour.device)
    for name, value in _SHINE.items():
        base[MATERIAL[name]] = value
    base = base[s.material[index]]
    share = base + (1 - base) * (1 - facing.abs()).clamp(0, 1) ** 5 * 0.8
    share = share * (1 - 0.6 * close)
    spot = (mirror * towards[frame]).sum(-1).clamp(0, 1)
    sharp = spot**350 * 6.0 * (1 - hidden) * (road["overcast"] < 0.5)
    return colour * (1 - share)[:, None] + around * share[:, None] + sharp[:, None]


def _surface(street: Street, view: View, camera: Camera) -> tuple[Surface, Tensor, Tensor]:
    """The pixels that show something, their flat indices, and all unit view rays [F, R, C, 3]."""
    ray = torch.stack(
        [d.expand(view.t.shape[-2:]) if d.shape[0] == 1 else d for d in (part[0] for part in view.direction)], -1
    )
    ray = ray / ray.norm(dim=-1, keepdim=True)
    shown = torch.isfinite(view.t).flatten().nonzero().flatten()
    pixels = view.t.shape[1] * view.t.shape[2]
    frame, pixel = shown // pixels, shown % pixels
    prim, owner = view.prim.flatten()[shown], view.object.flatten()[shown]
    point = view.point.view(-1, 3)[shown]
    normal = View.ground_normal(street.per_frame(frame), point)
    side = view.face.flatten()[shown]
    rays = ray.view(-1, 3)[pixel]
    level = -rays * rays.new_tensor([1.0, 1.0, 0.0])
    normal = torch.where(side[:, None], level / level.norm(dim=-1, keepdim=True), normal)
    solid = (prim >= 0).nonzero().flatten()
    normal[solid] = normals(street.prims, prim[solid], point[solid])
    material = view.material.flatten()[shown].clone()
    material[solid] = part_of(street, owner[solid], material[solid], point[solid])
    return Surface(frame, prim, owner, material, point, normal, view.t.flatten()[shown], rays), shown, ray


def _develop(street: Street, light: Tensor) -> Tensor:
    """From light [F, 375, 1242, 3] to bytes: lens blur, exposure, white balance, tone curve, grain."""
    road = street.per_frame(slice(None), None, None, None)
    soft = 0.06 + 0.12 * road["blur"]
    for axis in (1, 2):
        n = light.shape[axis]
        index = torch.arange(n, device=light.device)
        before, after = light.index_select(axis, (index - 1).clamp_min(0)), light.index_select(
            axis, (index + 1).clamp_max(n - 1)
        )
        light = light * (1 - 2 * soft) + (before + after) * soft
    exposure = 2.0 ** (1.1 * (road["exposure"] - 0.5)) * torch.where(
        road["overcast"] > 0.5, 1.15 + 0 * soft, 1.3 + 0 * soft
    )
    balance = torch.cat([1 + 0.10 * (road["warm"] - 0.5), 1 + 0 * soft, 1 - 0.14 * (road["warm"] - 0.5)], -1)
    light = (light * exposure * balance).clamp_min(0)
    # A shoulder that bends the highlights, then the display's gamma with a little more contrast.
    light = torch.where(light > 0.7, 1 - 0.3 * torch.exp(-(light - 0.7) / 0.3), light)
    value = light ** (1 / 2.1)
    contrast = 0.3 + 0.5 * road["gamma"]
    value = value + contrast * value * (1 - value) * (2 * value - 1)
    rows = torch.arange(HEIGHT, device=light.device, dtype=torch.int32)[None, :, None]
    place = rows * WIDTH + torch.arange(WIDTH, device=light.device, dtype=torch.int32)[None, None, :]
    salt = street.salt()[:, None, None]
    grain = (0.004 + 0.016 * road["grain"]) * (0.5 + 0.5 * value)
    for channel in range(3):
        value[..., channel] += grain[..., channel] * normal_noise(place, salt, 31 * channel)
    return (value.clamp(0, 1) * 255 + 0.5).to(torch.uint8)


def picture(street: Street, camera: Camera, hits: Hits) -> Tensor:
    """Pictures uint8 [F, 375, 1242, 3] (RGB) of every frame, from the camera's full-size hits."""
    view = View(street, camera, hits)
    towards = _sun(street)
    s, shown, ray = _surface(street, view, camera)
    road = street.per_frame(slice(None), None, None)
    sky = _sky(road, ray[None].expand(street.count, -1, -1, -1), towards[:, None, None], street.salt()[:, None, None])
    light = _lit(street, s, towards, _Shadow(street, towards))
    haze = street.road["haze"][s.frame]
    thick = 1 - torch.exp(-s.t * (0.0006 + 0.0045 * haze * haze))
    air = (
        s.point.new_tensor([0.72, 0.78, 0.86]) * torch.where(street.road["overcast"][s.frame] > 0.5, 1.0, 0.85)[:, None]
    )
    light = light + thick[:, None] * (air - light)
    canvas = sky.reshape(-1, 3).clone()
    canvas[shown] = light
    return _develop(street, canvas.view(street.count, HEIGHT, WIDTH, 3))
