"""DSVT's targets, losses, batches and schedule, and a tiny training that finds its boxes again."""

import dataclasses
import contextlib
import io
import json
import math
import pathlib
import tempfile
import unittest

import numpy as np
import torch
from torch import nn

import dsvt_reference as reference
from dsvt_small import SMALL, box_surface, ground, small_config
from hone_zoo import checkpoint
from hone_zoo.dsvt import train
from hone_zoo.dsvt.boxes import iou_3d
from hone_zoo.dsvt.data import IGNORED, augment, make_pool, segments, take, transform
from hone_zoo.dsvt.decode import cell_boxes, decode
from hone_zoo.dsvt.evaluate import pool_precision
from hone_zoo.dsvt.loss import heat_loss, losses
from hone_zoo.dsvt.model import Detector, load_weights, random_detector
from hone_zoo.dsvt.schedule import Clock, one_cycle
from hone_zoo.dsvt.targets import assign, gaussian_radius

# Class, x, y, z, length, width, height, yaw of each sweep's objects.
SCENES = [
    [(0, 6.0, 2.0, -0.95, 3.9, 1.6, 1.5, 0.5), (1, 12.0, -4.0, -0.85, 0.8, 0.6, 1.7, 1.0)],
    [(0, 14.0, 4.0, -0.95, 4.2, 1.7, 1.6, -1.2), (2, 8.0, -3.0, -0.85, 1.8, 0.6, 1.7, 2.4)],
    [(0, 10.0, -6.0, -0.95, 3.6, 1.6, 1.5, 3.0), (2, 15.0, 1.0, -0.85, 1.7, 0.6, 1.7, 0.2),
     (1, 5.0, 5.0, -0.85, 0.9, 0.7, 1.75, 0.0)],
    [(0, 9.0, 0.0, -0.95, 3.9, 1.6, 1.5, 1.57), (0, 13.5, 0.0, -0.95, 3.9, 1.6, 1.5, 1.4)],
]  # fmt: skip
BOXES = torch.tensor([[i, *box] for i, scene in enumerate(SCENES) for box in scene])


def make_clouds(seed):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.cat([ground(150, generator), *(box_surface(list(box[1:]), 80, generator) for box in scene)])
        for scene in SCENES
    ]


def pool_of(clouds, boxes=BOXES):
    offsets = torch.tensor([0, *np.cumsum([len(cloud) for cloud in clouds])])
    return make_pool(torch.cat(clouds), offsets, boxes)


class TargetsTest(unittest.TestCase):
    def setUp(self):
        self.config = small_config()

    def test_heat_is_the_largest_gaussian(self):
        """Drawn cell by cell, for boxes that overlap and stick out of the map."""
        rng = np.random.default_rng(1)
        boxes = np.zeros((40, 9))
        boxes[:, 0], boxes[:, 1] = rng.integers(0, 2, 40), rng.integers(0, 3, 40)
        boxes[:, 2:5] = rng.uniform([0, -10.2, -2], [20.4, 10.2, 0], (40, 3))
        boxes[:, 5:8] = rng.uniform(0.3, 9, (40, 3))
        targets = assign(torch.tensor(boxes, dtype=torch.float32), 2, self.config)
        expected = np.zeros((2, 3, 64, 64))
        for frame, label, x, y, _, length, width, *_ in boxes:
            size = torch.tensor([length / 0.32]), torch.tensor([width / 0.32])
            radius = max(2, int(gaussian_radius(*size, self.config.targets.overlap)))
            cx, cy = int(x / 0.32), int((y + 10.24) / 0.32)
            for j in range(max(0, cy - radius), min(64, cy + radius + 1)):
                for i in range(max(0, cx - radius), min(64, cx + radius + 1)):
                    value = math.exp(-((i - cx) ** 2 + (j - cy) ** 2) / (2 * ((2 * radius + 1) / 6) ** 2))
                    cell = expected[int(frame), int(label)]
                    cell[j, i] = max(cell[j, i], value)
        np.testing.assert_allclose(targets.heat.numpy(), expected, atol=1e-5)
        self.assertEqual(
            int((targets.heat == 1).sum()),
            len({(*box[:2], int(box[2] / 0.32), int((box[3] + 10.24) / 0.32)) for box in boxes}),
        )

    def test_radius_is_centernet_s(self):
        """Its smallest root for a car of 12 x 5 cells, by hand."""
        length, width, overlap = 12.0, 5.0, 0.1
        b, c = 2 * overlap * (length + width), (1 - overlap) * length * width
        expected = (-b + math.sqrt(b * b + 16 * overlap * c)) / 2
        found = gaussian_radius(torch.tensor([length]), torch.tensor([width]), overlap)
        self.assertAlmostEqual(float(found), expected, places=4)

    def test_decoding_the_targets_gives_the_boxes(self):
        targets = assign(BOXES, 4, self.config)
        maps = {"hm": 20 * targets.heat - 10, "iou": torch.ones(4, 1, 64, 64)}
        start = 0
        for name, channels in (("center", 2), ("center_z", 1), ("dim", 3), ("rot", 2)):
            maps[name] = torch.zeros(4, channels, 64, 64)
            y, x = targets.cell // 64, targets.cell % 64
            maps[name][targets.frame, :, y, x] = targets.values[:, start : start + channels]
            start += channels
        settings = dataclasses.replace(self.config.decode, score_threshold=0.999)
        for frame, found in enumerate(decode(maps, dataclasses.replace(self.config, decode=settings))):
            expected = BOXES[BOXES[:, 0] == frame]
            order = expected[:, 1].argsort(stable=True)
            self.assertEqual(found.classes.tolist(), expected[order, 1].tolist())
            for box in expected[:, 2:]:
                self.assertGreater(float(iou_3d(box[None], found.boxes).max()), 0.999)

    def test_what_is_left_out(self):
        boxes = BOXES[:1].repeat(4, 1)
        boxes[1, 1], boxes[2, 2], boxes[3, 3] = 3, 20.6, -10.3  # class, x, y
        boxes = torch.cat([boxes, boxes[:1]])
        boxes[4, 1] = IGNORED
        self.assertEqual(len(assign(boxes, 1, self.config).cell), 1)
        nothing = assign(boxes[:0], 2, self.config)
        self.assertEqual((float(nothing.heat.max()), len(nothing.cell)), (0, 0))


