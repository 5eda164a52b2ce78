"""CenterHead (Yin et al., "Center-based 3D Object Detection and Tracking", 2021) with DSVT's IoU branch."""

from torch import Tensor, nn

from .bev import batch_norm
from .config import Config

HEAT_BIAS = -2.19  # so that an untrained detector's scores are 0.1
BRANCHES = {"center": 2, "center_z": 1, "dim": 3, "rot": 2}  # channels, in the order of the box targets


class SeparateHead(nn.Module):
    """One branch of two convolutions for each output; attributes have the outputs' names, as in checkpoints."""

    def __init__(self, channels_in: int, outputs: dict[str, int]):
        super().__init__()
        self.outputs = list(outputs)
        for name, channels in outputs.items():
            hidden = nn.Sequential(
                nn.Conv2d(channels_in, channels_in, 3, padding=1, bias=False), batch_norm(channels_in), nn.ReLU()
            )
            last = nn.Conv2d(channels_in, channels, 3, padding=1)
            for conv in (hidden[0], last) if name != "hm" else ():
                nn.init.kaiming_normal_(conv.weight)
            nn.init.constant_(last.bias, HEAT_BIAS if name == "hm" else 0.0)
            self.add_module(name, nn.Sequential(hidden, last))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {name: getattr(self, name)(x) for name in self.outputs}


class CenterHead(nn.Module):
    """Maps [B, C, H, W] from the backbone's [B, channels_in, H, W], before any activation:

    center (x, y within the cell), center_z (metres), dim (log of length, width, height), rot (cosine, sine of yaw),
    iou (2 IoU - 1, if configured) and hm (logit of each class).
    """

    def __init__(self, config: Config, channels_in: int):
        super().__init__()
        shared = config.head.shared_channels
        self.shared_conv = nn.Sequential(
            nn.Conv2d(channels_in, shared, 3, padding=1, bias=False), batch_norm(shared), nn.ReLU()
        )
        outputs = {**BRANCHES, **({"iou": 1} if config.head.iou else {}), "hm": len(config.classes)}
        self.heads_list = nn.ModuleList([SeparateHead(shared, outputs)])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.heads_list[0](self.shared_conv(x))
