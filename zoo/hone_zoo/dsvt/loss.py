"""CenterPoint's losses, and DSVT's for its IoU branch."""

import torch
from torch import Tensor

from .boxes import iou_3d
from .config import Config
from .decode import cell_boxes
from .head import BRANCHES
from .targets import Targets


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """CenterNet's focal loss: of one where the heat is 1, weighted down near there; per object."""
    p = logits.float().sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = heat == 1
    hit = torch.where(centre, (1 - p) ** 2 * p.log(), torch.zeros_like(p)).sum()
    miss = torch.where(centre, torch.zeros_like(p), p**2 * (1 - heat) ** 4 * (1 - p).log()).sum()
    return -(hit + miss) / centre.sum().clamp(min=1)


def distance_iou_loss(boxes: Tensor, true: Tensor, iou: Tensor) -> Tensor:
    """[M] 1 - IoU + the centres' squared distance over that of a box around both (Zheng et al., "Distance-IoU Loss",
    2020). The IoU is of rotated boxes; the box around both is not rotated, and taken around boxes that aren't either.
    """
    low = torch.minimum(boxes[:, :3] - boxes[:, 3:6] / 2, true[:, :3] - true[:, 3:6] / 2)
    high = torch.maximum(boxes[:, :3] + boxes[:, 3:6] / 2, true[:, :3] + true[:, 3:6] / 2)
    apart = ((boxes[:, :3] - true[:, :3]) ** 2).sum(1)
    return 1 - iou + apart / ((high - low) ** 2).sum(1).clamp(min=1e-6)


def losses(maps: dict[str, Tensor], targets: Targets, config: Config) -> dict[str, Tensor]:
    """The weighted losses by name; their sum is what is minimised."""
    weights = config.loss
    width, objects = maps["hm"].shape[3], max(1, len(targets.cell))
    y, x = targets.cell // width, targets.cell % width

    def at_cells(name: str) -> Tensor:
        return maps[name].permute(0, 2, 3, 1)[targets.frame, y, x].float()

    values = torch.cat([at_cells(name) for name in BRANCHES], 1)
    result = {
        "heat": weights.heat * heat_loss(maps["hm"], targets.heat),
        "box": weights.box * (values - targets.values).abs().sum() / objects,
    }
    if "iou" not in maps and not weights.iou_regression:
        return result
    boxes = cell_boxes(maps, targets.frame, targets.cell, config)
    iou = iou_3d(boxes, targets.boxes)
    if "iou" in maps:
        result["iou"] = weights.iou * (at_cells("iou")[:, 0] - (2 * iou.detach() - 1)).abs().sum() / objects
    if weights.iou_regression:
        apart = distance_iou_loss(boxes, targets.boxes, iou)
        result["iou_regression"] = weights.iou_regression * apart.sum() / objects
    return result
