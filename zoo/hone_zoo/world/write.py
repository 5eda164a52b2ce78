"""Frames of the world as files in KITTI's layout."""

from __future__ import annotations

from collections.abc import Iterable
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
def write_frames(
    out: str | Path, seed: int, frames: Iterable[int], device: torch.device | str = "cpu", jpeg: int = 0
) -> None:
    """Writes these scenes of a seed as %06d to velodyne, image_2, calib and label_2 below `out`. Pictures are PNG, as
    KITTI's are, or JPEG of quality `jpeg`, which are much smaller."""
    from PIL import Image

    out, rig = Path(out), calibration()
    for folder in ("velodyne", "image_2", "calib", "label_2"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for number in frames:
        street = Street(make_scenes(seed, np.array([number])), device)
        images, labels = render(street)
        sweeps = sweep(street, Lidar(street.device), rig)
        name = f"{number:06d}"
        write_cloud(out / "velodyne" / f"{name}.bin", sweeps.points.cpu().numpy())
        picture = Image.fromarray(images[0].cpu().numpy())
        if jpeg:
            picture.save(out / "image_2" / f"{name}.jpg", quality=jpeg, subsampling=0, optimize=True)
        else:
            picture.save(out / "image_2" / f"{name}.png")
        write_calibration(out / "calib" / f"{name}.txt", rig)
        write_labels(out / "label_2" / f"{name}.txt", to_lines(labels, 0, rig))
