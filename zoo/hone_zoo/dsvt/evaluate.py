"""Measures a DSVT detector on frames in KITTI's layout:

    python -m hone_zoo.dsvt.evaluate --weights weights.pt --config kitti_b --data FOLDER [--results FOLDER]
    python -m hone_zoo.dsvt.evaluate --weights weights.pt --config kitti_b --world SEED --count 500
    python -m hone_zoo.dsvt.evaluate --weights ../models/dsvt_kitti_b --world 2000001 --count 500

FOLDER holds velodyne/, calib/ and label_2/ (and image_2/, for the pictures' sizes). Points that the camera doesn't see
are cut off first. Prints average precision with 40 recall positions at KITTI's difficulties; --results keeps the boxes
as KITTI's result files. Without --weights it measures result files that are there already. --world makes frames of the
street world, without pictures, in FOLDER or in a temporary folder. A folder of exported parts as --weights brings its
configuration and runs in ONNX Runtime.
"""

import argparse
import json
import pathlib
import sys
import tempfile
from typing import Iterable

import numpy as np
import torch

from ..world.kitti import read_cloud, to_lines, write_calibration, write_cloud, write_labels
from . import data
from .boxes import iou_3d
from .config import load_config
from .decode import Detections, decode
from .kitti import detected_objects, in_view, read_objects, read_view, write_objects
from .kitti_ap import (DIFFICULTIES, IGNORED, OTHER, OVERLAPS, VALID, Frame, Objects, average, average_precision,
                       precision_curve)  # fmt: skip
from .model import Detector, make_detector


def detect_frame(detector: Detector, folder: pathlib.Path, number: str) -> Objects:
    """Detections of one frame of a folder in KITTI's layout."""
    view = read_view(folder, number)
    cloud = read_cloud(folder / "velodyne" / f"{number}.bin")
    (found,) = detector.detect([torch.from_numpy(cloud[in_view(cloud, view)])])
    boxes, scores, classes = (x.cpu().numpy() for x in found)
    return detected_objects(boxes, scores, [detector.config.classes[c] for c in classes], view)


