"""Non-maximum suppression, written with PyTorch operations, by the rules of the operators that exports end with. Scores
equal to each other keep the order of their boxes."""

import torch
from torch import Tensor

_MAX_CANDIDATES = 5000  # of EfficientNMS_TRT
_MAX_CANDIDATES_BATCHED = 4096  # of a class of BatchedNMSDynamic_TRT


def corners(boxes: Tensor) -> Tensor:
    """x0, y0, x1, y1 of boxes [..., 4] given as cx, cy, w, h."""
    half = boxes[..., 2:] / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], -1)


def iou(a: Tensor, b: Tensor, longer: float = 0) -> Tensor:
    """Intersection over union [N, M] of corner boxes [N, 4] and [M, 4]; `longer` is added to all sides."""
    low, high = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low + longer).clamp(min=0).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2] + longer).prod(1) for boxes in (a, b)]
    return common / (areas[0][:, None] + areas[1][None] - common).clamp(min=1e-12)


def greedy(boxes: Tensor, overlap: float, inclusive: bool = False, longer: float = 0) -> Tensor:
    """Which of corner boxes [N, 4], best first, are kept [N]: those that no kept, better one overlaps by more than
    `overlap` (`inclusive`: or as much). All are decided at once, again and again until nothing changes: the only fixed
    point is what going through the boxes one by one gives."""
    value = iou(boxes, boxes, longer)
    beats = torch.triu(value >= overlap if inclusive else value > overlap, 1)
    kept = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    while True:
        again = ~(beats & kept[:, None]).any(0)
        if torch.equal(again, kept):
            return kept
        kept = again


def _apart(boxes: Tensor, classes: Tensor) -> Tensor:
    """Boxes moved so that those of different classes don't meet; in float64, where nothing is lost by it."""
    if not len(boxes):
        return boxes.double()
    step = boxes.max() - boxes.min() + 2
    return boxes.double() + (classes * step.double())[:, None]


def _padded(boxes: Tensor, scores: Tensor, classes: Tensor, topk: int, blank: int) -> tuple[Tensor, ...]:
    """Count [1], boxes [topk, 4], scores [topk], classes [topk]."""
    n = min(len(scores), topk)
    out = boxes.new_zeros(topk, 4), scores.new_zeros(topk), classes.new_full((topk,), blank)
    for whole, part in zip(out, (boxes, scores, classes)):
        whole[:n] = part[:n]
    return torch.tensor([n], dtype=torch.int32), *out


def _stacked(results: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    return tuple(torch.stack(parts) for parts in zip(*results))


def efficient_nms(boxes: Tensor, scores: Tensor, threshold: float, overlap: float, topk: int) -> tuple[Tensor, ...]:
    """EfficientNMS_TRT with box_coding 1: boxes [B, N, 4] (cx, cy, w, h), scores [B, N, C] -> counts i32 [B, 1], corner
    boxes [B, topk, 4], scores [B, topk], classes i32 [B, topk]; zeros fill up."""
    results = []
    for picture, values in zip(corners(boxes), scores):
        row, label = (values >= threshold).nonzero(as_tuple=True)
        order = values[row, label].argsort(descending=True, stable=True)[:_MAX_CANDIDATES]
        row, label = row[order], label[order]
        kept = greedy(_apart(picture[row], label), overlap, inclusive=True)
        row, label = row[kept], label[kept]
        results.append(_padded(picture[row], values[row, label], label.int(), topk, 0))
    return _stacked(results)


def batched_nms(boxes: Tensor, scores: Tensor, threshold: float, overlap: float, topk: int) -> tuple[Tensor, ...]:
    """BatchedNMSDynamic_TRT with shareLocation, isNormalized 0, clipBoxes 0: corner boxes [B, N, 1, 4], scores [B, N,
    C] -> counts i32 [B, 1], boxes [B, topk, 4], scores [B, topk], classes f32 [B, topk]; zeros and class -1 fill up."""
    results = []
    for picture, values in zip(boxes[:, :, 0], scores):
        rows, labels = [], []
        for label in range(values.shape[1]):
            row = (values[:, label] > threshold).nonzero()[:, 0]
            row = row[values[row, label].argsort(descending=True, stable=True)[:_MAX_CANDIDATES_BATCHED]]
            row = row[greedy(picture[row], overlap, longer=1)]
            rows.append(row)
            labels.append(torch.full_like(row, label))
        row, label = torch.cat(rows), torch.cat(labels)
        order = values[row, label].argsort(descending=True, stable=True)
        row, label = row[order], label[order]
        results.append(_padded(picture[row], values[row, label], label.float(), topk, -1))
    return _stacked(results)


def onnx_nms(boxes: Tensor, scores: Tensor, topk: int, overlap: float, threshold: float) -> Tensor:
    """ONNX's NonMaxSuppression: corner boxes [B, N, 4], scores [B, C, N] -> [n, 3] of picture, class, box, best first
    in each picture and class."""
    results = []
    for picture in range(len(boxes)):
        for label in range(scores.shape[1]):
            values = scores[picture, label]
            row = (values > threshold).nonzero()[:, 0]
            row = row[values[row].argsort(descending=True, stable=True)]
            row = row[greedy(boxes[picture, row], overlap)][:topk]
            results.append(torch.stack([torch.full_like(row, picture), torch.full_like(row, label), row], 1))
    return torch.cat(results)
