"""The bird's-eye view: pillars to a map, and the residual convolutional backbone (OpenPCDet's BaseBEVResBackbone)."""

import torch
from torch import Tensor, nn

from .config import Backbone2d


def batch_norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def map_to_bev(features: Tensor, coords: Tensor, frames: int, ny: int, nx: int) -> Tensor:
    """[frames, C, ny, nx]: features [N, C] at coords [N, 4] (frame, z = 0, y, x), zeros elsewhere.

    The memory is channels-last."""
    frame, _, y, x = coords.long().unbind(1)
    # In ONNX files the first width is computed, or all the zeros would be stored; the second is a constant.
    flat = features.new_zeros(frames * ny * nx, features.shape[1])
    flat = flat.index_put(((frame * ny + y) * nx + x,), features)
    return flat.view(frames, ny, nx, int(features.shape[1])).permute(0, 3, 1, 2)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a skip connection, which the first block of a level gives a 1x1 convolution."""

    def __init__(self, channels_in: int, channels: int, stride: int = 1, first: bool = False):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = batch_norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = batch_norm(channels)
        self.downsample_layer = None
        if first:
            self.downsample_layer = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), batch_norm(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        skip = x if self.downsample_layer is None else self.downsample_layer(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + skip)


class BaseBEVResBackbone(nn.Module):
    """Levels of residual blocks; each level's map is brought to the first one's size, and all are concatenated."""

    def __init__(self, config: Backbone2d, channels_in: int):
        super().__init__()
        self.blocks, self.deblocks = nn.ModuleList(), nn.ModuleList()
        for i, channels in enumerate(config.filters):
            level = [BasicBlock(channels_in, channels, config.strides[i], first=True)]
            level += [BasicBlock(channels, channels) for _ in range(config.layers[i])]
            self.blocks.append(nn.Sequential(*level))
            up, channels_up = config.upsample_strides[i], config.upsample_filters[i]
            self.deblocks.append(
                nn.Sequential(
                    nn.ConvTranspose2d(channels, channels_up, up, up, bias=False), batch_norm(channels_up), nn.ReLU()
                )
            )
            channels_in = channels

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to [B, sum of upsample_filters, H, W]."""
        maps = []
        for level, up in zip(self.blocks, self.deblocks):
            x = level(x)
            maps.append(up(x))
        return torch.cat(maps, 1)
