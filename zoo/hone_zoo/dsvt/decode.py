"""Boxes from CenterHead's maps."""

from typing import NamedTuple

import torch
from torch import Tensor

from .boxes import nms
from .config import Config
from .head import BRANCHES


class Detections(NamedTuple):
    """One frame's boxes, class by class, each class by falling score."""

    boxes: Tensor  # [M, 7]: centre x, y, z, length, width, height (metres), yaw (radians)
    scores: Tensor  # [M]
    classes: Tensor  # [M] int64, from 0


def cell_boxes(maps: dict[str, Tensor], frame: Tensor, cell: Tensor, config: Config) -> Tensor:
    """The boxes [..., 7] that the maps hold at cells `cell` (y * width + x) of frames `frame`, both integer [...]."""
    width = maps["center"].shape[3]
    y, x = cell // width, cell % width
    values = {name: maps[name].permute(0, 2, 3, 1)[frame, y, x].float() for name in BRANCHES}
    (low_x, low_y), (size_x, size_y) = config.points.range[:2], config.pillars.size[:2]
    centre_x = (x + values["center"][..., 0]) * size_x + low_x
    centre_y = (y + values["center"][..., 1]) * size_y + low_y
    yaw = torch.atan2(values["rot"][..., 1], values["rot"][..., 0])
    centre = [centre_x[..., None], centre_y[..., None], values["center_z"]]
    return torch.cat([*centre, values["dim"].exp(), yaw[..., None]], -1)


def decode(maps: dict[str, Tensor], config: Config) -> list[Detections]:
    """Each frame's detections. Scores are rectified by the predicted IoU after the threshold, so some are below it."""
    settings = config.decode
    heat = maps["hm"].float().sigmoid()
    frames, classes, height, width = heat.shape
    scores, cells = heat.flatten(2).topk(min(settings.top, height * width))  # of each class
    scores, best = scores.flatten(1).topk(min(settings.top, scores[0].numel()))  # of all
    labels = best // cells.shape[2]
    cells = cells.flatten(1).gather(1, best)
    frame = torch.arange(frames, device=heat.device)[:, None].expand_as(cells)
    boxes = cell_boxes(maps, frame, cells, config)
    limits = boxes.new_tensor(config.decode.centre_range)
    inside = ((boxes[..., :3] >= limits[:3]) & (boxes[..., :3] <= limits[3:])).all(-1)
    keep = inside & (scores > settings.score_threshold)
    if "iou" in maps:
        iou = maps["iou"].float().flatten(1).gather(1, cells)
        power = boxes.new_tensor(settings.iou_powers)[labels]
        scores = scores ** (1 - power) * ((iou + 1) / 2).clamp(0, 1) ** power
    return [_suppress(boxes[b][keep[b]], scores[b][keep[b]], labels[b][keep[b]], config) for b in range(frames)]


def _suppress(boxes: Tensor, scores: Tensor, labels: Tensor, config: Config) -> Detections:
    settings, kept = config.decode, [labels.new_zeros(0)]
    for c, threshold in enumerate(settings.nms_thresholds):
        (mine,) = (labels == c).nonzero(as_tuple=True)
        limits = (settings.nms_before, settings.nms_after)
        kept.append(mine[nms(boxes[mine], scores[mine], threshold, settings.nms_geometry, *limits)])
    keep = torch.cat(kept)
    return Detections(boxes[keep], scores[keep], labels[keep])
