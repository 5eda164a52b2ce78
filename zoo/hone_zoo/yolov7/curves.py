"""Draws a training's log: python -m hone_zoo.yolov7.curves runs/tiny/log.jsonl curves.png"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

PARTS = ("box", "classes", "objectness")


def draw(log: Path, picture: Path) -> None:
    """Losses, learning rate and accuracy over the steps, as PNG."""
    lines = [json.loads(line) for line in Path(log).read_text().splitlines()]
    steps = [line for line in lines if "lr" in line]
    tests = [line for line in lines if "evaluation" in line]
    figure, (losses, rate, accuracy) = pyplot.subplots(1, 3, figsize=(15, 4), layout="constrained")
    for part in PARTS:
        losses.plot([line["step"] for line in steps], [line[part] for line in steps], label=part)
    losses.set(title="loss", xlabel="step", yscale="log")
    rate.plot([line["step"] for line in steps], [line["lr"] for line in steps])
    rate.set(title="learning rate", xlabel="step")
    for key, label in (("map50", "mAP at IoU 0.5"), ("map", "mAP at IoU 0.5 to 0.95")):
        accuracy.plot([line["step"] for line in tests], [line["evaluation"][key] for line in tests], "o-", label=label)
    accuracy.set(title="unseen pictures", xlabel="step", ylim=(0, 1))
    for axes in (losses, accuracy):
        axes.legend()
    figure.savefig(picture, dpi=100)
    pyplot.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
