"""Pillars of a point cloud and their features: DSVT's dynamic pillar encoder (no caps on points or pillars)."""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .config import Config

warnings.filterwarnings("ignore", message=r"scatter_reduce\(\) is in beta")  # torch 1.13


class Pillars(NamedTuple):
    """The points inside the range, sorted into pillars. Pillars ascend by frame, then x, then y, then z."""

    points: Tensor  # [P, C] float32
    index: Tensor  # [P] int64: the pillar of each point
    cell: Tensor  # [P, 3] float32: each point's bin x, y, z
    coords: Tensor  # [N, 4] int64: frame, z, y, x of each pillar
    counts: Tensor  # [N] int64: points of each pillar


class Pillarizer(nn.Module):
    """Bins points in IEEE float32: floor((p - low) / size), kept where it is inside the grid.

    x and y are kept up to and including the range's high end before the bins decide, as published. The divisor is a
    tensor because CUDA multiplies by the rounded reciprocal of a number, which moves the bins' edges.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.grid = config.grid()
        self.register_buffer("low", torch.tensor(config.points.range[:3]), persistent=False)
        self.register_buffer("high", torch.tensor(config.points.range[3:]), persistent=False)
        self.register_buffer("size", torch.tensor(config.pillars.size), persistent=False)

    @torch.no_grad()
    def forward(self, points: Tensor, frame: Tensor) -> Pillars:
        """Pillars of `points` [P, C] float32 (x, y, z first) of the frames `frame` [P] int64.

        Points with a number that isn't finite drop out."""
        nx, ny, nz = self.grid
        xyz = points[:, :3]
        cell = torch.floor((xyz - self.low) / self.size)
        limit = torch.tensor([nx, ny, nz], dtype=torch.float32, device=points.device)
        inside = ((cell >= 0) & (cell < limit)).all(1) & (xyz[:, :2] <= self.high[:2]).all(1)
        inside &= points.isfinite().all(1)
        points, cell, frame = points[inside], cell[inside], frame[inside]
        x, y, z = cell.long().unbind(1)
        keys, index, counts = torch.unique(
            ((frame * nx + x) * ny + y) * nz + z, return_inverse=True, return_counts=True
        )
        coords = [keys // (nx * ny * nz), keys % nz, keys // nz % ny, keys // (nz * ny) % nx]
        return Pillars(points, index, cell, torch.stack(coords, 1), counts)


class PFNLayer(nn.Module):
    """Linear, BatchNorm and ReLU of each point, then the maximum over its pillar.

    All but the last layer return [points, width]: half of it each point's own, half its pillar's maximum. The last
    returns [pillars, width].
    """

    def __init__(self, width_in: int, width: int, last: bool):
        super().__init__()
        self.last = last
        width = width if last else width // 2
        self.linear = nn.Linear(width_in, width, bias=False)
        self.norm = nn.BatchNorm1d(width, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor, pillars: Pillars) -> Tensor:
        x = torch.relu(self.norm(self.linear(x)))
        largest = x.new_zeros(pillars.counts.shape[0], x.shape[1])  # len() would be a constant in ONNX files
        largest = largest.scatter_reduce(0, pillars.index[:, None].expand_as(x), x, "amax")
        return largest if self.last else torch.cat([x, largest[pillars.index]], 1)


class DynamicPillarVFE(nn.Module):
    """Features [N, width] of pillars. Each point has its own features, its offset from the mean of its pillar's points
    and its offset from the pillar's centre."""

    def __init__(self, config: Config):
        super().__init__()
        self.register_buffer("low", torch.tensor(config.points.range[:3]), persistent=False)
        self.register_buffer("size", torch.tensor(config.pillars.size), persistent=False)
        widths = [len(config.points.features) + 6, *config.pillars.filters]
        last = len(widths) - 2
        self.pfn_layers = nn.ModuleList(
            PFNLayer(widths[i], widths[i + 1], i == last) for i in range(len(config.pillars.filters))
        )

    def point_features(self, pillars: Pillars) -> Tensor:
        """[P, C + 6] float32. Means are summed in double, so that the order of the points doesn't show."""
        xyz = pillars.points[:, :3]
        sums = xyz.new_zeros(len(pillars.counts), 3, dtype=torch.float64).index_add_(0, pillars.index, xyz.double())
        mean = (sums / pillars.counts[:, None]).float()
        centre = pillars.cell * self.size + (self.size / 2 + self.low)
        return torch.cat([pillars.points, xyz - mean[pillars.index], xyz - centre], 1)

    def forward(self, pillars: Pillars) -> Tensor:
        # Metres don't fit bfloat16: at 60 m its step is 0.25 m.
        with torch.autocast(pillars.points.device.type, enabled=False):
            x = self.point_features(pillars)
            for layer in self.pfn_layers:
                x = layer(x, pillars)
        return x
