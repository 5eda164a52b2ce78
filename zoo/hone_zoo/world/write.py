"""Frames of the world as files in KITTI's layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .kitti import to_lines, write_calibration, write_cloud, write_labels
from .layout import make_scenes
from .pool import render
from .sensors import Lidar, calibration
from .street import Street
from .sweep import sweep


@torch.no_grad()
def write_frames(out: str | Path, seed: int, count: int, first: int = 0, device: torch.device | str = "cpu") -> None:
    """Writes frames first .. first + count - 1 as %06d to velodyne, image_2, calib and label_2 below `out`."""
    from PIL import Image

    out, rig = Path(out), calibration()
    for folder in ("velodyne", "image_2", "calib", "label_2"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        street = Street(make_scenes(seed, np.array([number])), device)
        images, labels = render(street)
        sweeps = sweep(street, Lidar(street.device), rig)
        name = f"{number:06d}"
        write_cloud(out / "velodyne" / f"{name}.bin", sweeps.points.cpu().numpy())
        Image.fromarray(images[0].cpu().numpy()).save(out / "image_2" / f"{name}.png")
        write_calibration(out / "calib" / f"{name}.txt", rig)
        write_labels(out / "label_2" / f"{name}.txt", to_lines(labels, 0, rig))
