"""The sensors as grids of rays p = origin + t * direction whose direction and origin are sums of a row's and a
column's part.

So n.direction of a plane is an outer sum, and a primitive need only be tried on the tiles of the grid that its box
covers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

WIDTH, HEIGHT = 1242, 375
FORWARD = ((0, -1, 0), (0, 0, -1), (1, 0, 0))
"""Rotation from LiDAR (x forward, y left, z up) to camera axes (x right, y down, z forward), both unmounted."""

# (elevation in degrees, height of the laser's origin in metres) of the HDL-64E's beams that the camera's view holds,
# measured on KITTI frames, where z = height + tan(elevation) * horizontal range holds to a millimetre.
_ELEVATION = (
    1.937,
    1.574,
    1.305,
    0.872,
    0.579,
    0.181,
    -0.089,
    -0.452,
    -0.803,
    -1.201,
    -1.494,
    -1.833,
    -2.208,
    -2.547,
    -2.874,
    -3.236,
    -3.539,
    -3.936,
    -4.215,
    -4.588,
    -4.914,
    -5.251,
    -5.611,
    -5.958,
    -6.329,
    -6.676,
    -6.999,
    -7.287,
    -7.679,
    -8.058,
    -8.310,
    -8.712,
    -9.026,
    -9.573,
    -10.062,
    -10.471,
    -10.957,
    -11.599,
    -12.115,
    -12.562,
    -13.040,
    -13.485,
    -14.048,
    -14.600,
    -15.164,
    -15.656,
    -16.180,
    -16.680,
)
UPPER_BLOCK = 32
BEAMS = len(_ELEVATION)


@dataclass
class Grid:
    """Rays of a sensor. rows, cols [R or C, 3]: parts of the direction; row_origin, col_origin: of the origin; per
    frame [F, 3] frame_direction and frame_origin may be added. `size` is (rows, columns) without the padding to
    whole tiles."""

    rows: Tensor
    cols: Tensor
    row_origin: Tensor
    col_origin: Tensor | None
    tile: tuple[int, int]
    size: tuple[int, int]
    nearest: float
    frame_direction: Tensor | None = None
    frame_origin: Tensor | None = None

    def rect(self, corners: Tensor, frame: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """First and last column and row (as floats, not clipped) that a box [P, 8, 3] can cover; first > last if
        none."""
        raise NotImplementedError

    def directions(self, frame: Tensor, row: Tensor, col: Tensor) -> Tensor:
        direction = self.rows[row] + self.cols[col]
        return direction if self.frame_direction is None else direction + self.frame_direction[frame]

    def origins(self, frame: Tensor, row: Tensor, col: Tensor) -> Tensor:
        origin = self.row_origin[row]
        if self.col_origin is not None:
            origin = origin + self.col_origin[col]
        return origin if self.frame_origin is None else origin + self.frame_origin[frame]


def _padded(n: int, tile: int) -> int:
    return (n + tile - 1) // tile * tile


@dataclass
class Calibration:
    """KITTI's matrices as float64: P0..P3 [3, 4], R0_rect [3, 3], Tr_velo_to_cam and Tr_imu_to_velo [3, 4]."""

    matrices: dict[str, Tensor]

    def velo_to_rect(self) -> Tensor:
        """[4, 4], LiDAR to rectified camera coordinates."""
        full = torch.eye(4, dtype=torch.float64)
        rect, velo = full.clone(), full.clone()
        rect[:3, :3] = self.matrices["R0_rect"]
        velo[:3] = self.matrices["Tr_velo_to_cam"]
        return rect @ velo

    def projection(self) -> Tensor:
        """[3, 4], LiDAR to homogeneous pixels of camera 2."""
        return self.matrices["P2"] @ self.velo_to_rect()


def _small_turn(axis: int, angle: float) -> Tensor:
    turn = torch.eye(3, dtype=torch.float64)
    i, j = [k for k in range(3) if k != axis]
    c, s = torch.cos(torch.tensor(angle, dtype=torch.float64)), torch.sin(torch.tensor(angle, dtype=torch.float64))
    turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
    return turn