class LossTest(unittest.TestCase):
    def setUp(self):
        self.config = small_config()
        generator = torch.Generator().manual_seed(2)
        self.targets = assign(BOXES, 4, self.config)
        channels = {"center": 2, "center_z": 1, "dim": 3, "rot": 2, "iou": 1, "hm": 3}
        self.maps = {name: 0.3 * torch.randn(4, c, 64, 64, generator=generator) for name, c in channels.items()}

    def test_heat(self):
        logits, heat = self.maps["hm"].double().numpy(), self.targets.heat.double().numpy()
        p = 1 / (1 + np.exp(-logits))
        each = np.where(heat == 1, (1 - p) ** 2 * np.log(p), p**2 * (1 - heat) ** 4 * np.log(1 - p))
        self.assertAlmostEqual(float(heat_loss(self.maps["hm"], self.targets.heat)), -each.sum() / len(BOXES), places=2)

    def test_boxes_and_iou(self):
        parts = losses(self.maps, self.targets, self.config)
        values = torch.cat([self.maps[n] for n in ("center", "center_z", "dim", "rot")], 1).flatten(2)
        total, off = 0.0, 0.0
        found = cell_boxes(self.maps, self.targets.frame, self.targets.cell, self.config)
        for i, (frame, cell) in enumerate(zip(self.targets.frame, self.targets.cell)):
            total += float((values[frame, :, cell] - self.targets.values[i]).abs().sum())
            box, true = found[i].double().numpy(), self.targets.boxes[i].double().numpy()
            common = reference.clip_area(reference.corners(box), reference.corners(true))
            high = min(box[2] + box[5] / 2, true[2] + true[5] / 2) - max(box[2] - box[5] / 2, true[2] - true[5] / 2)
            common *= max(0.0, high)
            iou = common / (box[3:6].prod() + true[3:6].prod() - common)
            off += abs(float(self.maps["iou"].flatten(2)[frame, 0, cell]) - (2 * iou - 1))
        self.assertAlmostEqual(float(parts["box"]), 2 * total / len(BOXES), places=3)
        self.assertAlmostEqual(float(parts["iou"]), off / len(BOXES), places=3)

    def test_without_objects_and_without_iou(self):
        nothing = assign(BOXES[:0], 4, self.config)
        parts = losses({n: m.requires_grad_() for n, m in self.maps.items()}, nothing, self.config)
        self.assertEqual([parts[n].item() for n in ("box", "iou", "iou_regression")], [0, 0, 0])
        sum(parts.values()).backward()
        plain = dataclasses.replace(self.config, loss=dataclasses.replace(self.config.loss, iou_regression=0.0))
        self.maps.pop("iou")
        self.assertEqual(list(losses(self.maps, self.targets, plain)), ["heat", "box"])

    def test_perfect_maps_cost_little(self):
        y, x = self.targets.cell // 64, self.targets.cell % 64
        start = 0
        for name, channels in (("center", 2), ("center_z", 1), ("dim", 3), ("rot", 2)):
            self.maps[name][self.targets.frame, :, y, x] = self.targets.values[:, start : start + channels]
            start += channels
        self.maps["iou"].fill_(1.0)
        parts = losses(self.maps, self.targets, self.config)
        for name in ("box", "iou", "iou_regression"):
            self.assertLess(float(parts[name]), 1e-3, name)


