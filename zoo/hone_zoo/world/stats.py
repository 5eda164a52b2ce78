"""What the world is like in numbers: clouds, objects, how many points an object gets by range, how much is hidden."""

from __future__ import annotations

from typing import Iterable

import numpy as np

from .kinds import CLASSES
from .layout import make_scenes
from .pool import lidar_pool

RANGES = (0, 10, 20, 30, 40, 50, 60, 80)


def cloud_numbers(points: np.ndarray) -> dict[str, float]:
    """Of one cloud [N, 4] cut to the camera's view; angles in degrees, metres."""
    p = points.astype(np.float64)
    distance = np.linalg.norm(p[:, :3], axis=1)
    azimuth, elevation = np.degrees(np.arctan2(p[:, 1], p[:, 0])), np.degrees(np.arcsin(p[:, 2] / distance))
    near = (distance < 15) & (np.abs(p[:, 1]) < 2) & (p[:, 2] < -1.3) & (p[:, 0] > 5)
    return {
        "points": len(p),
        "azimuth_low": azimuth.min(),
        "azimuth_high": azimuth.max(),
        "elevation_low": elevation.min(),
        "elevation_high": elevation.max(),
        "zero_share": float((p[:, 3] == 0).mean()),
        "mean_reflectance": p[:, 3].mean(),
        "ground": float(np.median(p[near, 2])) if near.sum() > 50 else float("nan"),
        "beams": len(beam_counts(p)),
    }


def beam_counts(points: np.ndarray) -> np.ndarray:
    """Points of each beam, from the highest down: the file goes round once per beam, from straight ahead."""
    azimuth = np.arctan2(points[:, 1], points[:, 0])
    starts = np.flatnonzero((azimuth[:-1] < 0) & (azimuth[1:] >= 0)) + 1
    return np.diff(np.concatenate([[0], starts, [len(points)]]))


def _quantiles(values: Iterable[float]) -> dict[str, float]:
    array = np.asarray([value for value in values if np.isfinite(value)], dtype=np.float64)
    if not len(array):
        return {}
    names = {"p5": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
    return {
        "mean": round(float(array.mean()), 4),
        **{name: round(float(np.percentile(array, q)), 4) for name, q in names.items()},
    }


def fingerprint(seed: int) -> dict:
    """What tells one version of the world from another: the layout of scenes 0..19 and the points of sweeps 0..2."""
    objects = make_scenes(seed, np.arange(20)).objects.astype(np.float64)
    points = lidar_pool(3, seed, "cpu")["offsets"].diff().tolist()
    return {"objects": len(objects), "mean": round(float(np.abs(objects).mean()), 4), "points": points}


def world_statistics(count: int, seed: int, device: str) -> dict:
    """Statistics of `count` sweeps and their labels, ready for JSON."""
    pool = {name: value.cpu().numpy() for name, value in lidar_pool(count, seed, device).items()}
    clouds = [pool["points"][a:b] for a, b in zip(pool["offsets"][:-1], pool["offsets"][1:])]
    frames = [cloud_numbers(cloud) for cloud in clouds]
    lit = [bool(cloud[:, 3].any()) for cloud in clouds]
    out = {
        "seed": seed,
        "frames": count,
        "fingerprint": fingerprint(seed),
        "muted_share": round(1 - float(np.mean(lit)), 4),
        "cloud": {},
        "classes": {},
    }
    for name in frames[0]:
        chosen = [f[name] for f, on in zip(frames, lit) if on or name not in ("zero_share", "mean_reflectance")]
        out["cloud"][name] = _quantiles(chosen)
    boxes, care = pool["boxes"], pool["care"]
    distance = np.hypot(boxes[:, 2], boxes[:, 3])
    labelled = np.bincount(boxes[care, 0].astype(int), minlength=count)
    out["labels_per_frame"], out["frames_without_labels"] = _quantiles(labelled), int((labelled == 0).sum())
    for number, name in enumerate(CLASSES):
        mine = (boxes[:, 1] == number) & care
        row = {
            "per_frame": round(float(mine.sum()) / count, 4),
            "size_l_w_h": [_quantiles(boxes[mine, k]) for k in (5, 6, 7)],
        }
        row["occlusion_share"] = [
            round(float((pool["occlusion"][mine] == level).mean()), 4) if mine.any() else 0.0 for level in range(3)
        ]
        row["truncated_share"] = round(float((pool["truncation"][mine] > 0.15).mean()), 4) if mine.any() else 0.0
        row["judged_per_frame"] = round(
            float((mine & (pool["height_px"] >= 25) & (pool["occlusion"] <= 1) & (pool["truncation"] <= 0.3)).sum())
            / count,
            4,
        )
        row["points_by_range"] = {}
        for low, high in zip(RANGES[:-1], RANGES[1:]):
            group = mine & (distance >= low) & (distance < high)
            row["points_by_range"][f"{low}-{high}"] = {
                "objects": int(group.sum()),
                **_quantiles(pool["points_in_box"][group]),
                "unhidden": _quantiles(pool["points_in_box"][group & (pool["occlusion"] == 0)]),
            }
        out["classes"][name] = row
    return out
