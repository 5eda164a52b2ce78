"""Rotated overlap, suppression and decoding against slow references."""

import dataclasses
import math
import unittest

import numpy as np
import torch

import dsvt_reference as reference
from dsvt_small import small_config
from hone_zoo.dsvt.boxes import corners_bev, intersection_bev, iou_3d, iou_bev, nms
from hone_zoo.dsvt.decode import decode

CAR = [10.0, 5.0, -1.0, 4.5, 1.9, 1.6, 0.7]


def moved(box, along, sideways):
    """A box shifted along its heading and to its left."""
    cos, sin = math.cos(box[6]), math.sin(box[6])
    return [box[0] + along * cos - sideways * sin, box[1] + along * sin + sideways * cos, *box[2:]]


def random_boxes(rng, count):
    """Boxes near each other: random, thin, tiny, equal, touching, turned by right angles."""
    boxes = np.zeros((count, 7))
    boxes[:, :3] = rng.normal(0, 1.5, (count, 3))
    boxes[:, 3:6] = rng.choice([0.02, 0.5, 1.0, 2.0, 5.0], (count, 3)) * rng.choice(
        [1.0, rng.random() + 0.5], (count, 3)
    )
    boxes[:, 6] = rng.choice([0, math.pi / 2, math.pi, 0.3], count) + rng.choice([0, 1], count) * rng.uniform(
        -4, 4, count
    )
    boxes[::5, :2] = np.round(boxes[::5, :2])
    return boxes


class OverlapTest(unittest.TestCase):
    def test_random_pairs(self):
        rng = np.random.default_rng(1)
        a, b = random_boxes(rng, 4000), random_boxes(rng, 4000)
        b[:200] = a[:200]  # equal
        b[200:400, [0, 1, 3, 4]] = a[200:400, [0, 1, 3, 4]]  # concentric, another yaw
        b[400:600] = a[400:600] + 1e-9
        b[600:800] = [moved(box, box[3], 0) for box in a[600:800]]  # touching
        found = intersection_bev(torch.from_numpy(a), torch.from_numpy(b)).numpy()
        expected = np.array([reference.clip_area(reference.corners(p), reference.corners(q)) for p, q in zip(a, b)])
        self.assertGreater((expected > 0.01).sum(), 1000)
        np.testing.assert_allclose(found, expected, atol=1e-9)
        single = intersection_bev(torch.from_numpy(a).float(), torch.from_numpy(b).float()).numpy()
        np.testing.assert_allclose(single, expected, atol=1e-4)

    def test_known_values(self):
        a = torch.tensor(CAR, dtype=torch.float64)
        cases = {(0, 0): 1, (0.5, 0): 4.0 / 5.0, (0, 0.5): 1.4 / 2.4, (4.5, 0): 0, (9, 0): 0}
        for (along, sideways), expected in cases.items():
            b = torch.tensor(moved(CAR, along, sideways), dtype=torch.float64)
            self.assertAlmostEqual(float(iou_bev(a, b)), expected, places=9)
            self.assertAlmostEqual(float(iou_3d(a, b)), expected, places=9)
        raised = a + torch.tensor([0, 0, 0.8, 0, 0, 0, 0], dtype=torch.float64)
        self.assertAlmostEqual(float(iou_3d(a, raised)), 0.8 / 2.4, places=9)
        self.assertAlmostEqual(float(iou_3d(a, raised + torch.tensor([0, 0, 1, 0, 0, 0, 0]))), 0)

    def test_turning_by_half_a_turn_changes_nothing(self):
        a, b = torch.tensor(CAR), torch.tensor([10.3, 5.5, -1.0, 4.2, 1.7, 1.5, 0.4])
        turned = b + torch.tensor([0, 0, 0, 0, 0, 0, math.pi])
        self.assertAlmostEqual(float(iou_bev(a, b)), float(iou_bev(a, turned)), places=5)

    def test_gradients_are_finite_for_equal_boxes(self):
        a = torch.tensor([[*CAR[:6], 0.0], CAR], requires_grad=True)
        iou_3d(a, a.detach()).sum().backward()
        self.assertTrue(torch.isfinite(a.grad).all())

    def test_gradient(self):
        generator = torch.Generator().manual_seed(2)
        a = torch.tensor([CAR], dtype=torch.float64) + 0.3 * torch.randn(
            20, 7, generator=generator, dtype=torch.float64
        )
        b = torch.tensor([CAR], dtype=torch.float64).expand(20, 7)
        self.assertTrue(torch.autograd.gradcheck(lambda x: iou_3d(x, b), a.requires_grad_()))

    def test_corners_are_counterclockwise(self):
        (corners,) = corners_bev(torch.tensor([[1.0, 2.0, 0.0, 4.0, 2.0, 1.0, math.pi / 2]])).tolist()
        np.testing.assert_allclose(corners, [[0, 4], [0, 0], [2, 0], [2, 4]], atol=1e-6)


