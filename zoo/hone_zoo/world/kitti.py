"""KITTI's object files, ours and the originals: clouds, calibrations, labels. Numbers in the frames the files use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .kinds import CLASSES
from .labels import Labels
from .sensors import Calibration

_SHAPES = {
    "P0": (3, 4),
    "P1": (3, 4),
    "P2": (3, 4),
    "P3": (3, 4),
    "R0_rect": (3, 3),
    "Tr_velo_to_cam": (3, 4),
    "Tr_imu_to_velo": (3, 4),
}


@dataclass
class Label:
    """One line of label_2. location: the bottom's centre in rectified camera coordinates; box: x1, y1, x2, y2 in
    pixels; size: h, w, l. score: only in result files."""

    type: str
    truncated: float
    occluded: int
    alpha: float
    box: tuple[float, float, float, float]
    size: tuple[float, float, float]
    location: tuple[float, float, float]
    rotation_y: float
    score: float | None = None

    def line(self) -> str:
        numbers = [self.alpha, *self.box, *self.size, *self.location, self.rotation_y]
        text = f"{self.type} {self.truncated:.2f} {self.occluded:d} " + " ".join(f"{number:.2f}" for number in numbers)
        return text if self.score is None else f"{text} {self.score:.4f}"


def read_cloud(path: str | Path) -> np.ndarray:
    """float32 [N, 4]: x, y, z, reflectance. ValueError if the file is no whole number of points."""
    values = np.fromfile(path, dtype="<f4")
    if len(values) % 4:
        raise ValueError(
            f"{path}: {values.nbytes} bytes are no whole number of points of 16 bytes (x, y, z, reflectance as float32)"
        )
    return values.reshape(-1, 4)


def write_cloud(path: str | Path, points: np.ndarray) -> None:
    np.ascontiguousarray(points, dtype="<f4").tofile(path)


def read_calibration(path: str | Path) -> Calibration:
    """A calib file; ValueError names a matrix that is missing or misshapen."""
    found: dict[str, Tensor] = {}
    for line in Path(path).read_text().splitlines():
        name, _, rest = line.partition(":")
        if name.strip() in _SHAPES:
            shape, values = _SHAPES[name.strip()], [float(word) for word in rest.split()]
            if len(values) != shape[0] * shape[1]:
                raise ValueError(f"{path}: {name} has {len(values)} numbers instead of {shape[0] * shape[1]}")
            found[name.strip()] = torch.tensor(values, dtype=torch.float64).view(shape)
    missing = [name for name in ("P2", "R0_rect", "Tr_velo_to_cam") if name not in found]
    if missing:
        raise ValueError(f"{path}: no line {', '.join(missing)}; a KITTI object calib file has {', '.join(_SHAPES)}")
    return Calibration(found)


def write_calibration(path: str | Path, rig: Calibration) -> None:
    lines = [
        f"{name}: " + " ".join(f"{value:.12e}" for value in rig.matrices[name].flatten().tolist())
        for name in _SHAPES
        if name in rig.matrices
    ]
    Path(path).write_text("\n".join(lines) + "\n")


def read_labels(path: str | Path) -> list[Label]:
    """The lines of a label or result file; ValueError names a line that has not 15 or 16 fields."""
    labels = []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) not in (15, 16):
            raise ValueError(f"{path}:{number}: {len(words)} fields; a label has 15 and a result 16")
        values = [float(word) for word in words[1:]]
        labels.append(
            Label(
                words[0],
                values[0],
                int(values[1]),
                values[2],
                tuple(values[3:7]),
                tuple(values[7:10]),
                tuple(values[10:13]),
                values[13],
                values[14] if len(values) == 15 else None,
            )
        )
    return labels


def write_labels(path: str | Path, labels: list[Label]) -> None:
    Path(path).write_text("".join(label.line() + "\n" for label in labels))


def wrap(angle: float) -> float:
    """An angle in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def box_to_camera(box: np.ndarray, rig: Calibration) -> tuple[tuple[float, float, float], float, float]:
    """(location, rotation_y, alpha) of a LiDAR box (x, y, z of the centre, l, w, h, yaw)."""
    x, y, z, _, _, height, yaw = (float(value) for value in box)
    bottom = torch.tensor([x, y, z - height / 2, 1.0], dtype=torch.float64)
    location = (rig.velo_to_rect() @ bottom)[:3].tolist()
    turn = wrap(-yaw - math.pi / 2)
    return tuple(location), turn, wrap(turn - math.atan2(-y, x))


def box_from_camera(label: Label, rig: Calibration) -> np.ndarray:
    """The LiDAR box (x, y, z of the centre, l, w, h, yaw) of a label, float64 [7]."""
    place = torch.tensor([*label.location, 1.0], dtype=torch.float64)
    x, y, z, _ = (torch.linalg.inv(rig.velo_to_rect()) @ place).tolist()
    height, width, length = label.size
    return np.array([x, y, z + height / 2, length, width, height, wrap(-(label.rotation_y + math.pi / 2))])


def to_lines(labels: Labels, frame: int, rig: Calibration) -> list[Label]:
    """The label lines of one frame: nearest first, what KITTI would not label at the end as DontCare."""
    rows = (labels.frame == frame).nonzero().flatten().tolist()
    rows.sort(key=lambda row: float(labels.box[row, 0]))
    lines, others = [], []
    for row in rows:
        box, rect = labels.box[row].cpu().double().numpy(), tuple(labels.rect[row].tolist())
        if not bool(labels.care[row]):
            others.append(
                Label("DontCare", -1.0, -1, -10.0, rect, (-1.0, -1.0, -1.0), (-1000.0, -1000.0, -1000.0), -10.0)
            )
            continue
        location, turn, alpha = box_to_camera(box, rig)
        lines.append(
            Label(
                CLASSES[int(labels.cls[row])],
                float(labels.truncation[row]),
                int(labels.occlusion[row]),
                alpha,
                rect,
                (box[5], box[4], box[3]),
                location,
                turn,
            )
        )
    return lines + others
