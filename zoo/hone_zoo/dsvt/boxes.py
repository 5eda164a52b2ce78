"""Overlap of rotated boxes and non-maximum suppression.

Boxes are [..., 7]: centre x, y, z, length, width, height, yaw (from x towards y). Functions of two sets of boxes
broadcast their leading dimensions: a[:, None] and b[None] give all pairs, a and b of one shape give one result each.
"""

import numpy as np
import torch
from torch import Tensor

CORNERS = ((0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5), (0.5, -0.5))  # counterclockwise, in lengths and widths
PAIRS_AT_ONCE = 1 << 16


def corners_bev(boxes: Tensor) -> Tensor:
    """Corners [..., 4, 2] (x, y), counterclockwise."""
    x, y = (boxes.new_tensor(CORNERS) * boxes[..., None, 3:5]).unbind(-1)
    cos, sin = boxes[..., 6:7].cos(), boxes[..., 6:7].sin()
    return boxes[..., None, :2] + torch.stack([x * cos - y * sin, x * sin + y * cos], -1)


def intersection_bev(a: Tensor, b: Tensor) -> Tensor:
    """Area [...] that boxes share seen from above; differentiable.

    b's outline, seen from a, is clamped to a: what lies outside moves to the nearest point of a's outline. The curve
    that results winds once around what is in both and not around anything else, so its area is the intersection's.
    Edges bend where they cross the four lines of a's sides. No case distinctions, so touching and equal boxes are
    as good as any.
    """
    a, b = torch.broadcast_tensors(a, b)
    cos, sin = a[..., 6].cos(), a[..., 6].sin()
    x, y = (b[..., :2] - a[..., :2]).unbind(-1)
    seen = torch.stack([x * cos + y * sin, y * cos - x * sin, b[..., 2] - a[..., 2]], -1)
    start = corners_bev(torch.cat([seen, b[..., 3:6], (b[..., 6] - a[..., 6])[..., None]], -1))  # [..., 4, 2]
    edge = start.roll(-1, -2) - start
    half = (a[..., None, 3:5] / 2).expand_as(start)
    flat = edge.abs() < 1e-12
    divisor = torch.where(flat, torch.ones_like(edge), edge)
    crossings = torch.cat([(half - start) / divisor, (-half - start) / divisor], -1)
    crossings = torch.where(torch.cat([flat, flat], -1), torch.zeros_like(crossings), crossings).clamp(0, 1)
    along = torch.cat([torch.zeros_like(crossings[..., :1]), crossings.sort(-1)[0]], -1)  # [..., 4, 5]
    bends = start[..., None, :] + along[..., None] * edge[..., None, :]
    bends = torch.minimum(torch.maximum(bends, -half[..., None, :]), half[..., None, :]).flatten(-3, -2)
    following = bends.roll(-1, -2)
    doubled = bends[..., 0] * following[..., 1] - bends[..., 1] * following[..., 0]
    return (doubled.sum(-1) / 2).clamp(min=0)


def iou_bev(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union [...] seen from above."""
    common = intersection_bev(a, b)
    union = a[..., 3] * a[..., 4] + b[..., 3] * b[..., 4] - common
    return common / union.clamp(min=1e-9)


def iou_3d(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union [...] of the volumes."""
    top = torch.minimum(a[..., 2] + a[..., 5] / 2, b[..., 2] + b[..., 5] / 2)
    bottom = torch.maximum(a[..., 2] - a[..., 5] / 2, b[..., 2] - b[..., 5] / 2)
    common = intersection_bev(a, b) * (top - bottom).clamp(min=0)
    union = a[..., 3:6].prod(-1) + b[..., 3:6].prod(-1) - common
    return common / union.clamp(min=1e-9)


def overlapping_pairs(boxes: Tensor, threshold: float, geometry: str = "geometric") -> Tensor:
    """Bool [N, N], true where iou_bev of two of `boxes` [N, 7] exceeds `threshold`.

    geometry "dsvt" exchanges length and width first: the published NMS turns boxes by 90 degrees.
    """
    boxes = boxes.double()
    if geometry == "dsvt":
        boxes = boxes[:, [0, 1, 2, 4, 3, 5, 6]]
    reach = boxes[:, 3:5].norm(dim=1) / 2
    near = torch.cdist(boxes[:, :2], boxes[:, :2]) < reach[:, None] + reach
    i, j = near.triu(1).nonzero(as_tuple=True)
    result = torch.zeros_like(near)
    for part in range(0, len(i), PAIRS_AT_ONCE):
        a, b = i[part : part + PAIRS_AT_ONCE], j[part : part + PAIRS_AT_ONCE]
        result[a, b] = iou_bev(boxes[a], boxes[b]) > threshold
    return result | result.T


def nms(boxes: Tensor, scores: Tensor, threshold: float, geometry: str = "geometric", before=4096, after=500) -> Tensor:
    """Indices of the boxes kept, by falling score: those that no better kept box overlaps by more than `threshold`.

    boxes [N, 7], scores [N]; `before` boxes at most are looked at and `after` kept. Equal scores keep their order.
    """
    order = torch.argsort(scores, descending=True, stable=True)[:before]
    overlap = overlapping_pairs(boxes[order], threshold, geometry).cpu().numpy()
    suppressed = np.zeros(len(order), dtype=bool)
    kept = []
    for i in range(len(order)):
        if not suppressed[i]:
            kept.append(i)
            suppressed |= overlap[i]
    return order[torch.tensor(kept[:after], dtype=torch.int64, device=order.device)]
