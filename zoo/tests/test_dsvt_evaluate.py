"""KITTI's average precision, files and coordinates."""

import contextlib
import io
import json
import math
import pathlib
import tempfile
import unittest

import numpy as np
import torch

import dsvt_reference as reference
from dsvt_small import SMALL
from hone_zoo.dsvt import evaluate, kitti
from hone_zoo.dsvt.kitti_ap import (DIFFICULTIES, LOOSE_OVERLAPS, Objects, average_precision, count, detection_flags,
                                    label_flags, make_frame, overlaps)  # fmt: skip

CALIBRATION = """P0: 721.5 0 609.6 0 0 721.5 172.9 0 0 0 1 0
P1: 721.5 0 609.6 -387.6 0 721.5 172.9 0 0 0 1 0
P2: 721.5377 0 609.5593 44.85728 0 721.5377 172.854 0.2163791 0 0 1 0.002745884
P3: 721.5 0 609.6 -339.5 0 721.5 172.9 2.2 0 0 1 0.0027
R0_rect: 0.9999239 0.00983776 -0.007445048 -0.009869795 0.9999421 -0.004278459 0.007402527 0.004351614 0.9999631
Tr_velo_to_cam: 0.007533745 -0.9999714 -0.000616602 -0.00406977 0.01480249 0.000728073 -0.9998902 -0.0763162 \
0.9998621 0.00752379 0.01480755 -0.2717806
Tr_imu_to_velo: 1 0 0 0 0 1 0 0 0 0 1 0
"""


def objects(rows):
    """Objects of rows (name, truncation, occlusion, alpha, box 4, size 3, location 3, yaw, score)."""
    table = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 15)
    return Objects(
        [row[0] for row in rows], *table[:, :3].T, table[:, 3:7], table[:, 7:10], table[:, 10:13], *table[:, 13:].T
    )


def cars(count, height=50.0, first=0, name="Car"):
    """Frames with one object each, at different places."""
    sizes = (1.5, 1.6, 3.9)
    return [
        objects(
            [
                (
                    name,
                    0,
                    0,
                    0.1 * i,
                    100,
                    100,
                    180,
                    100 + height,
                    *sizes,
                    1.0 + i,
                    1.6,
                    20.0 + i,
                    0.3 * i,
                    0.9 - 0.001 * i,
                )
            ]
        )
        for i in range(first, first + count)
    ]


def one_frame():
    """A published example of an evaluator's test (MMDetection3D's test_do_eval), in its numbers."""
    boxes = [
        (674.9179, 165.48549, 693.23694, 193.42134), (676.21954, 165.70988, 691.63745, 193.83748),
        (389.4093, 182.48041, 421.49072, 202.13422), (232.0577, 186.16724, 301.94623, 217.4024),
        (758.6537, 172.98509, 816.32434, 212.76743), (532.37, 176.35, 542.68, 185.27), (559.62, 175.83, 575.4, 183.15),
    ]  # fmt: skip
    nowhere = (-1, -1, -1, -1000, -1000, -1000, -10, 0)
    # The example's sizes are length, height, width.
    labels = [
        ("Pedestrian", 0, 0, -1.57, *boxes[0], 2.85, 2.63, 12.34, 0.47, 1.49, 69.44, -1.56, 0),
        ("Cyclist", 0, 0, 1.85, *boxes[1], 1.67, 1.87, 3.69, -16.53, 2.39, 58.49, 1.57, 0),
        ("Car", 0, 3, -1.65, *boxes[2], 1.86, 0.6, 2.02, 4.59, 1.32, 45.84, -1.55, 0),
        ("Car", -1, -1, -10, *boxes[3], *nowhere), ("Car", -1, -1, -10, *boxes[4], *nowhere),
        ("DontCare", -1, -1, -10, *boxes[5], *nowhere), ("DontCare", -1, -1, -10, *boxes[6], *nowhere),
    ]  # fmt: skip
    found = [
        (
            "Pedestrian",
            1.0744612,
            (1.7450154, 0.53160036, 1.4441837),
            (4.6671643, 1.285098, 45.836895),
            1.174933,
            0.18151495,
        ),
        (
            "Cyclist",
            1.2775835,
            (1.7540325, 0.5162356, 1.6501029),
            (4.658241, 1.3088846, 45.85148),
            1.3778262,
            0.57920843,
        ),
        ("Car", 1.82563, (1.4899347, 1.5655756, 3.9313498), (-16.598526, 2.298814, 58.618088), 1.550529, 0.27795696),
        ("Car", 2.1145396, (1.5350999, 1.585221, 4.0111866), (-18.629122, 2.2990575, 39.305355), 1.6742425, 0.23100418),
        (
            "Car",
            -1.7676563,
            (1.5117968, 1.5515774, 3.7337692),
            (7.0964046, 1.5178275, 29.32426),
            -1.5330327,
            0.21541929,
        ),
    ]
    rows = [
        (n, 0, 0, alpha, *box, *size, *place, yaw, score)
        for (n, alpha, size, place, yaw, score), box in zip(found, boxes)
    ]
    return objects(labels), objects(rows)


