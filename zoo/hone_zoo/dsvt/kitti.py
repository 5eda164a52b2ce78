"""KITTI's files and coordinates.

LiDAR: x forward, y left, z up; boxes [n, 7] x, y, z of the centre, length, width, height, yaw. Camera: x right, y down,
z forward; a box's location is the middle of its bottom and its yaw turns about y.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..world.kitti import read_calibration, read_labels
from .kitti_ap import Objects

IMAGE_SIZE = (1242, 375)  # where there is no picture


@dataclass
class View:
    """How camera 2 of one frame sees what the LiDAR saw, in double precision."""

    projection: np.ndarray  # [3, 4] P2
    rotation: np.ndarray  # [3, 4] LiDAR to rectified camera
    size: tuple[int, int]  # the picture's width and height

    def to_camera(self, xyz: np.ndarray) -> np.ndarray:
        """[n, 3] LiDAR to [n, 3] rectified camera."""
        return xyz @ self.rotation[:, :3].T + self.rotation[:, 3]

    def to_lidar(self, xyz: np.ndarray) -> np.ndarray:
        return (xyz - self.rotation[:, 3]) @ np.linalg.inv(self.rotation[:, :3]).T

    def project(self, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels [n, 2] and depths [n] of rectified [n, 3]; divided by the rectified z, as KITTI's users do."""
        image = camera @ self.projection[:, :3].T + self.projection[:, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            return image[:, :2] / camera[:, 2:3], image[:, 2] - self.projection[2, 3]


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG; KITTI's usual ones if there is no such file."""
    if not path.exists():
        return IMAGE_SIZE
    with path.open("rb") as file:
        return struct.unpack(">II", file.read(24)[16:])


def read_view(folder: Path, number: str) -> View:
    """Of frame `number` of a folder in KITTI's layout. ValueError names what is missing in the calibration."""
    calibration = read_calibration(folder / "calib" / f"{number}.txt")
    rotation = calibration.velo_to_rect()[:3].numpy()
    return View(calibration.matrices["P2"].numpy(), rotation, image_size(folder / "image_2" / f"{number}.png"))


def in_view(cloud: np.ndarray, view: View) -> np.ndarray:
    """Bool [P]: points that the camera sees."""
    pixels, depth = view.project(view.to_camera(cloud[:, :3].astype(np.float64)))
    with np.errstate(invalid="ignore"):
        return ((pixels >= 0) & (pixels < view.size)).all(1) & (depth >= 0)


def to_camera_boxes(boxes: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Location [n, 3], size [n, 3] (height, width, length) and yaw [n] of LiDAR boxes [n, 7]."""
    bottom = boxes[:, :3] - np.array([0, 0, 0.5]) * boxes[:, 5:6]
    return view.to_camera(bottom), boxes[:, [5, 4, 3]], wrap(-boxes[:, 6] - np.pi / 2)


def to_lidar_boxes(location: np.ndarray, size: np.ndarray, yaw: np.ndarray, view: View) -> np.ndarray:
    """LiDAR boxes [n, 7] of what `to_camera_boxes` returns."""
    centre = view.to_lidar(location) + np.array([0, 0, 0.5]) * size[:, :1]
    return np.concatenate([centre, size[:, [2, 1, 0]], wrap(-(yaw + np.pi / 2))[:, None]], 1)


def wrap(angle: np.ndarray) -> np.ndarray:
    """Into [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def camera_corners(location: np.ndarray, size: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """[n, 8, 3]."""
    signs = np.array([[x, y, z] for y in (0, -1) for x, z in ((1, 1), (1, -1), (-1, -1), (-1, 1))])
    x, y, z = (signs * size[:, None, [2, 0, 1]] * np.array([0.5, 1, 0.5])).transpose(2, 0, 1)
    cos, sin = np.cos(yaw)[:, None], np.sin(yaw)[:, None]
    return np.stack([x * cos + z * sin, y, z * cos - x * sin], -1) + location[:, None]


def image_boxes(corners: np.ndarray, view: View) -> np.ndarray:
    """Left, top, right, bottom [n, 4] of boxes' corners [n, 8, 3], cut to the picture."""
    pixels, _ = view.project(corners.reshape(-1, 3))
    pixels = pixels.reshape(-1, 8, 2)
    limit = np.array(view.size) - 1
    return np.concatenate([pixels.min(1).clip(0, limit), pixels.max(1).clip(0, limit)], 1)


def detected_objects(boxes: np.ndarray, scores: np.ndarray, names: list[str], view: View) -> Objects:
    """LiDAR detections [n, 7] as KITTI's, without those that reach behind the camera or lie outside the picture."""
    location, extent, yaw = to_camera_boxes(boxes.astype(np.float64), view)
    corners = camera_corners(location, extent, yaw)
    image = image_boxes(corners, view)
    keep = (corners[:, :, 2].min(1, initial=np.inf) > 0) & (image[:, 2:] > image[:, :2]).all(1)
    alpha = wrap(yaw - np.arctan2(-boxes[:, 1], boxes[:, 0]))
    unknown = np.full(int(keep.sum()), -1.0)
    return Objects(
        [name for name, kept in zip(names, keep) if kept], unknown, unknown, alpha[keep], image[keep], extent[keep],
        location[keep], yaw[keep], scores[keep].astype(np.float64),
    )  # fmt: skip


def read_objects(path: Path) -> Objects:
    """A label or result file. ValueError names the line that isn't one."""
    labels = read_labels(path)
    rows = [
        (x.truncated, x.occluded, x.alpha, *x.box, *x.size, *x.location, x.rotation_y, x.score or 0.0) for x in labels
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 15)
    columns = (*table[:, :3].T, table[:, 3:7], table[:, 7:10], table[:, 10:13], table[:, 13], table[:, 14])
    return Objects([label.type for label in labels], *columns)


def write_objects(path: Path, objects: Objects) -> None:
    """Writes detections as KITTI's result lines, with four decimals."""
    columns = [objects.alpha[:, None], objects.boxes, objects.size, objects.location, objects.yaw[:, None]]
    table = np.concatenate([*columns, objects.scores[:, None]], 1)
    lines = [" ".join([name, "-1 -1", *(f"{v:.4f}" for v in row)]) for name, row in zip(objects.names, table)]
    path.write_text("".join(line + "\n" for line in lines))
