"""Average precision of 2-D boxes as COCO counts it (Lin et al., "Microsoft COCO", 2014, and its published evaluation),
in NumPy."""

import numpy as np

IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MAX_DETECTIONS = 100  # of a picture and class


def box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union [N, M] of corner boxes [N, 4] and [M, 4]."""
    common = np.clip(
        np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2]), 0, None
    ).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    return common / np.maximum(areas[0][:, None] + areas[1][None] - common, 1e-12)


def match(overlaps: np.ndarray, ignored: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Which detections (rows, best first) hit an object (columns), and which count neither way since theirs is ignored.
    Each takes the object that it overlaps most among those left, one that counts before one that is ignored."""
    free = np.ones(overlaps.shape[1], bool)
    hit, skipped = np.zeros(len(overlaps), bool), np.zeros(len(overlaps), bool)
    for i, row in enumerate(overlaps):
        for candidates in (free & ~ignored, free & ignored):
            values = np.where(candidates & (row >= threshold), row, -1)
            if values.size and values.max() >= 0:
                best = values.argmax()
                free[best] = False
                hit[i], skipped[i] = not ignored[best], ignored[best]
                break
    return hit, skipped


def average_precision(scores: np.ndarray, hits: np.ndarray, objects: int) -> float:
    """Mean over 101 recalls of the best precision at that recall or a higher one. NaN where there is no object."""
    if objects == 0:
        return float("nan")
    hits = hits[np.argsort(-scores, kind="stable")]
    found = np.cumsum(hits)
    precision = found / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(found / objects, RECALLS, side="left")
    return float(np.append(precision, 0)[np.minimum(places, len(precision))].mean())


def evaluate(detections: list[np.ndarray], objects: list[np.ndarray], names: list[str]) -> dict:
    """`detections`: of each picture [n, 6] of x0, y0, x1, y1, score, class. `objects`: of each picture [m, 6] of x0,
    y0, x1, y1, class, ignored (0 or 1). Gives "map50", "map" (over IoU 0.5 to 0.95) and for each class "ap50", "ap",
    "objects"."""
    classes = {}
    for label, name in enumerate(names):
        scores, hits, count = [np.zeros(0)], [np.zeros((0, len(IOUS)), bool)], 0
        for found, real in zip(detections, objects, strict=True):
            found = found[found[:, 5] == label]
            found = found[np.argsort(-found[:, 4], kind="stable")][:MAX_DETECTIONS]
            real = real[real[:, 4] == label]
            ignored = real[:, 5] > 0
            count += int((~ignored).sum())
            overlaps = box_iou(found[:, :4], real[:, :4])
            results = [match(overlaps, ignored, threshold) for threshold in IOUS]
            hits.append(np.stack([np.where(skipped, -1, hit) for hit, skipped in results], 1))
            scores.append(found[:, 4])
        score, hit = np.concatenate(scores), np.concatenate(hits)
        values = [average_precision(score[column >= 0], column[column >= 0] > 0, count) for column in hit.T]
        classes[name] = {"ap50": values[0], "ap": float(np.mean(values)), "objects": count}
    present = [value for value in classes.values() if value["objects"]]
    mean = {
        key: float(np.mean([value[name] for value in present])) if present else float("nan")
        for key, name in (("map50", "ap50"), ("map", "ap"))
    }
    return mean | {"classes": classes}