class GoldenTest(unittest.TestCase):
    def test_perfect_detections(self):
        """With few labels even these don't give 100."""
        expected = {1: (9.0909, 0), 2: (9.0909, 2.5), 5: (18.1818, 10), 10: (27.2727, 22.5), 20: (45.4545, 47.5),
                    39: (90.9091, 95), 40: (90.9091, 97.5), 41: (100, 100), 60: (100, 100)}  # fmt: skip
        for number, values in expected.items():
            frames = [(frame, frame) for frame in cars(number)]
            result = average_precision(frames)["Car"]
            for metric in ("bbox", "bev", "3d", "aos"):
                for difficulty in DIFFICULTIES:
                    found = result[metric][difficulty]
                    self.assertAlmostEqual(found["R11"], values[0], places=3, msg=f"{number} {metric} {difficulty}")
                    self.assertAlmostEqual(found["R40"], values[1], places=3, msg=f"{number} {metric} {difficulty}")

    def test_published_frame(self):
        for limits in (None, LOOSE_OVERLAPS):
            result = average_precision([one_frame()], **({"min_overlaps": limits} if limits else {}))
            aos = {"Pedestrian": 0.55020816, "Cyclist": 8.36633862, "Car": 8.63476893}
            for name, similarity in aos.items():
                for difficulty in ("moderate", "hard"):
                    self.assertAlmostEqual(result[name]["bbox"][difficulty]["R11"], 9.09090909, places=6)
                    self.assertAlmostEqual(result[name]["bbox"][difficulty]["R40"], 2.5 * (name == "Car"), places=6)
                    self.assertAlmostEqual(result[name]["aos"][difficulty]["R11"], similarity, places=6)
                    self.assertEqual(result[name]["bev"][difficulty]["R11"] + result[name]["3d"][difficulty]["R40"], 0)
                self.assertEqual(result[name]["bbox"]["easy"]["R11"], 0)
            self.assertAlmostEqual(result["Car"]["aos"]["moderate"]["R40"], 1.58140643, places=6)


