"""KITTI's average precision in plain Python: 2-D, bird's eye and 3-D, with 11 and with 40 recall positions, and AOS."""

from dataclasses import dataclass
from typing import NamedTuple, Sequence

import numpy as np
import torch

from .boxes import intersection_bev

DIFFICULTIES = ("easy", "moderate", "hard")
MIN_HEIGHT, MAX_OCCLUSION, MAX_TRUNCATION = (40, 25, 25), (0, 1, 2), (0.15, 0.3, 0.5)
NEIGHBOURS = {"car": "van", "pedestrian": "person_sitting"}
METRICS = ("bbox", "bev", "3d")
OVERLAPS = {"Car": (0.7, 0.7, 0.7), "Pedestrian": (0.5, 0.5, 0.5), "Cyclist": (0.5, 0.5, 0.5)}
LOOSE_OVERLAPS = {"Car": (0.7, 0.5, 0.5), "Pedestrian": (0.5, 0.25, 0.25), "Cyclist": (0.5, 0.25, 0.25)}
POSITIONS = 41
VALID, IGNORED, OTHER = 0, 1, -1


@dataclass
class Objects:
    """One frame's labels or detections as in KITTI's files: the camera's x right, y down, z forward."""

    names: list[str]
    truncation: np.ndarray  # [n]
    occlusion: np.ndarray  # [n]
    alpha: np.ndarray  # [n] radians
    boxes: np.ndarray  # [n, 4] left, top, right, bottom, pixels
    size: np.ndarray  # [n, 3] height, width, length, metres
    location: np.ndarray  # [n, 3] x, y, z of the middle of the bottom
    yaw: np.ndarray  # [n] about y
    scores: np.ndarray  # [n]; of labels 0


class Frame(NamedTuple):
    """What one frame adds for one class, metric and difficulty."""

    overlap: np.ndarray  # [labels, detections]
    labels: np.ndarray  # [labels] VALID, IGNORED or OTHER
    detections: np.ndarray  # [detections] the same
    scores: np.ndarray  # [detections]
    similarity: np.ndarray  # [labels, detections]: of the viewing angles, 0 to 1
    excused: np.ndarray  # [detections] bool: lies in a DontCare area (2-D only)