def calibration() -> Calibration:
    """The world's own rig: KITTI's intrinsics, the camera 27 cm ahead of the LiDAR, 8 cm below it and turned 0.6
    degrees up."""
    focal, centre = 721.5377, (609.5593, 172.854)
    shifts = {
        "P0": (0.0, 0.0, 0.0),
        "P1": (-387.5744, 0.0, 0.0),
        "P2": (44.85728, 0.2163791, 0.002745884),
        "P3": (-339.5242, 2.199936, 0.002729905),
    }
    matrices = {}
    for name, shift in shifts.items():
        matrices[name] = torch.tensor(
            [[focal, 0, centre[0], shift[0]], [0, focal, centre[1], shift[1]], [0, 0, 1, shift[2]]], dtype=torch.float64
        )
    rect = _small_turn(0, -0.004) @ _small_turn(1, 0.008) @ _small_turn(2, -0.0095)
    target = _small_turn(0, -0.0105) @ _small_turn(2, -0.004) @ torch.tensor(FORWARD, dtype=torch.float64)
    matrices["R0_rect"] = rect
    matrices["Tr_velo_to_cam"] = torch.cat(
        [rect.T @ target, rect.T @ torch.tensor([[-0.004], [-0.076], [-0.272]], dtype=torch.float64)], 1
    )
    matrices["Tr_imu_to_velo"] = torch.cat(
        [_small_turn(2, 0.0), torch.tensor([[-0.81], [0.32], [-0.80]], dtype=torch.float64)], 1
    )
    return Calibration(matrices)


