"""python -m hone_zoo.world write | stats | bench: frames as KITTI files, statistics, speed."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch


def _write(options: argparse.Namespace) -> None:
    from .write import write_frames

    frames = options.frames or range(options.first, options.first + options.count)
    write_frames(options.out, options.seed, frames, options.device, options.jpeg)
    print(f"{len(frames)} frames of seed {options.seed} in {options.out}")


def _numbers(text: str) -> list[int]:
    """3,5,8 as numbers."""
    words = text.split(",")
    if not all(word.isdigit() for word in words):
        raise argparse.ArgumentTypeError(f"{text}: numbers with commas between them, such as 3,5,8")
    return [int(word) for word in words]


def _quality(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 95:
        raise argparse.ArgumentTypeError(f"{text}: JPEG's quality lies between 1 and 95")
    return int(text)


def _stats(options: argparse.Namespace) -> None:
    from .kitti import read_cloud
    from .plots import compare, statistics
    from .pool import lidar_pool
    from .stats import cloud_numbers, world_statistics

    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    numbers = world_statistics(options.count, options.seed, options.device)
    if options.real:
        real = [read_cloud(path) for path in sorted(Path(options.real).glob("*.bin"))]
        if not real:
            raise SystemExit(
                f"{options.real}: no *.bin there; give a folder of KITTI velodyne files cut to the camera's view"
            )
        numbers["real"] = [cloud_numbers(cloud) for cloud in real]
        pool = lidar_pool(min(options.count, 24), options.seed, options.device)
        edges = pool["offsets"].tolist()
        compare([pool["points"][a:b].cpu().numpy() for a, b in zip(edges[:-1], edges[1:])], real, out / "compare.png")
    (out / "world.json").write_text(json.dumps(numbers, indent=1) + "\n")
    statistics(numbers, out / "world.png")
    print(json.dumps(numbers["cloud"], indent=1))


def _timed(make, count: int, device: torch.device) -> tuple[float, dict]:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    pool = make(count)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, pool


def _bench(options: argparse.Namespace) -> None:
    from . import camera_pool, lidar_pool

    device = torch.device(options.device)
    for name, make, count, target in (
        ("pictures", camera_pool, options.pictures, 12000),
        ("sweeps", lidar_pool, options.sweeps, 25000),
    ):
        _timed(lambda n: make(n, options.seed + 1, device), max(1, count // 8), device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        took, pool = _timed(lambda n: make(n, options.seed, device), count, device)
        memory = f", peak {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GiB" if device.type == "cuda" else ""
        print(
            f"{count} {name}: {took:.2f} s, {count / took:.1f} per s, {len(pool['boxes'])} boxes; "
            f"{target} would take {took / count * target:.0f} s{memory}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m hone_zoo.world", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, run, text in (
        ("write", _write, "frames as KITTI files"),
        ("stats", _stats, "world.json, world.png, compare.png"),
        ("bench", _bench, "time the pools"),
    ):
        command = commands.add_parser(name, help=text)
        command.set_defaults(run=run)
        command.add_argument("--seed", type=int, default=1)
        command.add_argument("--device", default="cpu")
        if name == "bench":
            command.add_argument("--pictures", type=int, default=0, help="default: 960 on a GPU, 4 on a CPU")
            command.add_argument("--sweeps", type=int, default=0, help="default: 4096 on a GPU, 32 on a CPU")
        else:
            command.add_argument("--count", type=int, default=10 if name == "write" else 200)
            command.add_argument("--out", required=True)
        if name == "write":
            command.add_argument("--first", type=int, default=0, help="number of the first scene and file")
            command.add_argument("--frames", type=_numbers, metavar="I,J,K", help="these, not --first and --count")
            command.add_argument("--jpeg", type=_quality, default=0, metavar="QUALITY", help="1 to 95; instead of PNG")
        if name == "stats":
            command.add_argument("--real", help="a folder of real clouds to compare with")
    options = parser.parse_args()
    if hasattr(options, "pictures"):
        big = torch.device(options.device).type == "cuda"
        options.pictures, options.sweeps = options.pictures or (960 if big else 4), options.sweeps or (
            4096 if big else 32
        )
    options.run(options)


if __name__ == "__main__":
    main()
