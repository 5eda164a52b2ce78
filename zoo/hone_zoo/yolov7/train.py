"""Trains YOLOv7 or YOLOv7-tiny on pictures of the street world, rendered into the GPU's memory:

  python -m hone_zoo.yolov7.train -o runs/tiny --minutes 17
  python -m hone_zoo.yolov7.train -o runs/tiny2 --minutes 17 --weights runs/tiny/last.pt    # a second leg, new schedule
  python -m hone_zoo.yolov7.train -o runs/tiny --minutes 17 --resume                        # go on where it was cut off

The folder gets log.jsonl (a line for each report and each evaluation), curves.png, last.pt (averaged weights, 16 bit)
and resume.pt, as it goes; files above 16 MiB come in parts. The schedule follows the clock: its progress is the share
of the minutes that the loop has used, so it ends in time on every machine; with --steps it follows the steps."""

import argparse
import contextlib
import copy
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from hone_zoo import checkpoint
from hone_zoo.evaluate import evaluate
from hone_zoo.yolov7 import nms
from hone_zoo.yolov7.augment import Augmenter, Options, letterbox
from hone_zoo.yolov7.layers import read_tables
from hone_zoo.yolov7.loss import Loss
from hone_zoo.yolov7.model import Implicit, Yolov7
from hone_zoo.yolov7.tails import boxes_and_scores
from hone_zoo.yolov7.weights import load_model, save_model

TEST_SIZE = (384, 1248)
COUNTED_PIXELS, COUNTED_OCCLUSION, COUNTED_TRUNCATION = (
    25,
    1,
    0.3,
)  # boxes below, or beyond, are ignored by the evaluation
NOMINAL_BATCH = 64  # to which the weight decay belongs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the log and the weights")
    parser.add_argument("--model", choices=tuple(read_tables()), default="yolov7-tiny")
    parser.add_argument("--width", type=float, default=1, help="factor for the channels")
    parser.add_argument("--weights", help="a checkpoint to start from")
    parser.add_argument("--resume", action="store_true", help="go on from resume.pt in the folder")
    parser.add_argument("--minutes", type=float, default=17, help="of the training loop (17)")
    parser.add_argument("--steps", type=int, default=0, help="end after these steps instead")
    parser.add_argument("--pool", type=int, default=12000, help="pictures to render (12000)")
    parser.add_argument("--test", type=int, default=500, help="unseen pictures for the evaluation (500)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the world, the weights and the augmentation; the test has its own"
    )
    parser.add_argument("--test-seed", type=int, default=1_000_001)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, nargs=2, default=[640, 640], metavar=("H", "W"))
    parser.add_argument("--scale", type=float, nargs=2, default=list(Options.scale), help="of the pictures in mosaics")
    parser.add_argument(
        "--mosaic", type=float, default=Options.mosaic, help="chance of four tiles; none in the last tenth"
    )
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--final-lr", type=float, default=0.01, help="last learning rate as a share of --lr")
    parser.add_argument("--warmup", type=float, default=0.03, help="share of the schedule")
    parser.add_argument("--ema", type=float, default=0.9995, help="decay of the averaged weights")
    parser.add_argument("--report", type=int, default=50, help="steps between lines of the log")
    parser.add_argument("--evaluate", type=float, default=0.25, help="evaluate after each such share of the schedule")
    parser.add_argument("--save-seconds", type=float, default=60)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--no-bf16", action="store_true", help="compute in float32")
    parser.add_argument("--compile", action="store_true", help="use torch.compile")


class Average:
    """Exponential moving average of a model's weights and statistics; short at first, so that it forgets the start."""

    def __init__(self, model: Yolov7, decay: float) -> None:
        self.model, self.decay, self.steps = copy.deepcopy(model).eval().requires_grad_(False), decay, 0
        self._mine, self._source = (
            [tensor for tensor in m.state_dict().values() if tensor.is_floating_point()] for m in (self.model, model)
        )

    @torch.no_grad()
    def update(self) -> None:
        """Takes the model's present values in."""
        self.steps += 1
        decay = self.decay * (1 - math.exp(-self.steps / 500))
        torch._foreach_mul_(self._mine, decay)
        torch._foreach_add_(self._mine, self._source, alpha=1 - decay)