class Camera(Grid):
    """Pixels (column index, row index) of camera 2; t is the depth that the projection divides by. step: every how
    manieth pixel."""

    def __init__(
        self,
        rig: Calibration,
        device: torch.device | str,
        step: tuple[int, int] = (1, 1),
        tile: tuple[int, int] = (8, 16),
    ) -> None:
        self.projection = rig.projection().to(device)
        inverse = torch.linalg.inv(rig.projection()[:, :3]).to(device)
        self.centre = -(inverse @ self.projection[:, 3]).float()
        size = ((HEIGHT + step[0] - 1) // step[0], (WIDTH + step[1] - 1) // step[1])
        v = torch.arange(_padded(size[0], tile[0]), device=device, dtype=torch.float64) * step[0]
        u = torch.arange(_padded(size[1], tile[1]), device=device, dtype=torch.float64) * step[1]
        rows = (v[:, None] * inverse[:, 1] + inverse[:, 2]).float()
        cols = (u[:, None] * inverse[:, 0]).float()
        super().__init__(rows, cols, self.centre.expand(len(v), 3), None, tile, size, 0.3)
        self.step = step

    def project(self, points: Tensor) -> Tensor:
        """[..., 3] in LiDAR coordinates to (u * depth, v * depth, depth)."""
        return points.double() @ self.projection[:, :3].T + self.projection[:, 3]

    def rect(self, corners: Tensor, frame: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        q = self.project(corners).float()
        near = 0.25
        pairs = torch.tensor([(i, i | bit) for i in range(8) for bit in (1, 2, 4) if not i & bit], device=q.device)
        a, b = q[:, pairs[:, 0]], q[:, pairs[:, 1]]
        wa, wb = a[..., 2], b[..., 2]
        share = ((near - wa) / torch.where(wa == wb, torch.ones_like(wa), wb - wa)).clamp(0, 1)
        cut = a + share[..., None] * (b - a)
        crossing = (wa < near) != (wb < near)
        points = torch.cat([q, cut], 1)
        valid = torch.cat([q[..., 2] >= near, crossing], 1)
        depth = points[..., 2].clamp_min(near)
        low, high = torch.full_like(depth, 1e6), torch.full_like(depth, -1e6)
        out = []
        for axis in (0, 1):
            where = points[..., axis] / depth / self.step[1 - axis]
            out += [torch.where(valid, where, low).amin(1), torch.where(valid, where, high).amax(1)]
        return out[0], out[1], out[2], out[3]


class Lidar(Grid):
    """Beams from the highest down, columns by azimuth from right to left; t is the horizontal range."""

    def __init__(self, device: torch.device | str, half_angle: float = 41.0, tile: tuple[int, int] = (4, 16)) -> None:
        step, azimuth = (0.18,) * 6 + (0.09,), [-half_angle]
        while azimuth[-1] < half_angle or len(azimuth) % tile[1]:
            azimuth.append(azimuth[-1] + step[len(azimuth) % 7])
        angle = torch.deg2rad(torch.tensor(azimuth, dtype=torch.float64))
        zero = torch.zeros_like(angle)
        cols = torch.stack([torch.cos(angle), torch.sin(angle), zero], -1).float().to(device)
        elevation = torch.tensor(_ELEVATION, dtype=torch.float64)
        tangent = torch.tan(torch.deg2rad(elevation))
        upper = torch.arange(BEAMS) < UPPER_BLOCK
        height = torch.where(upper, 0.2068 + 0.0011 * elevation, 0.1318 + 0.00066 * elevation)
        flat = torch.zeros_like(tangent)
        rows = torch.stack([flat, flat, tangent], -1).float().to(device)
        origin = torch.stack([flat, flat, height], -1).float().to(device)
        super().__init__(rows, cols, origin, None, tile, (BEAMS, len(azimuth)), 0.5)
        self.azimuth, self.tangent, self.lift = angle.float().to(device), tangent.float().to(device), (0.11, 0.21)

    def rect(self, corners: Tensor, frame: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x, y, z = corners.unbind(-1)
        angle = torch.atan2(y, x.clamp_min(0.02))
        behind = x < 0.05
        low_angle = torch.where(behind.any(1), torch.where((y < 0.5).any(1), -2.0, angle.amin(1)), angle.amin(1))
        high_angle = torch.where(behind.any(1), torch.where((y > -0.5).any(1), 2.0, angle.amax(1)), angle.amax(1))
        far = torch.hypot(x, y).amax(1)
        centre = corners.mean(1)
        spread = torch.hypot(x - centre[:, :1], y - centre[:, 1:2]).amax(1)
        axis_u, axis_v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        axis_w = corners[:, 4] - corners[:, 0]
        near = (torch.hypot(centre[:, 0], centre[:, 1]) - spread).clamp_min(0.3)
        for axis in (axis_u, axis_v, axis_w):  # the distance along each flat axis is a lower bound too
            flat = torch.hypot(axis[:, 0], axis[:, 1]).clamp_min(1e-6)
            along = (x * axis[:, :1] + y * axis[:, 1:2]) / flat[:, None]
            gap = torch.maximum(along.amin(1), -along.amax(1))
            near = torch.where(flat > 1e-3, torch.maximum(near, gap), near)
        z_high, z_low = z.amax(1) - self.lift[0], z.amin(1) - self.lift[1]
        top = z_high / torch.where(z_high > 0, near, far)
        bottom = z_low / torch.where(z_low > 0, far, near)
        falling = -self.tangent
        row_first = torch.searchsorted(falling, (-top).contiguous()).float()
        row_last = torch.searchsorted(falling, (-bottom).contiguous(), right=True).float() - 1
        col_first = torch.searchsorted(self.azimuth, low_angle.contiguous()).float()
        col_last = torch.searchsorted(self.azimuth, high_angle.contiguous(), right=True).float() - 1
        gone = behind.all(1)
        return col_first, torch.where(gone, torch.full_like(col_last, -1e6), col_last), row_first, row_last


class Sun(Grid):
    """Parallel rays from the sun: rows by x (finer near the car), columns by y, both on the plane z = -1.7; t falls
    with height."""

    NEAR, RATIO, ROWS, HALF, STEP, PLANE, LENGTH = 2.5, 1.0114, 288, 24.0, 0.1, -1.7, 60.0

    def __init__(self, towards: Tensor, tile: tuple[int, int] = (8, 16)) -> None:
        """towards: unit vectors to the sun [F, 3]."""
        device = towards.device
        cols = int(2 * self.HALF / self.STEP)
        x = self.NEAR * self.RATIO ** torch.arange(self.ROWS, device=device, dtype=torch.float32)
        y = torch.arange(cols, device=device, dtype=torch.float32) * self.STEP - self.HALF
        row_origin = torch.stack([x, torch.zeros_like(x), torch.full_like(x, self.PLANE)], -1)
        col_origin = torch.stack([torch.zeros_like(y), y, torch.zeros_like(y)], -1)
        super().__init__(
            torch.zeros_like(row_origin),
            torch.zeros_like(col_origin),
            row_origin,
            col_origin,
            tile,
            (self.ROWS, cols),
            0.01,
            -towards,
            towards * self.LENGTH,
        )
        self.towards = towards

    def locate(self, points: Tensor, towards: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Row, column (fractional) and t of points [..., 3]."""
        along = (points[..., 2] - self.PLANE) / towards[..., 2]
        x, y = points[..., 0] - along * towards[..., 0], points[..., 1] - along * towards[..., 1]
        row = torch.log(x.clamp_min(0.1) / self.NEAR) / math.log(self.RATIO)
        return row, (y + self.HALF) / self.STEP, self.LENGTH - along

    def rect(self, corners: Tensor, frame: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        row, col, _ = self.locate(corners, self.towards[frame][:, None])
        return col.amin(1), col.amax(1), row.amin(1), row.amax(1)
