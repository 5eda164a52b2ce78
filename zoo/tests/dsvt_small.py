"""A small DSVT and clouds for it, so that tests take seconds."""

import pathlib

import torch

from hone_zoo.dsvt.config import Config, load_config

SMALL = pathlib.Path(__file__).with_name("dsvt_small.toml")

torch.set_num_threads(1)  # on small tensors threads only wait for each other


def small_config() -> Config:
    return load_config(SMALL)


def box_surface(box: list[float], count: int, generator: torch.Generator) -> torch.Tensor:
    """[count, 4]: points on the sides of a box (x, y, z, length, width, height, yaw), reflectance 0.5."""
    unit = torch.rand(count, 3, generator=generator) - 0.5
    side = torch.randint(2, (count,), generator=generator)
    unit[torch.arange(count), side] = 0.5 * unit[torch.arange(count), side].sign()
    x, y, z = (unit * torch.tensor(box[3:6])).unbind(1)
    cos, sin = torch.tensor(box[6]).cos(), torch.tensor(box[6]).sin()
    xyz = torch.stack([x * cos - y * sin, x * sin + y * cos, z], 1) + torch.tensor(box[:3])
    return torch.cat([xyz, torch.full((count, 1), 0.5)], 1)


def ground(count: int, generator: torch.Generator) -> torch.Tensor:
    """[count, 4]: points of the road at -1.7 m."""
    low, high = torch.tensor([0, -10.24, -1.72, 0.0]), torch.tensor([20.48, 10.24, -1.68, 0.3])
    return low + (high - low) * torch.rand(count, 4, generator=generator)