class DataTest(unittest.TestCase):
    def setUp(self):
        self.clouds = make_clouds(3)
        self.pool = pool_of(self.clouds, BOXES[torch.randperm(len(BOXES))])

    def test_take(self):
        batch = take(self.pool, torch.tensor([2, 0, 2]))
        for frame, sweep in enumerate((2, 0, 2)):
            self.assertTrue(torch.equal(batch.points[batch.frame == frame], self.clouds[sweep]))
            mine, expected = batch.boxes[batch.boxes[:, 0] == frame], BOXES[BOXES[:, 0] == sweep]
            self.assertEqual(sorted(mine[:, 1:].tolist()), sorted(expected[:, 1:].tolist()))

    def test_segments_that_are_empty(self):
        rows, owner = segments(torch.tensor([0, 2, 2, 5]), torch.tensor([1, 2, 0, 1]))
        self.assertEqual((rows.tolist(), owner.tolist()), ([2, 3, 4, 0, 1], [1, 1, 1, 2, 2]))

    def test_boxes_stay_on_their_points(self):
        """After any turn, scaling and mirroring, boxes grown by 1 % hold the points they held."""
        batch = take(self.pool, torch.arange(4))

        def held(batch):
            counts = []
            for box in batch.boxes.double():
                x, y, z = (batch.points[batch.frame == box[0], :3] - box[2:5]).unbind(1)
                local = torch.stack([x * box[8].cos() + y * box[8].sin(), y * box[8].cos() - x * box[8].sin(), z], 1)
                counts.append(int((local.abs() <= 1.01 * box[5:8] / 2).all(1).sum()))
            return counts

        angle, scale = torch.tensor([0.7, -2.0, 0.0, 3.0]), torch.tensor([0.95, 1.0, 1.05, 1.2])
        mirror = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0]])
        moved = transform(batch, angle, scale, mirror)
        self.assertEqual(held(moved), held(batch))
        self.assertGreaterEqual(min(held(batch)), 80)
        self.assertTrue(torch.equal(moved.points[:, 3], batch.points[:, 3]))
        self.assertGreater(float((moved.points[:, 0] - batch.points[:, 0]).abs().max()), 1)

    def test_augment_keeps_to_its_settings(self):
        settings = dataclasses.replace(
            small_config().training, rotation=0.5, scaling=[0.9, 1.1], flip_x=False, flip_y=True
        )
        point = torch.tensor([[10.0, 0.0, 1.0, 0.5]])
        batch = take(pool_of([point] * 400, BOXES[:0]), torch.arange(400))
        x, y, z, _ = augment(batch, 400, settings).points.unbind(1)
        angle = torch.atan2(y, x)
        self.assertLessEqual(float(angle.abs().max()), 0.501)
        self.assertGreater(float(angle.max() - angle.min()), 0.9)
        self.assertTrue(((z >= 0.899) & (z <= 1.101)).all())
        self.assertTrue((x > 0).all(), "no mirrored x")


class ScheduleTest(unittest.TestCase):
    def test_one_cycle(self):
        rates = [one_cycle(i / 1000, 0.1)[0] for i in range(1001)]
        self.assertAlmostEqual(rates[0], 0.01)
        self.assertAlmostEqual(rates[100], 1.0)
        self.assertAlmostEqual(rates[-1], 1e-4)
        self.assertEqual(rates, sorted(rates[:101]) + sorted(rates[101:], reverse=True))
        self.assertEqual([round(one_cycle(p, 0.1)[1], 4) for p in (0, 0.1, 1)], [0.95, 0.85, 0.95])

    def run_clock(self, seconds, step_seconds):
        now = [0.0]
        clock = Clock(seconds, window=20, now=lambda: now[0])
        history = []
        while not clock.done():
            now[0] += step_seconds(clock.step)
            history.append(clock.tick())
        return now[0], history

    def test_it_ends_in_time_however_fast_steps_are(self):
        for name, speed in {
            "even": lambda i: 0.1, "slow start": lambda i: 3.0 if i < 10 else 0.1, "slower": lambda i: 0.05 + i * 1e-4,
            "faster": lambda i: 0.4 if i < 500 else 0.05, "slow": lambda i: 4.0,
        }.items():  # fmt: skip
            with self.subTest(name):
                spent, history = self.run_clock(300.0, speed)
                self.assertLess(abs(spent - 300), 6)
                self.assertGreater(history[-1], 0.93)
                self.assertEqual(history, sorted(history))
                self.assertLessEqual(history[-1], 1 + 1e-6)

    def test_progress_is_even(self):
        _, history = self.run_clock(300.0, lambda step: 0.1)
        for part in (0.25, 0.5, 0.75):
            self.assertAlmostEqual(history[int(3000 * part)], part, delta=0.02)

    def test_steps(self):
        clock = Clock(steps=4)
        self.assertEqual([clock.tick() for _ in range(4)], [0.25, 0.5, 0.75, 1.0])
        self.assertTrue(clock.done())