class Schedule:
    """Learning rates by progress 0 to 1: warm-up, in which biases come down from 0.1 and the rest rises, then a
    cosine."""

    def __init__(self, model: Yolov7, args: argparse.Namespace) -> None:
        self.args = args
        plain, decayed, biases = [], [], []
        for module in model.modules():
            if isinstance(getattr(module, "bias", None), nn.Parameter):
                biases.append(module.bias)
            if isinstance(module, Implicit):
                plain.append(module.implicit)
            elif isinstance(getattr(module, "weight", None), nn.Parameter):
                (plain if isinstance(module, nn.BatchNorm2d) else decayed).append(module.weight)
        decay = 5e-4 * args.batch / NOMINAL_BATCH
        groups = [{"params": biases}, {"params": plain}, {"params": decayed, "weight_decay": decay}]
        self.optimizer = torch.optim.SGD(groups, args.lr, momentum=0.937, nesterov=True)

    def set(self, progress: float) -> float:
        """Sets the rates; returns that of the weights."""
        args = self.args
        rate = args.lr * (args.final_lr + (1 - args.final_lr) * (1 + math.cos(math.pi * min(1.0, progress))) / 2)
        warm = min(1.0, progress / args.warmup) if args.warmup else 1.0
        for i, group in enumerate(self.optimizer.param_groups):
            start = 0.1 if i == 0 else 0.0
            group["lr"] = start + (rate - start) * warm
            group["momentum"] = 0.8 + (0.937 - 0.8) * warm
        return rate * warm


@torch.no_grad()
def detect(
    model: Yolov7,
    images: Tensor,
    size: tuple[int, int] = TEST_SIZE,
    conf: float = 0.001,
    iou: float = 0.65,
    batch: int = 25,
    bf16: bool = False,
) -> list[np.ndarray]:
    """Detections [n, 6] (x0, y0, x1, y1 in picture pixels, score, class) of pictures uint8 [N, h, w, 3], best 300 each.
    One row may give several classes, as in YOLOv7's own test."""
    results = []
    for part in images.split(batch):
        pictures, scale, offset = letterbox(part, size)
        with torch.autocast(part.device.type, torch.bfloat16, enabled=bf16):
            maps = model(pictures)
        boxes, scores = boxes_and_scores(model.head.decode([x.float() for x in maps]))
        shift = torch.tensor(offset * 2, device=part.device)
        for picture, values in zip((nms.corners(boxes) - shift) / scale, scores):
            row, label = (values > conf).nonzero(as_tuple=True)
            order = values[row, label].argsort(descending=True)[:1000]
            row, label = row[order], label[order]
            kept = nms.greedy(picture[row] + label[:, None] * 8192.0, iou)
            row, label = row[kept][:300], label[kept][:300]
            limit = torch.tensor([part.shape[2], part.shape[1]] * 2, device=part.device)
            box = torch.minimum(picture[row].clamp(min=0), limit)
            results.append(torch.cat([box, values[row, label][:, None], label[:, None]], 1).cpu().numpy())
    return results


def objects_of(pool: dict[str, Tensor], classes: int) -> list[np.ndarray]:
    """What `evaluate` compares with. Small, hidden and cut objects are ignored, and so are the pool's "ignore" regions,
    whatever their class."""
    boxes = pool["boxes"].cpu().numpy()
    height, truncation, occlusion = boxes[:, 5] - boxes[:, 3], boxes[:, 6], boxes[:, 7]
    ignored = (height < COUNTED_PIXELS) | (occlusion > COUNTED_OCCLUSION) | (truncation > COUNTED_TRUNCATION)
    rows = [np.concatenate([boxes[:, :1], boxes[:, 2:6], boxes[:, 1:2], ignored[:, None]], 1)]
    regions = pool["ignore"].cpu().numpy() if "ignore" in pool else np.zeros((0, 5))
    rows += [
        np.concatenate([regions[:, :5], np.full((len(regions), 1), i), np.ones((len(regions), 1))], 1)
        for i in range(classes)
    ]
    table = np.concatenate(rows)
    return [table[table[:, 0] == i, 1:] for i in range(len(pool["images"]))]


