"""YOLOv7's training: assignment, loss, augmentation, evaluation, and that it learns."""

import argparse
import json
import math
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
    import torch
except ImportError as error:
    raise unittest.SkipTest(str(error)) from None

from hone_zoo import checkpoint
from hone_zoo.evaluate import average_precision, evaluate, match
from hone_zoo.yolov7 import loss as loss_module
from hone_zoo.yolov7.augment import Augmenter, Options, letterbox
from hone_zoo.yolov7.layers import STRIDES
from hone_zoo.yolov7.loss import Loss, ciou
from hone_zoo.yolov7.model import Yolov7
from hone_zoo.yolov7.train import Trainer, add_arguments, detect, first_model, objects_of
from hone_zoo.yolov7.weights import load_model
from torch import Tensor

torch.set_num_threads(1)
NAMES = ["lying", "standing"]
SIDE = 128


def striped_pictures(count: int, seed: int) -> dict[str, Tensor]:
    """Noise with two or three boxes on it each: class 0 striped along x, class 1 along y."""
    random = np.random.default_rng(seed)
    images = random.integers(60, 160, (count, SIDE, SIDE, 3), dtype=np.uint8)
    boxes = []
    for picture in range(count):
        for place in random.permutation(4)[: random.integers(2, 4)]:
            width, height, label = *random.integers(20, 50, 2), random.integers(2)
            x, y = (
                random.integers(0, 64 - side) + 64 * part for side, part in ((width, place % 2), (height, place // 2))
            )
            stripes = (np.indices((height, width))[label] // 3 % 2 * 255).astype(np.uint8)
            images[picture, y : y + height, x : x + width] = stripes[..., None]
            boxes.append([picture, label, x, y, x + width, y + height, 0, 0])
    return {"images": torch.from_numpy(images), "boxes": torch.tensor(boxes, dtype=torch.float32)}


def arguments(folder: str, *options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["-o", folder, "--device", "cpu", "--size", str(SIDE), str(SIDE), *options])


def slow_assignment(head: torch.nn.Module, maps: list[Tensor], targets: Tensor) -> set[tuple[int, int, int]]:
    """The rule written one picture, target and cell at a time."""
    pairs = set()
    for picture in range(len(maps[0])):
        mine = [i for i in range(len(targets)) if targets[i, 0] == picture]
        places = []  # (row, box, objectness, classes)
        for target in mine:
            start = 0
            for level, (x, stride) in enumerate(zip(maps, STRIDES)):
                height, width = x.shape[2:4]
                cx, cy = float(targets[target, 2]) / stride, float(targets[target, 3]) / stride
                for anchor in range(3):
                    size = head.anchor_grid[level, 0, anchor, 0, 0].tolist()
                    sides = [float(targets[target, 4]) / size[0], float(targets[target, 5]) / size[1]]
                    if max(*sides, 1 / sides[0], 1 / sides[1]) >= 4:
                        continue
                    cells = [(int(cx), int(cy))]
                    cells += [(int(cx) - 1, int(cy))] if cx % 1 < 0.5 and cx > 1 else []
                    cells += [(int(cx), int(cy) - 1)] if cy % 1 < 0.5 and cy > 1 else []
                    cells += [(int(cx) + 1, int(cy))] if cx % 1 > 0.5 and cx < width - 1 else []
                    cells += [(int(cx), int(cy) + 1)] if cy % 1 > 0.5 and cy < height - 1 else []
                    for column, line in cells:
                        value = x[picture, anchor, line, column].sigmoid().tolist()
                        box = [
                            (2 * value[0] - 0.5 + column) * stride,
                            (2 * value[1] - 0.5 + line) * stride,
                            (2 * value[2]) ** 2 * size[0],
                            (2 * value[3]) ** 2 * size[1],
                        ]
                        places.append((start + (anchor * height + line) * width + column, box, value[4], value[5:]))
                start += 3 * height * width
        if not places:
            continue
        overlap = np.array([[plain_iou(targets[t, 2:].tolist(), place[1]) for place in places] for t in mine])
        cost = np.zeros_like(overlap)
        for g, t in enumerate(mine):
            for c, (_, _, objectness, classes) in enumerate(places):
                scores = [math.sqrt(objectness * p) for p in classes]
                parts = [-math.log(s) if k == int(targets[t, 1]) else -math.log(1 - s) for k, s in enumerate(scores)]
                cost[g, c] = sum(parts) - 3 * math.log(overlap[g, c] + 1e-8)
        taken = np.zeros(cost.shape, bool)
        for g in range(len(mine)):
            k = max(1, int(np.sort(overlap[g])[-10:].sum()))
            taken[g, np.argsort(cost[g], kind="stable")[:k]] = True
        for c in range(len(places)):
            owners = np.flatnonzero(taken[:, c])
            if len(owners):
                pairs.add((picture, places[c][0], mine[owners[0] if len(owners) == 1 else cost[:, c].argmin()]))
    return pairs


def plain_iou(a: list[float], b: list[float]) -> float:
    sides = [
        min(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) - max(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2) for i in (0, 1)
    ]
    common = max(0.0, sides[0]) * max(0.0, sides[1])
    return common / (a[2] * a[3] + b[2] * b[3] - common)


class Assigning(unittest.TestCase):
    def setUp(self) -> None:
        self.head = Yolov7("yolov7-tiny", NAMES, width=0.125).head
        self.random = torch.Generator().manual_seed(3)

    def maps(self, batch: int) -> list[Tensor]:
        return [torch.randn(batch, 3, 64 // s, 96 // s, 7, generator=self.random) for s in STRIDES]

    def test_it_is_the_rule(self) -> None:
        for _ in range(4):
            maps = self.maps(3)
            rows = torch.rand(14, 6, generator=self.random)
            picture, label = (rows[:, 0] * 2).floor(), (rows[:, 1] * 2).floor()  # the third picture is empty
            targets = torch.stack(
                [picture, label, rows[:, 2] * 96, rows[:, 3] * 64, 6 + rows[:, 4] * 50, 6 + rows[:, 5] * 40], 1
            )
            loss = Loss(self.head)
            flat = torch.cat([x.flatten(1, 3) for x in maps], 1)
            found = loss.assign(flat, loss._grid([tuple(x.shape[2:4]) for x in maps]), targets)
            pairs = set(zip(found.picture.tolist(), found.cell.tolist(), found.target.tolist()))
            expected = slow_assignment(self.head, maps, targets)
            self.assertEqual(pairs, expected)
            self.assertGreater(len(pairs), 20)

    def test_loss_without_any_target(self) -> None:
        maps = [x.requires_grad_() for x in self.maps(2)]
        value, parts = Loss(self.head)(maps, torch.zeros(0, 6))
        self.assertEqual((float(parts["box"]), float(parts["classes"])), (0, 0))
        value.backward()
        self.assertGreater(float(maps[0].grad[..., 4].min()), 0)
        self.assertEqual(float(maps[0].grad[..., :4].abs().max()), 0)

    def test_parts_by_hand(self) -> None:
        maps = self.maps(1)
        targets = torch.tensor([[0, 1, 40.0, 30, 30, 33]])
        loss = Loss(self.head)
        grid = loss._grid([tuple(x.shape[2:4]) for x in maps])
        rows = torch.cat([x.flatten(1, 3) for x in maps], 1)
        chosen = loss.assign(rows, grid, targets)
        boxes = loss._decode(rows[0, chosen.cell], grid, chosen.cell)
        overlap = ciou(boxes, targets[:, 2:].expand_as(boxes))
        levels = grid.level[chosen.cell]
        expected = sum(float((1 - overlap[levels == i]).mean()) for i in range(3) if (levels == i).any()) * 0.05
        total, parts = loss(maps, targets)
        self.assertAlmostEqual(float(parts["box"]), expected, places=5)
        self.assertAlmostEqual(float(total), sum(float(part) for part in parts.values()), places=4)

    def test_ciou(self) -> None:
        box = torch.tensor([[10.0, 10, 4, 8]])
        self.assertAlmostEqual(float(ciou(box, box)), 1, places=5)
        moved = torch.tensor([[12.0, 10, 4, 8]])
        self.assertAlmostEqual(float(ciou(moved, box)), 1 / 3 - 4 / (36 + 64), places=5)
        self.assertEqual(loss_module.BALANCE, (4.0, 1.0, 0.4))


class Augmenting(unittest.TestCase):
    def test_boxes_follow_the_pictures(self) -> None:
        """Boxes are filled with one colour on another; in what comes out each target holds that colour up to its
        border."""
        images = torch.full((6, 60, 90, 3), 40, dtype=torch.uint8)
        boxes = []
        for i in range(6):
            x, y, w, h = 10 + 5 * i, 8 + 3 * i, 24, 20
            images[i, y : y + h, x : x + w] = torch.tensor([200, 220, 240], dtype=torch.uint8)
            boxes.append([i, i % 2, x, y, x + w, y + h, 0, 0])
        pool = {"images": images, "boxes": torch.tensor(boxes, dtype=torch.float32)}
        options = Options(size=(64, 96), mixup=0, hue=0, saturation=0, value=0, scale=(0.7, 1.4))
        pictures, targets = Augmenter(pool, options, 1).batch(12)
        self.assertEqual(list(pictures.shape), [12, 3, 64, 96])
        self.assertGreater(len(targets), 15)
        covered = torch.zeros(12, 64, 96, dtype=torch.bool)
        for picture, _, cx, cy, w, h in targets.tolist():
            x0, x1, y0, y1 = cx - w / 2, cx + w / 2, cy - h / 2, cy + h / 2
            self.assertTrue(0 <= x0 + 1e-3 and x1 <= 96.01 and 0 <= y0 + 1e-3 and y1 <= 64.01)
            inner = pictures[int(picture), :, round(y0) + 1 : round(y1) - 1, round(x0) + 1 : round(x1) - 1]
            torch.testing.assert_close(inner, (torch.tensor([200, 220, 240]) / 255)[:, None, None].expand_as(inner))
            covered[
                int(picture),
                max(0, math.floor(y0) - 1) : math.ceil(y1) + 1,
                max(0, math.floor(x0) - 1) : math.ceil(x1) + 1,
            ] = True
        bright = (pictures[:, 0] > 0.7) & ~covered
        self.assertLess(int(bright.sum()), 12 * 64 * 96 * 0.02)  # pieces that are too small to count

    def test_seeds_and_mixing(self) -> None:
        pool = striped_pictures(5, 1)
        first, second = (Augmenter(pool, Options(size=(64, 64), mixup=1), 4).batch(3) for _ in range(2))
        self.assertTrue(torch.equal(first[0], second[0]) and torch.equal(first[1], second[1]))
        single = Augmenter(pool, Options(size=(64, 64), mixup=0), 4).batch(3)
        self.assertEqual(len(first[1]), 2 * len(single[1]))

    def test_letterbox(self) -> None:
        pictures, scale, offset = letterbox(torch.full((1, 375, 1242, 3), 255, dtype=torch.uint8), (384, 1248))
        self.assertEqual((list(pictures.shape), offset, round(scale, 5)), ([1, 3, 384, 1248], (0, 3), 1.00483))
        self.assertEqual((float(pictures[0, 0, 3].min()), round(float(pictures[0, 0, 2].max()) * 255)), (1, 114))


class Evaluating(unittest.TestCase):
    def test_average_precision_by_hand(self) -> None:
        # hit, miss, hit of 4 objects: recall 1/4 at precision 1, 1/2 at 2/3; 26 and 25 of the 101 recalls
        value = average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1]), 4)
        self.assertAlmostEqual(value, (26 + 25 * 2 / 3) / 101)
        self.assertTrue(math.isnan(average_precision(np.zeros(0), np.zeros(0), 0)))
        self.assertEqual(average_precision(np.zeros(0), np.zeros(0), 3), 0)

    def test_matching(self) -> None:
        overlaps = np.array([[0.6, 0.7, 0], [0.0, 0.9, 0], [0.0, 0.0, 0.8], [0, 0, 0.7]])
        hit, skipped = match(overlaps, np.array([False, False, True]), 0.5)
        self.assertEqual((hit.tolist(), skipped.tolist()), ([True, False, False, False], [False, False, True, False]))

    def test_perfect_and_shifted(self) -> None:
        objects = [np.array([[0, 0, 10, 10, 0, 0], [20, 0, 30, 10, 1, 0.0]]), np.array([[5, 5, 25, 25, 1, 1.0]])]
        perfect = [np.array([[0, 0, 10, 10, 0.9, 0], [20, 0, 30, 10, 0.8, 1]]), np.array([[5, 5, 25, 25, 0.95, 1]])]
        result = evaluate(perfect, objects, ["a", "b", "c"])
        self.assertAlmostEqual(result["map50"], 1)
        self.assertEqual([result["classes"][name]["objects"] for name in "abc"], [1, 1, 0])
        shifted = [rows + np.array([1, 0, 1, 0, 0, 0]) for rows in perfect]  # IoU 9/11: seven thresholds hold
        result = evaluate(shifted, objects, ["a", "b", "c"])
        self.assertAlmostEqual(result["map50"], 1)
        self.assertAlmostEqual(result["map"], 0.7)


class Learning(unittest.TestCase):
    def test_eight_pictures_are_learnt(self) -> None:
        pool = striped_pictures(8, 5)
        test = pool | {"size": (SIDE, SIDE)}
        lines: list[dict] = []
        with tempfile.TemporaryDirectory() as folder:
            options = [
                "--width",
                "0.25",
                "--batch",
                "8",
                "--steps",
                "220",
                "--mosaic",
                "0",
                "--scale",
                "1",
                "1",
                "--lr",
                "0.05",
                "--final-lr",
                "0.2",
                "--warmup",
                "0.1",
            ]
            args = arguments(folder, *options, "--ema", "0.95", "--evaluate", "0.5")
            result = Trainer(first_model(args, NAMES), pool, test, args, lines.append).run()
            self.assertGreater(result["map50"], 0.9, lines)
            again = detect(load_model(Path(folder) / "last.pt"), pool["images"], (SIDE, SIDE))
            again = evaluate(again, objects_of(test, 2), NAMES)
            self.assertAlmostEqual(again["map50"], result["map50"], delta=0.03)
        losses = [line["box"] for line in lines if "box" in line]
        self.assertLess(losses[-1], 0.6 * losses[0])

    def test_cut_off_and_resumed(self) -> None:
        pool = striped_pictures(4, 6)
        test = pool | {"size": (SIDE, SIDE)}
        with tempfile.TemporaryDirectory() as folder:
            options = ["--width", "0.125", "--batch", "4", "--steps", "6"]
            args = arguments(folder, *options)
            first = Trainer(first_model(args, NAMES), pool, test, args, lambda line: None)
            for _ in range(4):
                first.train_step()
                first.step += 1
            first.save()
            second = Trainer(first_model(args, NAMES), pool, test, args, lambda line: None)
            second.resume()
            self.assertEqual((second.step, second.average.steps), (4, 4))
            for name, tensor in second.model.state_dict().items():
                torch.testing.assert_close(tensor, first.model.state_dict()[name], rtol=1e-3, atol=1e-4, msg=name)
            momenta = [
                trainer.schedule.optimizer.state[trainer.model.model[9].conv.weight]["momentum_buffer"]
                for trainer in (first, second)
            ]
            torch.testing.assert_close(momenta[1], momenta[0], rtol=1e-3, atol=1e-4)
            second.run()
            self.assertEqual(second.step, 6)
            self.assertEqual(checkpoint.read(Path(folder) / "last.pt")["step"], 6)
            json.dumps(checkpoint.read(Path(folder) / "last.pt")["names"])


if __name__ == "__main__":
    unittest.main()