class RulesTest(unittest.TestCase):
    def precision(self, frames, metric="bbox", name="Car", difficulty="moderate"):
        return average_precision(frames, [metric])[name][metric][difficulty]["R40"]

    def test_false_positives_lower_it_and_order_of_equal_sets_does_not_matter(self):
        frames = [(frame, frame) for frame in cars(60)]
        ghosts = [(objects([]), ghost) for ghost in cars(30, first=100)]
        for _, ghost in ghosts:
            ghost.scores += 0.099  # among the best
        lowered = self.precision(frames + ghosts)
        self.assertLess(lowered, 90)
        self.assertGreater(lowered, 50)
        self.assertAlmostEqual(self.precision(ghosts + frames[::-1]), lowered)

    def test_misses_lower_it(self):
        frames = [(frame, frame) for frame in cars(60)] + [(frame, objects([])) for frame in cars(60)]
        self.assertAlmostEqual(self.precision(frames), 50.0, delta=2.6)

    def test_van_is_neutral_and_dont_care_excuses_in_the_picture_only(self):
        frames = [(frame, frame) for frame in cars(60)]
        for metric in ("bbox", "3d"):
            for name, excused in (("Van", True), ("DontCare", metric == "bbox"), ("Tram", False)):
                extra = list(zip(cars(40, first=100, name=name), cars(40, first=100)))
                for _, found in extra:
                    found.scores += 0.2
                found = self.precision(frames + extra, metric)
                self.assertEqual(found == 100, excused, f"{metric} {name}: {found}")

    def test_height_limits(self):
        """A label of just 25 pixels is ignored, a detection of just 25 pixels isn't."""
        for height, label, detection in ((24.0, 1, 1), (25.0, 1, 0), (25.1, 0, 0)):
            (frame,) = cars(1, height)
            self.assertEqual((label_flags(frame, "Car", 1)[0], detection_flags(frame, "Car", 1)[0]), (label, detection))
        (low,) = cars(1, 24.0)
        self.assertEqual(detection_flags(low, "Cyclist", 1)[0], 1, "whatever the class")

    def test_difficulty_by_occlusion_and_truncation(self):
        (frame,) = cars(1)
        for occlusion, truncation, expected in (
            (0, 0.15, (0, 0, 0)),
            (1, 0.0, (1, 0, 0)),
            (2, 0.3, (1, 1, 0)),
            (0, 0.51, (1, 1, 1)),
            (3, 0, (1, 1, 1)),
        ):
            frame.occlusion[:], frame.truncation[:] = occlusion, truncation
            self.assertEqual(tuple(label_flags(frame, "Car", d)[0] for d in range(3)), expected)

    def test_an_exact_overlap_is_no_match(self):
        labels = objects([("Car", 0, 0, 0, 0, 0, 100, 100, 1, 1, 1, 0, 0, 10, 0, 0)])
        found = objects([("Car", 0, 0, 0, 0, 0, 70, 100, 1, 1, 1, 0, 0, 10, 0, 0.5)])
        for limit, true in ((0.7, 0), (0.69, 1)):
            frame = make_frame(labels, found, overlaps(labels, found, "bbox"), "bbox", "Car", 1, limit)
            self.assertEqual(count(frame, limit, 0.0)[:2], (true, 1 - true))

    def test_the_largest_overlap_is_the_true_positive(self):
        labels = objects([("Car", 0, 0, 0, 0, 0, 100, 100, 1, 1, 1, 0, 0, 10, 0, 0)])
        rows = [
            ("Car", 0, 0, a, 0, 0, w, 100, 1, 1, 1, 0, 0, 10, 0, s) for a, w, s in ((math.pi, 80, 0.9), (0, 95, 0.5))
        ]
        found = objects(rows)
        frame = make_frame(labels, found, overlaps(labels, found, "bbox"), "bbox", "Car", 1, 0.7)
        self.assertEqual(count(frame, 0.7, 0.1), (1, 1, 1.0))

    def test_overlaps_in_space(self):
        rng = np.random.default_rng(1)

        def some(n):
            boxes = np.concatenate([rng.normal(0, 1, (n, 3)) + [0, 0, 20], rng.uniform(-4, 4, (n, 1))], 1)
            return objects([("Car", 0, 0, 0, 0, 0, 1, 1, *rng.uniform(1, 3, 3), *box, 0) for box in boxes])

        a, b = some(20), some(15)
        bev, volume = overlaps(a, b, "bev"), overlaps(a, b, "3d")
        for i in range(20):
            for j in range(15):
                # From above with z as the second axis, the yaw about y turns the other way.
                boxes = [
                    (o.location[k, 0], o.location[k, 2], 0, o.size[k, 2], o.size[k, 1], 0, -o.yaw[k])
                    for o, k in ((a, i), (b, j))
                ]
                common = reference.clip_area(*(reference.corners(box) for box in boxes))
                self.assertAlmostEqual(bev[i, j], reference.iou_bev(*boxes), places=9)
                y = [(o.location[k, 1] - o.size[k, 0], o.location[k, 1]) for o, k in ((a, i), (b, j))]
                common *= max(0, min(y[0][1], y[1][1]) - max(y[0][0], y[1][0]))
                expected = common / (a.size[i].prod() + b.size[j].prod() - common)
                self.assertAlmostEqual(volume[i, j], expected, places=9)

    def test_no_detections_at_all(self):
        self.assertEqual(self.precision([(frame, objects([])) for frame in cars(3)], "3d"), 0)


class CoordinatesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "calib").mkdir()
        (self.folder / "calib/000000.txt").write_text(CALIBRATION)
        self.view = kitti.read_view(self.folder, "000000")

    def test_round_trip(self):
        rng = np.random.default_rng(2)
        boxes = np.concatenate(
            [rng.uniform(-50, 50, (10000, 3)), rng.uniform(0.3, 5, (10000, 3)), rng.uniform(-np.pi, np.pi, (10000, 1))],
            1,
        )
        back = kitti.to_lidar_boxes(*kitti.to_camera_boxes(boxes, self.view), self.view)
        np.testing.assert_allclose(back[:, :6], boxes[:, :6], atol=1e-9)
        np.testing.assert_allclose(np.cos(back[:, 6] - boxes[:, 6]), 1, atol=1e-12)

    def test_known_point(self):
        """A point straight ahead of the LiDAR falls near the picture's middle, left of it on the left side."""
        camera = self.view.to_camera(np.array([[20.0, 0.0, 0.0], [20.0, 5.0, 0.0], [20.0, 0.0, 3.0]]))
        pixels, depth = self.view.project(camera)
        np.testing.assert_allclose(depth, [19.72] * 3, atol=0.1)
        np.testing.assert_allclose(pixels[0], [609.6, 180], atol=25)
        self.assertLess(pixels[1, 0], pixels[0, 0] - 150)
        self.assertLess(pixels[2, 1], pixels[0, 1] - 80)

    def test_corners_agree_with_the_lidar_s(self):
        box = np.array([[15.0, 3.0, -0.9, 4.0, 1.7, 1.5, 0.4]])
        found = self.view.to_lidar(kitti.camera_corners(*kitti.to_camera_boxes(box, self.view))[0])
        expected = reference.corners(box[0])
        for x, y in expected:
            self.assertEqual(
                (np.hypot(found[:, 0] - x, found[:, 1] - y) < 0.06).sum(), 2
            )  # the camera isn't quite level
        np.testing.assert_allclose(sorted(found[:, 2]), [-1.65] * 4 + [-0.15] * 4, atol=0.05)

    def test_detections_behind_or_beside_the_camera_are_left_out(self):
        boxes = np.array(
            [
                [15, 0, -1, 4, 1.7, 1.5, 0],
                [-15, 0, -1, 4, 1.7, 1.5, 0],
                [1, 0, -1, 4, 1.7, 1.5, 0],
                [5, 40, -1, 4, 1.7, 1.5, 0],
            ]
        )
        found = kitti.detected_objects(boxes, np.array([0.9, 0.8, 0.7, 0.6]), ["Car"] * 4, self.view)
        self.assertEqual(found.scores.tolist(), [0.9])
        self.assertAlmostEqual(found.alpha[0], -np.pi / 2, delta=0.05)

    def test_files(self):
        labels, found = one_frame()
        kitti.write_objects(self.folder / "r.txt", found)
        back = kitti.read_objects(self.folder / "r.txt")
        self.assertEqual(back.names, found.names)
        for name in ("alpha", "boxes", "size", "location", "yaw", "scores"):
            np.testing.assert_allclose(getattr(back, name), getattr(found, name), atol=1e-4)
        (self.folder / "bad.txt").write_text("Car 0 0 x\n")
        with self.assertRaisesRegex(ValueError, "bad.txt.*1"):
            kitti.read_objects(self.folder / "bad.txt")

    def test_command(self):
        """From clouds and labels to numbers, once by a detector and once by the result files that it left."""
        data, results = self.folder / "data", self.folder / "results"
        for name in ("velodyne", "calib", "label_2"):
            (data / name).mkdir(parents=True)
        rng = np.random.default_rng(3)
        for number in ("000000", "000001"):
            rng.uniform([0, -10, -2, 0], [20, 10, 1, 1], (800, 4)).astype("<f4").tofile(data / f"velodyne/{number}.bin")
            (data / f"calib/{number}.txt").write_text(CALIBRATION)
            (data / f"label_2/{number}.txt").write_text(
                "Car 0.00 0 -1.57 600 170 680 230 1.5 1.6 3.9 1.0 1.6 20.0 -1.5\n"
            )
        common = ["--data", str(data), "--results", str(results), "--config", str(SMALL)]
        outputs = []
        for weights in (["--weights", "random:1"], []):
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                self.assertEqual(
                    evaluate.main([*common, *weights, "--device", "cpu", "--json", str(self.folder / "j")]), 0
                )
            outputs.append(output.getvalue())
        self.assertEqual(outputs[0], outputs[1])
        self.assertIn("Pedestrian 3d", outputs[0])
        self.assertEqual(json.loads((self.folder / "j").read_text())["frames"], 2)
        self.assertEqual(len(list(results.iterdir())), 2)


if __name__ == "__main__":
    unittest.main()
