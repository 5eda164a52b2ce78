"""The whole DSVT pillar detector, and its weights from files."""

import os
from collections.abc import Mapping
from typing import Sequence

import torch
from torch import Tensor, nn

from .. import checkpoint
from .bev import BaseBEVResBackbone, map_to_bev
from .config import Config, config_from, load_config
from .decode import Detections, decode
from .head import CenterHead
from .pillars import DynamicPillarVFE, Pillarizer
from .transformer import DSVT


class Detector(nn.Module):
    """DSVT pillar. Module names are OpenPCDet's, so that its checkpoints' tensors fit by name."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.pillarizer = Pillarizer(config)
        self.vfe = DynamicPillarVFE(config)
        self.backbone_3d = DSVT(config)
        self.backbone_2d = BaseBEVResBackbone(config.backbone_2d, config.transformer.width)
        self.dense_head = CenterHead(config, sum(config.backbone_2d.upsample_filters))

    def bev(self, points: Tensor, frame: Tensor, frames: int) -> Tensor:
        """The pillars' map [frames, width, ny, nx]."""
        nx, ny, _ = self.config.grid()
        pillars = self.pillarizer(points, frame)
        features = self.backbone_3d(self.vfe(pillars), pillars.coords)
        return map_to_bev(features, pillars.coords, frames, ny, nx)

    def forward(self, points: Tensor, frame: Tensor, frames: int) -> dict[str, Tensor]:
        """Maps [frames, channels, ny, nx] of the head.

        points: [P, C] float32, the features of `config.points.features`. frame: [P] int64, the points' frames, of
        `frames` frames in all.
        """
        return self.dense_head(self.backbone_2d(self.bev(points, frame, frames)))

    @torch.no_grad()
    def detect(self, clouds: Sequence[Tensor]) -> list[Detections]:
        """Detections of each cloud [P, C] float32, on the model's device. The model must be in eval mode."""
        device = self.pillarizer.low.device
        points = torch.cat([cloud.to(device) for cloud in clouds])
        counts = torch.tensor([len(cloud) for cloud in clouds], device=device)
        frame = torch.repeat_interleave(torch.arange(len(clouds), device=device), counts)
        return decode(self(points, frame, len(clouds)), self.config)


def random_detector(config: Config, seed: int = 0) -> Detector:
    """A detector in eval mode with random weights, biases and statistics, so that no part of it is the identity."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        detector = Detector(config).eval()
    for module in detector.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm)):
            module.weight.data = 0.5 + torch.rand(module.weight.shape, generator=generator)
            module.bias.data = 0.2 * torch.randn(module.bias.shape, generator=generator)
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.running_mean.copy_(0.2 * torch.randn(module.bias.shape, generator=generator))
            module.running_var.copy_(0.5 + torch.rand(module.bias.shape, generator=generator))
        if isinstance(module, nn.MultiheadAttention):
            module.in_proj_bias.data = 0.1 * torch.randn(module.in_proj_bias.shape, generator=generator)
        if isinstance(module, (nn.Linear, nn.Conv2d)) and module.bias is not None:
            module.bias.data += 0.1 * torch.randn(module.bias.shape, generator=generator)
    return detector


def parameter_count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def load_weights(detector: Detector, weights: str | os.PathLike[str]) -> None:
    """Loads a checkpoint by tensor name: OpenPCDet's `model_state`, or one of hone_zoo.dsvt.train.

    Raises CheckpointError, which names every tensor that is missing, left over or misshapen. OpenPCDet's `global_step`
    is left out, a prefix `module.` on every name is taken off, and BatchNorm's counters may be missing.
    """
    state = checkpoint.state_dict(checkpoint.weights_of(checkpoint.read(weights)))
    if all(name.startswith("module.") for name in state):
        state = {name[len("module.") :]: tensor for name, tensor in state.items()}
    state.pop("global_step", None)
    counters = {k: v for k, v in detector.state_dict().items() if k.endswith("num_batches_tracked")}
    checkpoint.load(detector, {**counters, **state}, str(weights))


def config_of(weights: str) -> Config:
    """The configuration in a checkpoint of hone_zoo.dsvt.train; otherwise that of the published ones, `waymo`."""
    stored = None if weights.split(":")[0] == "random" else checkpoint.read(weights)
    table = stored.get("config") if isinstance(stored, Mapping) else None
    return config_from(table) if isinstance(table, dict) else load_config("waymo")


def make_detector(config: Config, weights: str) -> Detector:
    """A detector in eval mode. `weights`: a checkpoint's path, or `random` or `random:SEED`."""
    if weights.split(":")[0] == "random":
        seed = weights.partition(":")[2] or "0"
        if not seed.isdecimal():
            raise ValueError(f"--weights {weights}: the seed isn't a number; write random:0")
        return random_detector(config, int(seed))
    detector = Detector(config).eval()
    load_weights(detector, weights)
    return detector
