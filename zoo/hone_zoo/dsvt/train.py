"""Trains DSVT on the street world's LiDAR:

    python -m hone_zoo.dsvt.train --config kitti_b --minutes 17 --out runs/kitti_b

Sweeps are rendered once into the device's memory; then the training takes --minutes, however fast a step is. The
folder gets log.jsonl (one JSON object a line), weights.pt (newest weights, matrices in 16 bit, in parts weights.pt.NN of
at most 16 MiB) every two minutes and at the end, and curves.png if matplotlib is there. --resume starts from such
weights, with a new schedule.
"""

import argparse
import contextlib
import dataclasses
import json
import pathlib
import sys
import time
from typing import Callable, Iterator

import torch
from torch import Tensor, nn

from .. import checkpoint
from .config import Config, load_config
from .data import IGNORED, Batch, Pool, augment, make_pool, take
from .evaluate import pool_precision
from .loss import losses
from .model import Detector, load_weights, make_detector
from .schedule import Clock, one_cycle
from .targets import assign

WINDOW = 20  # steps between measurements
SAVE_SECONDS = 120
MIN_POINTS = 5  # returns of an object that is to be found
UNSEEN = 1_000_000  # between the seeds of training and of measuring


def make_optimizer(detector: Detector, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW; norms and biases don't decay."""
    decaying = [p for p in detector.parameters() if p.ndim > 1]
    others = [p for p in detector.parameters() if p.ndim <= 1]
    groups = [{"params": decaying, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.95, 0.99))


def picks(sweeps: int, batch: int, device: torch.device) -> Iterator[Tensor]:
    """Batches [batch] of sweep numbers without end; each sweep comes once an epoch."""
    while True:
        order = torch.randperm(sweeps, device=device)
        yield from order[: sweeps - sweeps % batch].view(-1, batch)


class Trainer:
    """One detector in training. The step runs wherever the pool and the detector are; on CUDA in bfloat16."""

    def __init__(self, detector: Detector, pool: Pool, config: Config, batch: int):
        if len(pool) < batch:
            raise ValueError(f"a batch of {batch} needs as many sweeps, there are {len(pool)}")
        self.detector, self.pool, self.config, self.batch = detector, pool, config, batch
        self.device = pool.points.device
        settings = config.training
        self.optimizer = make_optimizer(detector, settings.learning_rate, settings.weight_decay)
        self.picks = picks(len(pool), batch, self.device)

    def autocast(self) -> contextlib.AbstractContextManager:
        cuda = self.device.type == "cuda"
        return torch.autocast("cuda", dtype=torch.bfloat16) if cuda else contextlib.nullcontext()

    def set_progress(self, progress: float) -> float:
        """Sets learning rate and momentum; returns the learning rate."""
        rate, beta = one_cycle(progress, self.config.training.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"], group["betas"] = rate * self.config.training.learning_rate, (beta, 0.99)
        return group["lr"]

    def next_batch(self) -> Batch:
        batch = take(self.pool, next(self.picks))
        return augment(batch, self.batch, self.config.training)

    def step(self) -> dict[str, Tensor]:
        """One step; returns the losses, on the device."""
        batch = self.next_batch()
        targets = assign(batch.boxes, self.batch, self.config)
        with self.autocast():
            maps = self.detector(batch.points, batch.frame, self.batch)
        parts = losses(maps, targets, self.config)
        self.optimizer.zero_grad(set_to_none=True)
        sum(parts.values()).backward()
        norm = nn.utils.clip_grad_norm_(self.detector.parameters(), self.config.training.gradient_norm)
        if not torch.isfinite(norm):  # a step that would spoil the weights
            self.optimizer.zero_grad(set_to_none=True)
        self.optimizer.step()
        return {**{name: value.detach() for name, value in parts.items()}, "gradient": norm}

    def run(self, clock: Clock, report: Callable[[dict], None]) -> None:
        """Steps until the clock is done; reports each window's mean losses."""
        self.detector.train()
        sums: dict[str, Tensor] = {}
        while not clock.done():
            rate = self.set_progress(clock.progress)
            for name, value in self.step().items():
                sums[name] = sums.get(name, 0) + value
            last = clock.step + 1
            if last % WINDOW == 0:
                means = {name: round(float(value) / WINDOW, 5) for name, value in sums.items()}  # waits for the device
                sums = {}
                clock.tick()
                seconds = clock.now() - clock.start
                times = {"step": last, "progress": round(clock.progress, 4), "seconds": round(seconds, 1)}
                report({**times, "rate": rate, **means, "step_ms": round(1000 * (clock.step_seconds or 0), 1)})
            else:
                clock.tick()


def save_weights(path: pathlib.Path, detector: Detector, name: str, step: int) -> list[pathlib.Path]:
    """Writes `model_state`, matrices in 16 bit, with the configuration."""
    state = {
        key: tensor.detach().cpu().half() if tensor.ndim > 1 else tensor.detach().cpu().clone()
        for key, tensor in detector.state_dict().items()
    }
    config = dataclasses.asdict(detector.config)
    return checkpoint.write(path, {"model_state": state, "config_name": name, "config": config, "step": step})


def compile_parts(detector: Detector) -> None:
    """Compiles what is heavy: the 2-D half, whose sizes are fixed, and the blocks, whose sizes change."""
    detector.backbone_2d.compile()
    detector.dense_head.compile()
    for block in detector.backbone_3d.stage_0:
        block.compile(dynamic=True)


def world_pool(count: int, seed: int, device: torch.device) -> Pool:
    """`count` sweeps of the street world. Ignored: vans, and what has too few returns or KITTI wouldn't label."""
    from .. import world

    pool = world.lidar_pool(count, seed, device)
    boxes = pool["boxes"]
    usable = pool["care"] & (pool["points_in_box"] >= MIN_POINTS) & (boxes[:, 1] != world.CLASSES.index("Van"))
    boxes[:, 1] = torch.where(usable, boxes[:, 1], torch.full_like(boxes[:, 1], IGNORED))
    return make_pool(pool["points"], pool["offsets"], boxes)


def write_log(path: pathlib.Path, entry: dict) -> None:
    """Adds a line of JSON to a file and to the screen."""
    line = json.dumps(entry)
    print(line, flush=True)
    with path.open("a") as file:
        file.write(line + "\n")


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="kitti_b", help="kitti_a, kitti_b, or a .toml file")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the log and the weights")
    parser.add_argument("--minutes", type=float, default=17.0, help="for the training loop, 17 by default")
    parser.add_argument("--steps", type=int, help="a number of steps instead")
    parser.add_argument("--sweeps", type=int, default=25000, help="to train on")
    parser.add_argument("--validation", type=int, default=200, help="sweeps to measure on at the end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, help="the configuration's by default")
    parser.add_argument("--rate", type=float, help="peak learning rate, the configuration's by default")
    parser.add_argument("--resume", metavar="WEIGHTS", help="weights to start from")
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args(arguments)


def prepare(args: argparse.Namespace) -> Detector:
    """The detector to train, on its device."""
    config = load_config(args.config)
    if args.rate:
        config = dataclasses.replace(config, training=dataclasses.replace(config.training, learning_rate=args.rate))
    torch.manual_seed(args.seed)
    detector = Detector(config)
    if args.resume:
        load_weights(detector, args.resume)
    detector.to(args.device)
    detector.backbone_2d.to(memory_format=torch.channels_last)
    detector.dense_head.to(memory_format=torch.channels_last)
    if args.compile:
        compile_parts(detector)
    return detector


def describe(args: argparse.Namespace, pool: Pool, classes: list[str], seconds: float) -> dict:
    """The log's first line."""
    device = torch.device(args.device)
    counts = (pool.boxes[:, 1].long() + 1).bincount(minlength=len(classes) + 1)[1:].tolist()
    settings = {name: str(value) if isinstance(value, pathlib.Path) else value for name, value in vars(args).items()}
    return {"settings": settings, "torch": torch.__version__,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU",
            "sweeps": len(pool), "points": len(pool.points), "boxes": dict(zip(classes, counts)),
            "pool_seconds": round(seconds, 1)}  # fmt: skip


def main(arguments: list[str] | None = None, make: Callable[..., Pool] = world_pool) -> int:
    """Runs the command line. make(count, seed, device) makes the pools."""
    args = parse_arguments(arguments)
    device = torch.device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    log, weights = args.out / "log.jsonl", args.out / "weights.pt"
    try:
        detector = prepare(args)
        started = time.monotonic()
        pool = make(args.sweeps, args.seed, device)
        trainer = Trainer(detector, pool, detector.config, args.batch or detector.config.training.batch)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_log(log, describe(args, pool, detector.config.classes, time.monotonic() - started))
    clock = Clock(None if args.steps else 60 * args.minutes, args.steps, WINDOW)
    saved = time.monotonic()

    def report(entry: dict) -> None:
        nonlocal saved
        write_log(log, entry)
        if time.monotonic() - saved > SAVE_SECONDS:
            save_weights(weights, detector, args.config, entry["step"])
            saved = time.monotonic()

    trainer.run(clock, report)
    files = save_weights(weights, detector, args.config, clock.step)
    seconds = round(clock.now() - clock.start, 1)
    write_log(log, {"saved": [file.name for file in files], "steps": clock.step, "seconds": seconds})
    if args.validation:
        unseen = make(args.validation, args.seed + UNSEEN, device)
        shipped = make_detector(detector.config, str(weights)).to(device)  # in 16 bit, and not compiled
        write_log(log, {"validation": pool_precision(shipped, unseen, trainer.batch)})
    draw_curves(args.out)
    return 0


def draw_curves(folder: pathlib.Path) -> None:
    """Draws the log's losses and learning rate as curves.png, if matplotlib is installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no curves.png: matplotlib isn't installed")
        return
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    entries = [entry for entry in entries if "rate" in entry]
    figure = Figure(figsize=(8, 6))
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    minutes = [entry["seconds"] / 60 for entry in entries]
    for name in ("heat", "box", "iou", "iou_regression"):
        if entries and name in entries[0]:
            upper.plot(minutes, [entry[name] for entry in entries], label=name, linewidth=0.8)
    upper.set(ylabel="loss", yscale="log")
    upper.legend()
    lower.plot(minutes, [entry["rate"] for entry in entries])
    lower.set(xlabel="minutes", ylabel="learning rate")
    figure.savefig(folder / "curves.png", dpi=110)


if __name__ == "__main__":
    sys.exit(main())
