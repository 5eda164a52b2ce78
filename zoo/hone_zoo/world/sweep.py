"""From rays to the returns of a spinning LiDAR: reflectance, lost returns, noise, KITTI's cut to the camera's
view."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .cast import normals
from .kinds import MATERIAL, MATERIALS, REFLECTANCE
from .noise import hash3, normal_noise
from .parts import part_of
from .sensors import HEIGHT, WIDTH, Calibration, Camera, Lidar
from .street import Street, View

FARTHEST = 80.0


@dataclass
class Sweeps:
    """points float32 [P, 4] (x, y, z in whole millimetres, reflectance in hundredths), frame by frame; offsets int64
    [F + 1];
    owner [P]: the object hit, -1 for the ground."""

    points: Tensor
    offsets: Tensor
    owner: Tensor


class _Rays:
    """The rays of a batch that hit something within reach, with their noise keys."""

    def __init__(self, street: Street, view: View, lidar: Lidar) -> None:
        self.frame, self.row, self.col = (view.t < FARTHEST * 1.2).nonzero().unbind(1)
        place = (self.frame, self.row, self.col)
        self.t, self.prim, self.owner = view.t[place], view.prim[place], view.object[place]
        self.material, self.point, face = view.material[place], view.point[place], view.face[place]
        self.road = street.per_frame(self.frame)
        self.salt = street.salt()[self.frame]
        self.object_salt = torch.where(self.owner >= 0, street.objects["salt"][self.owner.clamp_min(0)], self.salt)
        self.key = (self.row * 1024 + self.col).to(torch.int32)
        self.ray = lidar.directions(self.frame, self.row, self.col)
        self.stretch = self.ray.norm(dim=-1)
        self._surface(street, face)

    def _surface(self, street: Street, face: Tensor) -> None:
        normal = View.ground_normal(self.road, self.point)
        solid = (self.prim >= 0).nonzero().flatten()
        normal[solid] = normals(street.prims, self.prim[solid], self.point[solid])
        self.cosine = -(normal * self.ray).sum(-1) / self.stretch
        self.cosine = torch.where(face, torch.full_like(self.cosine, 0.9), self.cosine.abs()).clamp(0.005, 1.0)
        self.material[solid] = part_of(street, self.owner[solid], self.material[solid], self.point[solid])
        self.paint = torch.full_like(self.t, 0.3)
        colour = torch.stack([street.objects[c][self.owner[solid]] for c in "rgb"], -1).amax(-1)
        self.paint[solid] = colour

    def noise(self, salt: int) -> Tensor:
        return hash3(self.key, self.salt, salt)

    def normal(self, salt: int) -> Tensor:
        return normal_noise(self.key, self.salt, salt)


def _reflectance(rays: _Rays) -> tuple[Tensor, Tensor]:
    """(share of the light that comes back, the value the sensor would report before its curve)."""
    device = rays.t.device
    table = torch.tensor([REFLECTANCE[name] for name in MATERIALS], device=device)
    mean, spread = table[rays.material].unbind(-1)
    paint = rays.material == MATERIAL["paint"]
    mean = torch.where(paint, 0.46 * (1 - torch.exp(-3.2 * rays.paint)), mean)
    spread = torch.where(paint, 0.15 * mean + 0.02, spread)
    cloth = (
        (rays.material == MATERIAL["cloth"])
        | (rays.material == MATERIAL["plain"])
        | (rays.material == MATERIAL["facade"])
    )
    mean = torch.where(cloth, 0.12 + 0.55 * mean + 0.28 * rays.paint, mean)
    per_object = hash3(rays.object_salt, rays.material.to(torch.int32), rays.salt) - 0.5
    ground = rays.owner < 0
    own = torch.where(ground, mean, mean * (1 + 0.5 * per_object))
    value = own + spread * rays.normal(11)
    glossy = paint | (rays.material == MATERIAL["glass"]) | (rays.material == MATERIAL["metal"])
    # Rough surfaces lose little at grazing angles, glossy ones nearly all, but for a highlight head on.
    lambert = torch.where(glossy, 0.5 + 0.5 * rays.cosine, 0.72 + 0.28 * rays.cosine**0.5)
    highlight = torch.where(paint & (rays.cosine > 0.985), 0.6 * rays.noise(12), torch.zeros_like(value))
    return (
        own.clamp_min(0.003) * torch.where(glossy, rays.cosine**1.3 + 0.02, rays.cosine),
        value.clamp_min(0) * lambert + highlight,
    )


def _reported(rays: _Rays, value: Tensor, distance: Tensor) -> Tensor:
    """The sensor's reflectance: the frame's curve, the beam's own gain, the fall with range, in steps of 0.01."""
    road = rays.road
    gain, gamma = 0.88 + 0.42 * road["gain"], 0.8 + 0.45 * road["gamma"]
    fade = ((17.0 + 12.0 * road["falloff"]) / distance).clamp_max(1.0)
    beam = rays.row.to(torch.int32)
    of_beam = (hash3(beam, beam * 0 + 5, 77) - 0.5) * 0.07 + (hash3(beam, rays.salt, 78) - 0.5) * 0.05
    odd = hash3(beam, rays.salt, 79)
    of_beam = of_beam - torch.where(odd < 0.05, 0.06 + 2.4 * odd, torch.zeros_like(odd))
    shifted = 0.30 * (value.clamp_min(1e-4) / 0.30) ** gamma * gain * fade**0.35 + of_beam + 0.015 * rays.normal(21)
    weak = shifted * fade**2 < 0.03 + 0.02 * road["offset"] + 0.07 * rays.noise(22)
    shifted = torch.where(weak & ((fade < 1.0) | (shifted < 0.05)), torch.zeros_like(shifted), shifted)
    return (shifted.clamp(0.0, 0.99) * 100).round() / 100