def _image_overlap(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intersection [n, m] of boxes [n, 4] and [m, 4], and the areas [n, 1] and [1, m]."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    areas = [(x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1]) for x in (a, b)]
    return (high - low).clip(0).prod(-1), areas[0][:, None], areas[1][None]


def _from_above(objects: Objects) -> torch.Tensor:
    """Boxes [n, 7] in the plane x, z with the height along minus y; yaw about y turns from x towards minus z."""
    height = objects.size[:, :1]
    centre = [objects.location[:, :1], objects.location[:, 2:], height / 2 - objects.location[:, 1:2]]
    boxes = np.concatenate([*centre, objects.size[:, [2, 1, 0]], -objects.yaw[:, None]], 1)
    return torch.from_numpy(boxes.astype(np.float64))


def overlaps(labels: Objects, detections: Objects, metric: str) -> np.ndarray:
    """Intersection over union [labels, detections] of a metric."""
    if metric == "bbox":
        common, a, b = _image_overlap(labels.boxes, detections.boxes)
        return common / np.maximum(a + b - common, 1e-9)
    one, two = _from_above(labels)[:, None], _from_above(detections)[None]
    common = intersection_bev(one, two)
    sizes = [x[..., 3:5].prod(-1) for x in (one, two)]
    if metric == "3d":
        top = torch.minimum(one[..., 2] + one[..., 5] / 2, two[..., 2] + two[..., 5] / 2)
        bottom = torch.maximum(one[..., 2] - one[..., 5] / 2, two[..., 2] - two[..., 5] / 2)
        common = common * (top - bottom).clamp(min=0)
        sizes = [x[..., 3:6].prod(-1) for x in (one, two)]
    return (common / (sizes[0] + sizes[1] - common).clamp(min=1e-9)).numpy()


def label_flags(labels: Objects, name: str, difficulty: int) -> np.ndarray:
    """VALID, IGNORED (too hard, or a look-alike class) or OTHER of each label."""
    own = np.array([n.lower() == name.lower() for n in labels.names], dtype=bool)
    alike = np.array([n.lower() == NEIGHBOURS.get(name.lower()) for n in labels.names], dtype=bool)
    hard = (labels.occlusion > MAX_OCCLUSION[difficulty]) | (labels.truncation > MAX_TRUNCATION[difficulty])
    hard |= labels.boxes[:, 3] - labels.boxes[:, 1] <= MIN_HEIGHT[difficulty]
    return np.where(own & ~hard, VALID, np.where(own | alike, IGNORED, OTHER))


def detection_flags(detections: Objects, name: str, difficulty: int) -> np.ndarray:
    """IGNORED where the box in the image is too low, whatever its class; else VALID or OTHER."""
    own = np.array([n.lower() == name.lower() for n in detections.names], dtype=bool)
    low = np.abs(detections.boxes[:, 3] - detections.boxes[:, 1]) < MIN_HEIGHT[difficulty]
    return np.where(low, IGNORED, np.where(own, VALID, OTHER))


def matched_scores(frame: Frame, min_overlap: float) -> list[float]:
    """Scores of true positives when every detection counts; each label takes the best score."""
    free = frame.detections != OTHER
    scores = []
    for label in np.flatnonzero(frame.labels != OTHER):
        candidates = np.flatnonzero(free & (frame.overlap[label] > min_overlap))
        if not len(candidates):
            continue
        best = candidates[frame.scores[candidates].argmax()]
        free[best] = False
        if frame.labels[label] == VALID and frame.detections[best] == VALID:
            scores.append(float(frame.scores[best]))
    return scores


def thresholds(scores: Sequence[float], valid: int) -> list[float]:
    """Scores, at most 41, at which recall passes the multiples of 1/40."""
    ordered = sorted(scores, reverse=True)
    recall, result = 0.0, []
    for i, score in enumerate(ordered):
        last = i == len(ordered) - 1
        left, right = (i + 1) / valid, (i + 2) / valid if not last else (i + 1) / valid
        if right - recall < recall - left and not last:
            continue
        result.append(score)
        recall += 1 / (POSITIONS - 1)
    return result


def count(frame: Frame, min_overlap: float, threshold: float) -> tuple[int, int, float]:
    """True and false positives and the sum of similarities among detections of at least `threshold`; each label takes
    the detection that overlaps most, an ignored one only if there is no other."""
    counted = frame.scores >= threshold
    free = counted & (frame.detections != OTHER)
    true, similarity = 0, 0.0
    for label in np.flatnonzero(frame.labels != OTHER):
        fits = free & (frame.overlap[label] > min_overlap)
        candidates = np.flatnonzero(fits & (frame.detections == VALID))
        if len(candidates):
            best = candidates[frame.overlap[label, candidates].argmax()]
        elif fits.any():
            best = int(fits.argmax())
        else:
            continue
        free[best] = False
        if frame.labels[label] == VALID and frame.detections[best] == VALID:
            true += 1
            similarity += frame.similarity[label, best]
    false = int((free & (frame.detections == VALID) & ~frame.excused).sum())
    return true, false, similarity


def precision_curve(frames: Sequence[Frame], min_overlap: float) -> tuple[np.ndarray, np.ndarray]:
    """Precision [41] and orientation similarity [41] at the recall positions; 0 where recall doesn't reach."""
    valid = sum(int((frame.labels == VALID).sum()) for frame in frames)
    levels = thresholds([s for frame in frames for s in matched_scores(frame, min_overlap)], max(valid, 1))
    sums = np.zeros((POSITIONS, 3))
    for frame in frames:
        if not len(frame.scores):
            continue
        known: dict[int, tuple[int, int, float]] = {}  # by the number of detections that count
        for i, level in enumerate(levels[:POSITIONS]):
            key = int((frame.scores >= level).sum())
            if key not in known:
                known[key] = count(frame, min_overlap, level)
            sums[i] += known[key]
    found = np.maximum(sums[:, 0] + sums[:, 1], 1)
    curves = [sums[:, 0] / found, sums[:, 2] / found]
    return tuple(np.maximum.accumulate(curve[::-1])[::-1] for curve in curves)


def average(curve: np.ndarray) -> dict[str, float]:
    """Percent by the 11 recall positions of old and by the 40 in use since 2019."""
    return {"R11": float(100 * curve[::4].mean()), "R40": float(100 * curve[1:].mean())}


def make_frame(labels: Objects, detections: Objects, overlap: np.ndarray, metric: str, name: str, difficulty: int,
               min_overlap: float) -> Frame:  # fmt: skip
    excused = np.zeros(len(detections.names), dtype=bool)
    areas = labels.boxes[[n == "DontCare" for n in labels.names]]
    if metric == "bbox" and len(areas) and len(excused):
        common, own, _ = _image_overlap(detections.boxes, areas)
        excused = (common / np.maximum(own, 1e-9) > min_overlap).any(1)
    similarity = (1 + np.cos(labels.alpha[:, None] - detections.alpha[None])) / 2
    flags = label_flags(labels, name, difficulty), detection_flags(detections, name, difficulty)
    return Frame(overlap, *flags, detections.scores, similarity, excused)


def average_precision(
    frames: Sequence[tuple[Objects, Objects]],
    metrics: Sequence[str] = METRICS,
    min_overlaps: dict[str, tuple[float, float, float]] = OVERLAPS,
) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Average precision in percent, [class][metric][difficulty]["R11" or "R40"], of (labels, detections) of all frames.

    min_overlaps: the IoU, of bbox, bev and 3d, that a match must exceed. If the first detection there is has an alpha
    other than -10, "aos" stands beside "bbox".
    """
    result: dict = {name: {} for name in min_overlaps}
    first = next((detections.alpha[0] for _, detections in frames if len(detections.names)), -10)
    for metric in metrics:
        shared = [overlaps(labels, detections, metric) for labels, detections in frames]
        for name, limits in min_overlaps.items():
            limit = limits[METRICS.index(metric)]
            for difficulty, word in enumerate(DIFFICULTIES):
                parts = [
                    make_frame(labels, detections, overlap, metric, name, difficulty, limit)
                    for (labels, detections), overlap in zip(frames, shared)
                ]
                precision, similarity = precision_curve(parts, limit)
                result[name].setdefault(metric, {})[word] = average(precision)
                if metric == "bbox" and first != -10:
                    result[name].setdefault("aos", {})[word] = average(similarity)
    return result