class Trainer:
    """The training loop over a pool; `test` is a pool of unseen pictures. `log` gets each line."""

    def __init__(
        self, model: Yolov7, pool: dict, test: dict, args: argparse.Namespace, log: Callable[[dict], None]
    ) -> None:
        self.args, self.test, self.log = args, test, log
        device = pool["images"].device
        self.bf16 = device.type == "cuda" and not args.no_bf16
        self.model = model.to(device, memory_format=torch.channels_last)
        self.average = Average(self.model, args.ema)
        self.schedule = Schedule(self.model, args)
        self.loss = Loss(self.model.head)
        options = Options(size=tuple(args.size), mosaic=args.mosaic, scale=tuple(args.scale))
        self.augmenter = Augmenter(pool, options, args.seed)
        self.forward = torch.compile(self.model) if args.compile else self.model
        self.step, self.seconds = 0, 0.0

    def progress(self) -> float:
        if self.args.steps:
            return self.step / self.args.steps
        return self.seconds / (60 * self.args.minutes)

    def run(self) -> dict:
        """Trains to the end of the schedule; returns the last evaluation."""
        self.prime()
        args, sums, count, reported = self.args, {}, 0, time.monotonic()
        started, saved = time.monotonic() - self.seconds, time.monotonic()
        due = (math.floor(self.progress() / args.evaluate) + 1) * args.evaluate
        while self.progress() < 1:
            parts = self.train_step()
            self.step, count = self.step + 1, count + 1
            for name, value in parts.items():
                sums[name] = sums.get(name, 0) + value
            if self.step % args.report == 0:
                self.report({name: float(value) / count for name, value in sums.items()}, started, reported, count)
                sums, count, reported = {}, 0, time.monotonic()
            self.seconds = time.monotonic() - started
            if self.progress() >= due and self.progress() < 1:
                due += args.evaluate
                self.evaluate()
                sums, count, reported = {}, 0, time.monotonic()
            if time.monotonic() - saved > args.save_seconds:
                self.save()
                saved = time.monotonic()
        result = self.evaluate()
        self.save()
        return result

    def report(self, parts: dict[str, float], started: float, reported: float, count: int) -> None:
        now, rate = time.monotonic(), self.schedule.optimizer.param_groups[2]["lr"]
        self.log(
            {
                "step": self.step,
                "seconds": round(now - started, 1),
                "progress": round(self.progress(), 4),
                "lr": round(rate, 6),
                "ms_per_step": round(1000 * (now - reported) / count, 1),
                **{k: round(v, 5) for k, v in parts.items()},
            }
        )

    def prime(self) -> None:
        """Lets libraries choose and compile what they need, before the clock runs; changes no weight."""
        loss, _ = self.compute(0.0)
        loss.backward()
        self.schedule.optimizer.zero_grad(set_to_none=True)

    def compute(self, mosaic: float | None) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a new batch, and its parts."""
        self.model.train()
        pictures, targets = self.augmenter.batch(self.args.batch, mosaic)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.bf16):
            maps = self.forward(pictures)
        return self.loss(maps, targets)

    def train_step(self) -> dict[str, Tensor]:
        """One step; the parts of the loss."""
        self.schedule.set(self.progress())
        loss, parts = self.compute(0.0 if self.progress() > 0.9 else None)
        self.schedule.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 10.0 * self.args.batch)
        self.schedule.optimizer.step()
        self.average.update()
        return parts

    def evaluate(self) -> dict:
        start = time.monotonic()
        found = detect(self.average.model, self.test["images"], self.test.get("size", TEST_SIZE), bf16=self.bf16)
        result = evaluate(found, objects_of(self.test, len(self.model.names)), self.model.names)
        result = json.loads(
            json.dumps(result), parse_float=lambda text: round(float(text), 4), parse_constant=lambda _: None
        )
        self.log({"step": self.step, "evaluation": result, "evaluation_seconds": round(time.monotonic() - start, 1)})
        return result

    def save(self) -> None:
        """Writes last.pt and resume.pt."""
        save_model(self.args.output / "last.pt", self.average.model, step=self.step)
        momentum = [
            state.get("momentum_buffer")
            for state in map(self.schedule.optimizer.state.get, self.model.parameters())
            if state
        ]
        content = {
            "step": self.step,
            "seconds": self.seconds,
            "averaged": self.average.steps,
            "momentum": [tensor.half() for tensor in momentum if tensor is not None],
        }
        save_model(self.args.output / "resume.pt", self.model, **content)

    def resume(self) -> None:
        """Goes on from resume.pt: weights, their average, momentum, step and time, but not the random state."""
        path = self.args.output / "resume.pt"
        content = checkpoint.read(path)
        checkpoint.load(self.model, checkpoint.state_dict(checkpoint.weights_of(content)), str(path))
        average = checkpoint.weights_of(checkpoint.read(self.args.output / "last.pt"))
        checkpoint.load(self.average.model, checkpoint.state_dict(average), "last.pt")
        self.step, self.seconds, self.average.steps = content["step"], content["seconds"], content["averaged"]
        for parameter, momentum in zip(self.model.parameters(), content["momentum"]):
            self.schedule.optimizer.state[parameter]["momentum_buffer"] = momentum.to(parameter)
        self.augmenter.random.manual_seed(self.args.seed + self.step)


def first_model(args: argparse.Namespace, names: list[str]) -> Yolov7:
    """The model that training starts from."""
    if args.weights:
        model = load_model(args.weights)
        if model.names != names:
            raise ValueError(f"{args.weights} knows {', '.join(model.names)}; the pictures show {', '.join(names)}")
        return model.train()
    torch.manual_seed(args.seed)
    model = Yolov7(args.model, names, width=args.width)
    model.head.set_priors()
    return model


def make_log(folder: Path, resumed: bool) -> tuple[Callable[[dict], None], contextlib.closing]:
    """A function that writes lines to log.jsonl and to the screen, and what closes the file."""
    file = (folder / "log.jsonl").open("a" if resumed else "w")

    def log(line: dict) -> None:
        print(json.dumps(line), file=file, flush=True)
        print(json.dumps(line), flush=True)

    return log, contextlib.closing(file)


def main() -> None:
    """The command line."""
    from hone_zoo.world import CLASSES, camera_pool

    parser = argparse.ArgumentParser(
        prog="python -m hone_zoo.yolov7.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    torch.backends.cudnn.benchmark = True
    log, closing = make_log(args.output, args.resume)
    with closing:
        start = time.monotonic()
        pool = camera_pool(args.pool, args.seed, args.device)
        test = camera_pool(args.test, args.test_seed, args.device)
        log(
            {
                "rendered": args.pool + args.test,
                "seconds": round(time.monotonic() - start, 1),
                "arguments": {key: str(value) for key, value in vars(args).items()},
                "torch": torch.__version__,
            }
        )
        trainer = Trainer(first_model(args, list(CLASSES)), pool, test, args, log)
        if args.resume:
            trainer.resume()
        trainer.run()
    try:
        from hone_zoo.yolov7.curves import draw
    except ImportError as error:
        print(f"no curves.png: {error}")
    else:
        draw(args.output / "log.jsonl", args.output / "curves.png")


if __name__ == "__main__":
    main()
