"""Plots of the world's clouds beside real ones, and of its statistics. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .stats import beam_counts


def _pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def compare(ours: list[np.ndarray], real: list[np.ndarray], path: str | Path) -> None:
    """Three clouds of each from above, histograms of range and reflectance, points per beam."""
    plt = _pyplot()
    columns = max(min(3, len(real)), min(3, len(ours)))
    figure, axes = plt.subplots(3, columns, figsize=(6 * columns, 20), squeeze=False)
    for row, (name, clouds) in enumerate((("real", real), ("ours", ours))):
        for column in range(columns):
            axis = axes[row, column]
            if column < len(clouds):
                p = clouds[column]
                axis.scatter(p[:, 1], p[:, 0], c=p[:, 3], s=1, cmap="jet", vmin=0, vmax=0.7)
            axis.set(title=name, xlim=(30, -30), ylim=(0, 70), aspect="equal")
    lit = [cloud for cloud in ours if cloud[:, 3].any()]
    for name, clouds in (("real", real), ("ours", ours)):
        distance = np.concatenate([np.linalg.norm(p[:, :3], axis=1) for p in clouds])
        axes[2, 0].hist(
            distance,
            bins=np.arange(0, 81, 2),
            weights=np.full(len(distance), 1 / len(clouds)),
            histtype="step",
            label=name,
        )
    for name, clouds in (("real", real), ("ours", lit)):
        value = np.concatenate([p[:, 3] for p in clouds])
        axes[2, 1 % columns].hist(value, bins=np.arange(0, 1.01, 0.02), density=True, histtype="step", label=name)
    for name, clouds, style in (("real", real, "-"), ("ours", ours[:3], "--")):
        for p in clouds:
            axes[2, 2 % columns].plot(beam_counts(p), style, label=name, linewidth=1)
    for axis, title in zip(axes[2], ("points per frame by range (m)", "reflectance", "points by beam, from above")):
        axis.set_title(title)
        axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=60)


def statistics(numbers: dict, path: str | Path) -> None:
    """Points per object by range and class, objects by range, occlusion."""
    plt = _pyplot()
    figure, (points, objects, hidden) = plt.subplots(1, 3, figsize=(18, 5))
    for name, row in numbers["classes"].items():
        bins = row["points_by_range"]
        known = [key for key in bins if bins[key].get("unhidden", {}).get("p50") is not None]
        points.plot(known, [max(0.5, bins[key]["unhidden"]["p50"]) for key in known], marker="o", label=name)
        objects.plot(list(bins), [bins[key]["objects"] / numbers["frames"] for key in bins], marker="o", label=name)
    points.set(yscale="log", title="median points of an unhidden object", xlabel="range (m)")
    objects.set(title="labelled objects per frame", xlabel="range (m)")
    points.legend()
    objects.legend()
    names = list(numbers["classes"])
    bottom = np.zeros(len(names))
    for level in range(3):
        share = np.array([numbers["classes"][name]["occlusion_share"][level] for name in names])
        hidden.bar(names, share, bottom=bottom, label=f"occlusion {level}")
        bottom += share
    hidden.set_title("how much is hidden")
    hidden.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=60)