@torch.no_grad()
def write_world_frame(folder: pathlib.Path, seed: int, number: int, device: str) -> str:
    """Writes cloud, calibration and labels of a frame of the street world, as `hone_zoo.world` does; returns its
    name."""
    from ..world.layout import make_scenes
    from ..world.pool import look
    from ..world.sensors import Lidar, calibration
    from ..world.street import Street
    from ..world.sweep import sweep

    street, rig, name = Street(make_scenes(seed, np.array([number])), device), calibration(), f"{number:06d}"
    for part in ("velodyne", "calib", "label_2"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_cloud(folder / "velodyne" / f"{name}.bin", sweep(street, Lidar(street.device), rig).points.cpu().numpy())
    write_calibration(folder / "calib" / f"{name}.txt", rig)
    write_labels(folder / "label_2" / f"{name}.txt", to_lines(look(street)[2], 0, rig))
    return name


def evaluate_folder(folder: pathlib.Path, results: dict[str, Objects]) -> dict:
    """`average_precision` of results by frame number, against the folder's labels."""
    return average_precision([(read_objects(folder / "label_2" / f"{n}.txt"), found) for n, found in results.items()])


def pool_frames(labels: torch.Tensor, found: Detections, classes: int) -> list[Frame]:
    """Each class's matching problem of one sweep's labels [n, 9], whose class may be data.IGNORED."""
    overlap = iou_3d(labels[:, None, 2:].double(), found.boxes[None].double()).cpu().numpy()
    own, theirs, scores = (x.cpu().numpy() for x in (labels[:, 1], found.classes, found.scores))
    nothing = np.zeros(overlap.shape), np.zeros(len(scores), dtype=bool)
    frames = []
    for c in range(classes):
        mine = np.where(own == c, VALID, np.where(own == data.IGNORED, IGNORED, OTHER))
        frames.append(Frame(overlap, mine, np.where(theirs == c, VALID, OTHER), scores, *nothing))
    return frames


@torch.no_grad()
def pool_precision(detector: Detector, pool: data.Pool, batch: int) -> dict[str, float]:
    """3-D average precision (40 positions) by class on a pool's sweeps. Every box that isn't ignored counts,
    however hard, so these numbers are no KITTI difficulty's; they tell trainings apart."""
    classes = detector.config.classes
    frames = [[] for _ in classes]
    for picks in torch.arange(len(pool), device=pool.offsets.device).split(batch):
        points, frame, boxes = data.take(pool, picks)
        for b, found in enumerate(decode(detector(points, frame, len(picks)), detector.config)):
            for mine, part in zip(frames, pool_frames(boxes[boxes[:, 0] == b], found, len(classes))):
                mine.append(part)
    limits = [OVERLAPS.get(name, (0.5,) * 3)[2] for name in classes]
    return {
        name: round(average(precision_curve(mine, limit)[0])["R40"], 2)
        for name, mine, limit in zip(classes, frames, limits)
    }


def table(result: dict) -> str:
    """The results in words, one line per class and metric."""
    lines = [f"{'R40, %':<22}" + "".join(f"{word:>10}" for word in DIFFICULTIES)]
    for name, metrics in result.items():
        for metric, values in metrics.items():
            numbers = "".join(f"{values[word]['R40']:10.2f}" for word in DIFFICULTIES)
            lines.append(f"{name + ' ' + metric:<22}{numbers}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", help="a checkpoint, random[:SEED], or a folder of exported parts")
    parser.add_argument("--config", default="kitti_b")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--world", type=int, metavar="SEED", help="measure on frames of the street world")
    parser.add_argument("--count", type=int, default=500, help="of the world's frames")
    parser.add_argument("--first", type=int, default=0, help="number of the first of them")
    parser.add_argument("--results", type=pathlib.Path, help="folder of result files, written if there are --weights")
    parser.add_argument("--json", type=pathlib.Path, help="write all numbers here too")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    if not args.weights and not args.results:
        parser.error("give --weights, or --results with result files")
    if args.data is None and args.world is None:
        parser.error("give --data, or --world with a seed")
    try:
        with tempfile.TemporaryDirectory() as folder:
            return measure(args, args.data or pathlib.Path(folder))
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def measure(args: argparse.Namespace, folder: pathlib.Path) -> int:
    """Detects (or reads results) and prints the numbers."""
    if args.world is None:
        numbers = sorted(path.stem for path in (folder / "label_2").glob("*.txt"))
        if not numbers:
            raise ValueError(f"there are no labels in {folder / 'label_2'}")
    else:
        frames = range(args.first, args.first + args.count)
        numbers = (write_world_frame(folder, args.world, number, args.device) for number in frames)
    results = run_detector(args, folder, numbers) if args.weights else read_results(args.results, numbers)
    result = evaluate_folder(folder, results)
    print(f"{len(results)} frames\n{table(result)}")
    if args.json:
        args.json.write_text(json.dumps({"frames": len(results), "results": result}, indent=1))
    return 0


def run_detector(args: argparse.Namespace, folder: pathlib.Path, numbers: Iterable[str]) -> dict[str, Objects]:
    if pathlib.Path(args.weights).is_dir():
        from .shipped import ShippedDetector

        detector = ShippedDetector(pathlib.Path(args.weights))
    else:
        detector = make_detector(load_config(args.config), args.weights).to(args.device)
    results = {}
    if args.results:
        args.results.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        results[number] = detect_frame(detector, folder, number)
        if args.results:
            write_objects(args.results / f"{number}.txt", results[number])
    return results


def read_results(folder: pathlib.Path, numbers: Iterable[str]) -> dict[str, Objects]:
    return {number: read_objects(folder / f"{number}.txt") for number in numbers}


if __name__ == "__main__":
    sys.exit(main())
