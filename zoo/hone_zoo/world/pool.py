"""Pools of pictures and sweeps in a device's memory, for training."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Iterator

import numpy as np
import torch
from torch import Tensor

from .camera import picture
from .cast import Extents, Hits, cast
from .labels import Labels, make_labels, slots_of
from .layout import make_scenes
from .sensors import HEIGHT, WIDTH, Camera, Lidar, calibration
from .street import Street
from .sweep import Sweeps, sweep


def default_batch(device: torch.device | str, lidar: bool) -> int:
    """Frames made at once."""
    if torch.device(device).type == "cuda":
        return 256 if lidar else 48
    return 8 if lidar else 1


def streets(count: int, seed: int, device: torch.device | str, batch: int, first: int = 0) -> Iterator[Street]:
    """Scenes first .. first + count - 1 in batches; the next ones are laid out in a thread meanwhile."""
    starts = list(range(first, first + count, batch))

    def lay_out(start: int):
        return make_scenes(seed, np.arange(start, min(start + batch, first + count)))

    with ThreadPoolExecutor(2) as workers:
        waiting = [workers.submit(lay_out, start) for start in starts[:4]]
        for number in range(len(starts)):
            scenes = waiting.pop(0).result()
            if number + 4 < len(starts):
                waiting.append(workers.submit(lay_out, starts[number + 4]))
            yield Street(scenes, device)


def look(street: Street) -> tuple[Camera, Hits, Labels]:
    """What the camera's rays hit, and the labels (2-D boxes exact to a pixel)."""
    rig = calibration()
    camera = Camera(rig, street.device)
    slots = slots_of(street, camera)
    extents = Extents(len(slots[0]), street.device)
    hits = cast(street.prims, street.frame, street.count, camera, slot=slots[1][street.prims.object], extents=extents)
    return camera, hits, make_labels(street, rig, camera, hits, extents, slots)


def render(street: Street) -> tuple[Tensor, Labels]:
    """Pictures uint8 [F, 375, 1242, 3] and their labels, as of `look`."""
    camera, hits, labels = look(street)
    return picture(street, camera, hits), labels


def scan(street: Street) -> tuple[Sweeps, Labels]:
    """One sweep of every frame, cut to the camera's view, and its labels (2-D boxes exact to labels.COARSE
    pixels)."""
    rig = calibration()
    return sweep(street, Lidar(street.device), rig), make_labels(street, rig)


@torch.no_grad()
def camera_pool(count: int, seed: int, device: torch.device | str, first: int = 0, batch: int = 0) -> dict[str, Tensor]:
    """Pictures of scenes first .. first + count - 1 of a seed, on the device.

    images: uint8 [count, 375, 1242, 3], RGB.
    boxes: float32 [M, 8]: picture, class (kinds.CLASSES), x1, y1, x2, y2 (first and last pixel of the whole outline
    inside the picture), truncation 0..1, occlusion 0, 1 or 2.
    ignore: float32 [K, 5]: picture, x1, y1, x2, y2 of objects of these classes seen to less than a tenth, lower than
    10 pixels or beyond 75 m (KITTI's DontCare).
    """
    images = torch.empty((count, HEIGHT, WIDTH, 3), dtype=torch.uint8, device=device)
    boxes, ignore, done = [], [], 0
    for street in streets(count, seed, device, batch or default_batch(device, False), first):
        images[done : done + street.count], labels = render(street)
        head = torch.stack([labels.frame + done, labels.cls], 1).float()
        tail = torch.stack([labels.truncation, labels.occlusion.float()], 1)
        boxes.append(torch.cat([head, labels.rect, tail], 1)[labels.care])
        ignore.append(torch.cat([head[:, :1], labels.rect], 1)[~labels.care])
        done += street.count
    return {"images": images, "boxes": torch.cat(boxes), "ignore": torch.cat(ignore)}


@torch.no_grad()
def lidar_pool(count: int, seed: int, device: torch.device | str, first: int = 0, batch: int = 0) -> dict[str, Tensor]:
    """Sweeps of scenes first .. first + count - 1 of a seed, cut to the camera's view, on the device.

    points: float32 [P, 4] (x, y, z, reflectance); offsets: int64 [count + 1], frame f holds
    points[offsets[f]:offsets[f + 1]].
    boxes: float32 [M, 9]: frame, class (kinds.CLASSES), x, y, z of the centre, l, w, h, yaw in LiDAR coordinates.
    points_in_box: int64 [M], the returns of that object; occlusion: int64 [M] (0, 1, 2, 3 = hardly seen);
    truncation and height_px: float32 [M]; care: bool [M], False for what KITTI would mark DontCare (as in camera_pool).
    """
    parts: dict[str, list[Tensor]] = {
        name: [] for name in ("points", "boxes", "points_in_box", "occlusion", "truncation", "height_px", "care")
    }
    offsets, done, total = [torch.zeros(1, dtype=torch.int64, device=device)], 0, 0
    for street in streets(count, seed, device, batch or default_batch(device, True), first):
        sweeps, labels = scan(street)
        per_object = torch.bincount(sweeps.owner.clamp_min(-1) + 1, minlength=len(street.frame_of_object) + 1)[1:]
        parts["points"].append(sweeps.points)
        offsets.append(sweeps.offsets[1:] + total)
        parts["boxes"].append(torch.cat([torch.stack([labels.frame + done, labels.cls], 1).float(), labels.box], 1))
        parts["points_in_box"].append(per_object[labels.object])
        parts["occlusion"].append(labels.occlusion)
        parts["truncation"].append(labels.truncation)
        parts["height_px"].append(labels.rect[:, 3] - labels.rect[:, 1])
        parts["care"].append(labels.care)
        done, total = done + street.count, total + len(sweeps.points)
    return {"offsets": torch.cat(offsets), **{name: torch.cat(values) for name, values in parts.items()}}