def _returned(rays: _Rays, share: Tensor, distance: Tensor) -> Tensor:
    """Which rays come back: few from glass, fewer from dark, glossy, far and grazed surfaces."""
    strength = share * (60.0 / distance) ** 2 * 110.0
    kept = 1 - torch.exp(-strength)
    glass, paint = rays.material == MATERIAL["glass"], rays.material == MATERIAL["paint"]
    polish = hash3(rays.object_salt, rays.salt, 32)
    lost = (0.05 + 0.85 * polish * polish) * (1.0 - rays.paint).clamp(0, 1)
    grazed = (rays.cosine / 0.35).clamp_max(1.0) ** 0.7
    kept = torch.where(paint, kept * (1 - lost) * grazed, kept)
    window = rays.material == MATERIAL["window"]
    leaf = rays.material == MATERIAL["leaf"]
    kept = torch.where(glass, kept * 0.16, torch.where(window, kept * 0.55, torch.where(leaf, kept * 0.93, kept)))
    return rays.noise(31) < kept * (1 - 0.03 * rays.road["dropout"])


def sweep(street: Street, lidar: Lidar, rig: Calibration, camera_cut: bool = True) -> Sweeps:
    """One sweep of every frame of the street."""
    rays = _Rays(street, View(street, lidar), lidar)
    distance = rays.t * rays.stretch
    share, value = _reflectance(rays)
    reported = _reported(rays, value, distance)
    keep = _returned(rays, share, distance) & (distance < FARTHEST)
    sigma = 0.010 + 0.010 * rays.road["range_noise"]
    # Some rays pass the glass and come back from the seats.
    inside = (rays.material == MATERIAL["glass"]) & (rays.noise(41) < 0.45)
    # A blade of grass up to 5 cm high stops the ray the earlier the flatter it comes.
    grass = (rays.material == MATERIAL["grass"]).float()
    early = (grass * 0.05 * rays.noise(44) / rays.cosine).clamp_max(0.8)
    moved = (
        sigma * rays.normal(42).clamp(-2, 2)
        - early
        + torch.where(inside, 0.25 + 0.5 * rays.noise(43), torch.zeros_like(sigma))
    )
    points = rays.point + rays.ray * (moved / rays.stretch)[:, None]
    points = (points * 1000).round() / 1000
    if camera_cut:
        q = Camera(rig, street.device).project(points)
        u, v = q[:, 0] / q[:, 2], q[:, 1] / q[:, 2]
        keep = keep & (q[:, 2] > 0) & (u >= 0) & (u < WIDTH) & (v >= 0) & (v < HEIGHT)
    reported = torch.where(rays.road["mute"] < 1 / 3, torch.zeros_like(reported), reported)
    return _ordered(street, lidar, rays, torch.cat([points, reported[:, None]], 1), keep)


def _ordered(street: Street, lidar: Lidar, rays: _Rays, points: Tensor, keep: Tensor) -> Sweeps:
    """In the file order of the sensor: beam by beam from the top, azimuth rising from straight ahead round to it
    again."""
    turn = torch.remainder(lidar.azimuth + 1e-4, 2 * math.pi)
    rank = torch.empty_like(turn, dtype=torch.int64)
    rank[turn.argsort()] = torch.arange(len(turn), device=turn.device)
    index = keep.nonzero().flatten()
    key = (rays.frame[index] * 64 + rays.row[index]) * 1024 + rank[rays.col[index]]
    index = index[key.argsort()]
    counts = torch.bincount(rays.frame[index], minlength=street.count)
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return Sweeps(points[index].contiguous(), offsets, rays.owner[index])