class TrainingTest(unittest.TestCase):
    def test_boxes_are_found_again(self):
        """60 steps on four sweeps: targets, losses and decoding agree with each other."""
        config = small_config()
        still = dataclasses.replace(config.training, rotation=0.0, flip_y=False, scaling=[1.0, 1.0])
        fewer = dataclasses.replace(config.transformer, blocks=2)
        config = dataclasses.replace(config, training=still, transformer=fewer)
        torch.manual_seed(0)
        detector = Detector(config)
        for module in detector.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.momentum = 0.2  # the statistics must follow in 60 steps
        clouds = make_clouds(1)
        pool = pool_of(clouds)
        entries = []
        train.Trainer(detector, pool, config, 4).run(Clock(steps=60), entries.append)
        self.assertLess(entries[-1]["heat"], entries[0]["heat"] / 5)
        detector.eval()
        for scene, found in zip(SCENES, detector.detect(clouds)):
            for label, *box in scene:
                mine = found.boxes[found.classes == label]
                self.assertGreater(len(mine), 0)
                self.assertGreater(float(iou_3d(torch.tensor([box]), mine).max()), 0.5)
        precision = pool_precision(detector, pool, 3)
        self.assertEqual(set(precision), {"Car", "Pedestrian", "Cyclist"})
        self.assertGreater(precision["Car"], 5)

    def test_script(self):
        """Log, weights in 16 bit that load again, a second leg, and a step that must not spoil the weights."""
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder)
            common = [
                "--config",
                str(SMALL),
                "--steps",
                "20",
                "--validation",
                "4",
                "--device",
                "cpu",
                "--batch",
                "2",
                "--sweeps",
                "4",
            ]
            pools = lambda count, seed, device: pool_of(make_clouds(seed))  # noqa: E731
            with contextlib.redirect_stdout(io.StringIO()):
                train.main([*common, "--out", str(out / "a")], pools)
                train.main(
                    [*common, "--out", str(out / "b"), "--resume", str(out / "a/weights.pt"), "--rate", "1e-9"], pools
                )
            entries = [json.loads(line) for line in (out / "a/log.jsonl").read_text().splitlines()]
            self.assertEqual(entries[0]["boxes"], {"Car": 5, "Pedestrian": 2, "Cyclist": 2})
            self.assertEqual([e["step"] for e in entries if "rate" in e], [20])
            self.assertIn("Car", entries[-1]["validation"])
            saved = checkpoint.read(out / "a/weights.pt")
            self.assertEqual(saved["config"]["classes"], ["Car", "Pedestrian", "Cyclist"])
            state = saved["model_state"]
            self.assertEqual(state["dense_head.shared_conv.0.weight"].dtype, torch.float16)
            self.assertEqual(state["vfe.pfn_layers.0.norm.running_var"].dtype, torch.float32)
            detector = Detector(small_config())
            load_weights(detector, out / "a/weights.pt")
            second = checkpoint.read(out / "b/weights.pt")["model_state"]
            name = "backbone_2d.blocks.1.0.conv1.weight"
            self.assertTrue(torch.allclose(second[name].float(), detector.state_dict()[name], atol=1e-4))

    def test_a_step_that_is_not_finite_changes_nothing(self):
        config = small_config()
        broken = dataclasses.replace(config, loss=dataclasses.replace(config.loss, box=float("nan")))
        detector = random_detector(config, 5).train()
        trainer = train.Trainer(detector, pool_of(make_clouds(2)), broken, 4)
        trainer.set_progress(0.5)
        before = [p.detach().clone() for p in detector.parameters()]
        shared = detector.dense_head.shared_conv[0].weight.clone()
        trainer.step()
        self.assertTrue(all(torch.equal(p, old) for p, old in zip(detector.parameters(), before)))
        trainer.config = config
        trainer.step()
        self.assertFalse(torch.equal(detector.dense_head.shared_conv[0].weight, shared))

    def test_too_few_sweeps(self):
        with self.assertRaisesRegex(ValueError, "batch of 9"):
            train.Trainer(Detector(small_config()), pool_of(make_clouds(1)), small_config(), 9)


if __name__ == "__main__":
    unittest.main()
