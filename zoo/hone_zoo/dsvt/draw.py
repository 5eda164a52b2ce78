"""Draws what a DSVT detector finds in a cloud, from above:

    python -m hone_zoo.dsvt.draw --weights weights.pt --config kitti_b -o found.png 000008.bin

Clouds are float32 files of x, y, z, reflectance. Needs matplotlib.
"""

import argparse
import pathlib
import sys

import numpy as np
import torch

from ..world.kitti import read_cloud
from .boxes import corners_bev
from .config import Config, load_config
from .decode import Detections
from .model import make_detector

COLOURS = ("tab:red", "tab:blue", "tab:green", "tab:orange", "tab:purple")


def draw(cloud: np.ndarray, found: Detections, config: Config, path: str) -> None:
    """Writes a picture of a cloud [P, 4] and its detections: boxes by class, a line to the front, the score."""
    from matplotlib.figure import Figure

    low, high = np.array(config.points.range).reshape(2, 3)
    figure = Figure(figsize=(14, 14 * (high[1] - low[1]) / (high[0] - low[0])))
    axes = figure.subplots()
    axes.scatter(cloud[:, 0], cloud[:, 1], s=0.3, c=cloud[:, 2].clip(-2, 1), cmap="viridis", linewidths=0)
    for box, corners, score, label in zip(found.boxes, corners_bev(found.boxes), found.scores, found.classes):
        colour = COLOURS[int(label) % len(COLOURS)]
        outline = torch.cat([corners, corners[:1]])
        front = torch.stack([box[:2], corners[[0, 3]].mean(0)])
        for line in (outline, front):
            axes.plot(line[:, 0], line[:, 1], color=colour, linewidth=1.2)
        axes.annotate(f"{float(score):.2f}", corners[0].tolist(), color=colour, fontsize=8)
    for colour, name in zip(COLOURS, config.classes):
        axes.plot([], [], color=colour, label=name)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="x, m", ylabel="y, m", aspect="equal")
    axes.legend(loc="upper left")
    figure.savefig(path, dpi=100, bbox_inches="tight")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cloud", type=pathlib.Path)
    parser.add_argument("--weights", required=True, help="a checkpoint, or random[:SEED]")
    parser.add_argument("--config", default="kitti_b")
    parser.add_argument("--score", type=float, default=0.3, help="lowest score to draw, 0.3 by default")
    parser.add_argument("-o", "--output", required=True, metavar="F.png")
    args = parser.parse_args(arguments)
    try:
        config, cloud = load_config(args.config), read_cloud(args.cloud)
        (found,) = make_detector(config, args.weights).detect([torch.from_numpy(cloud)])
        found = Detections(*(value[found.scores >= args.score] for value in found))
        draw(cloud, found, config, args.output)
    except (OSError, ValueError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for box, score, label in zip(found.boxes.tolist(), found.scores.tolist(), found.classes.tolist()):
        print(f"{config.classes[label]} {score:.2f} " + " ".join(f"{value:.2f}" for value in box))
    return 0


if __name__ == "__main__":
    sys.exit(main())