class SuppressionTest(unittest.TestCase):
    def test_against_reference(self):
        rng = np.random.default_rng(3)
        for threshold in (0.1, 0.5, 0.7):
            boxes = random_boxes(rng, 150)
            boxes[100:] = boxes[:50] + rng.normal(0, 0.05, (50, 7))
            boxes[:, 3:6] = boxes[:, 3:6].clip(0.3)
            scores = rng.random(150)
            kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).tolist()
            self.assertEqual(kept, reference.nms(boxes, scores, threshold))
            self.assertLess(len(kept), 130)
            swapped = boxes[:, [0, 1, 2, 4, 3, 5, 6]]
            published = nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold, "dsvt").tolist()
            self.assertEqual(published, reference.nms(swapped, scores, threshold))
            self.assertNotEqual(published, kept)

    def test_two_geometries_at_known_cases(self):
        """(along, sideways, IoU threshold): whether the second box survives, truly and as published."""
        cases = [
            (0.5, 0.0, 0.7, False, True), (0.0, 0.5, 0.7, True, False), (0.0, 2.5, 0.2, True, False),
            (0.0, 2.5, 0.3, True, True), (3.0, 0.0, 0.15, False, True),
        ]  # fmt: skip
        for along, sideways, threshold, truly, published in cases:
            boxes = torch.tensor([CAR, moved(CAR, along, sideways)])
            scores = torch.tensor([0.9, 0.8])
            for geometry, survives in (("geometric", truly), ("dsvt", published)):
                with self.subTest(along=along, sideways=sideways, geometry=geometry):
                    self.assertEqual(len(nms(boxes, scores, threshold, geometry)), 1 + survives)

    def test_limits_and_ties(self):
        boxes = torch.tensor([moved(CAR, 10 * i, 0) for i in range(6)])
        scores = torch.tensor([0.5, 0.9, 0.5, 0.1, 0.7, 0.5])
        self.assertEqual(nms(boxes, scores, 0.5).tolist(), [1, 4, 0, 2, 5, 3])
        self.assertEqual(nms(boxes, scores, 0.5, before=4, after=3).tolist(), [1, 4, 0])
        self.assertEqual(nms(boxes[:0], scores[:0], 0.5).tolist(), [])

    def test_a_suppressed_box_suppresses_nothing(self):
        boxes = torch.tensor([CAR, moved(CAR, 1.2, 0), moved(CAR, 2.4, 0)])
        self.assertEqual(nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5).tolist(), [0, 2])


class DecodeTest(unittest.TestCase):
    def setUp(self):
        self.config = small_config()
        generator = torch.Generator().manual_seed(4)
        channels = {"center": 2, "center_z": 1, "dim": 3, "rot": 2, "iou": 1, "hm": 3}
        self.maps = {name: torch.randn(2, c, 16, 12, generator=generator) for name, c in channels.items()}
        self.maps["hm"] -= 1

    def with_settings(self, **settings):
        return dataclasses.replace(self.config, decode=dataclasses.replace(self.config.decode, **settings))

    def test_against_reference(self):
        cases = ({}, {"top": 40}, {"score_threshold": 0.5}, {"centre_range": [1.0, -9.0, -0.5, 3.0, -8.0, 0.5]})
        for settings in cases:
            config = self.with_settings(nms_thresholds=[1.0] * 3, iou_powers=[0.68, 0.3, 0.0], **settings)
            for frame, found in enumerate(decode(self.maps, config)):
                maps = {name: values[frame].double().numpy() for name, values in self.maps.items()}
                expected = reference.decode(maps, config)
                self.assertGreater(len(expected), 3)
                expected.sort(key=lambda row: (row[2], -row[1]))
                self.assertEqual(found.classes.tolist(), [row[2] for row in expected])
                np.testing.assert_allclose(found.scores, [row[1] for row in expected], atol=1e-5)
                np.testing.assert_allclose(found.boxes, [row[0] for row in expected], atol=1e-4)

    def test_threshold_is_on_the_heat(self):
        """Rectified scores may be below it, and a heat equal to it is out."""
        maps = {name: torch.zeros(1, values.shape[1], 4, 4) for name, values in self.maps.items()}
        maps["hm"].fill_(-9.0)
        maps["hm"][0, 0, 1, 1], maps["hm"][0, 1, 3, 2] = 0.0, math.log(3)
        maps["iou"].fill_(-0.98)
        (found,) = decode(maps, self.with_settings(score_threshold=0.5))
        self.assertEqual(found.classes.tolist(), [1])
        self.assertLess(float(found.scores), 0.1)
        self.assertAlmostEqual(float(found.scores), 0.75**0.29 * 0.01**0.71, places=5)
        self.assertAlmostEqual(float(found.boxes[0, 0]), 2 * 0.32, places=5, msg="no half cell is added")

    def test_neighbouring_cells_both_count(self):
        """There is no maximum pooling on the heat; only the boxes' overlap suppresses."""
        maps = {name: torch.zeros(1, values.shape[1], 4, 4) for name, values in self.maps.items()}
        maps["dim"].fill_(math.log(0.2))
        maps["hm"].fill_(-9.0)
        maps["hm"][0, 0, 1, 1:3] = 2.0
        (found,) = decode(maps, self.config)
        self.assertEqual(len(found.boxes), 2)

    def test_without_iou_branch(self):
        self.maps.pop("iou")
        for found in decode(self.maps, self.with_settings(score_threshold=0.3)):
            self.assertGreater(float(found.scores.min()), 0.3)


if __name__ == "__main__":
    unittest.main()
