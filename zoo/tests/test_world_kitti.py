"""KITTI's files: what is written reads back equal, conversions between the frames, kind errors, real frames when at
hand."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

try:
    import numpy as np
    import torch
except ImportError as error:
    raise unittest.SkipTest(f"needs numpy and torch: {error}") from error

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
warnings.filterwarnings("ignore", message="scatter_reduce")

from hone_zoo.world import lidar_pool  # noqa: E402
from hone_zoo.world.kinds import CLASSES  # noqa: E402
from hone_zoo.world.kitti import (
    Label,
    box_from_camera,
    box_to_camera,
    read_calibration,
    read_cloud,
    read_labels,
    wrap,  # noqa: E402
    write_calibration,
    write_labels,
)
from hone_zoo.world.sensors import Camera, Lidar, calibration  # noqa: E402
from hone_zoo.world.stats import cloud_numbers  # noqa: E402

SEED, FRAME = 21, 2


def setUpModule() -> None:
    """One thread: many small operations gain nothing from more, and lose much where the cores are shared."""
    global _threads
    _threads = torch.get_num_threads()
    torch.set_num_threads(1)


def tearDownModule() -> None:
    torch.set_num_threads(_threads)


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        try:
            from PIL import Image
        except ImportError as error:
            raise unittest.SkipTest(f"needs pillow: {error}") from error
        from hone_zoo.world.write import write_frames

        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = Path(cls.folder.name)
        write_frames(cls.root, SEED, [FRAME])
        cls.picture = np.asarray(Image.open(cls.root / f"image_2/{FRAME:06d}.png"))
        cls.pool = lidar_pool(1, SEED, "cpu", first=FRAME)

    def test_cloud(self) -> None:
        cloud = read_cloud(self.root / f"velodyne/{FRAME:06d}.bin")
        self.assertEqual(cloud.dtype, np.float32)
        np.testing.assert_array_equal(cloud, self.pool["points"].numpy())

    def test_picture(self) -> None:
        self.assertEqual(self.picture.shape, (375, 1242, 3))
        self.assertGreater(self.picture.std(), 25)

    def test_jpeg_of_a_frame_without_objects(self) -> None:
        from hone_zoo.world.write import write_frames
        from PIL import Image

        seed, frame = 7, 8
        write_frames(self.root / "empty", seed, [frame], jpeg=92)
        self.assertEqual(read_labels(self.root / f"empty/label_2/{frame:06d}.txt"), [])
        self.assertGreater(len(read_cloud(self.root / f"empty/velodyne/{frame:06d}.bin")), 10000)
        picture = Image.open(self.root / f"empty/image_2/{frame:06d}.jpg")
        self.assertEqual((picture.format, picture.size), ("JPEG", (1242, 375)))

    def test_calibration(self) -> None:
        read, ours = read_calibration(self.root / f"calib/{FRAME:06d}.txt"), calibration()
        self.assertEqual(set(read.matrices), set(ours.matrices))
        for name, matrix in ours.matrices.items():
            torch.testing.assert_close(read.matrices[name], matrix, rtol=1e-11, atol=1e-12)

    def test_labels(self) -> None:
        labels, rig = read_labels(self.root / f"label_2/{FRAME:06d}.txt"), calibration()
        named = [label for label in labels if label.type != "DontCare"]
        self.assertGreater(len(named), 1)
        boxes = self.pool["boxes"].numpy().astype(np.float64)
        for label in named:
            self.assertIn(label.type, CLASSES)
            self.assertTrue(0 <= label.truncated <= 1 and label.occluded in (0, 1, 2))
            self.assertTrue(0 <= label.box[0] < label.box[2] <= 1241 and 0 <= label.box[1] < label.box[3] <= 374)
            box = box_from_camera(label, rig)
            same = boxes[boxes[:, 1] == CLASSES.index(label.type)]
            gap = np.abs(same[:, 2:8] - box[:6]).max(1)
            best = gap.argmin()
            self.assertLess(gap[best], 0.02)
            self.assertLess(abs(wrap(same[best, 8] - box[6])), 0.02)
            x, _, z = label.location
            self.assertLess(abs(wrap(label.alpha - (label.rotation_y - math.atan2(x, z)))), 0.03)
        for label in labels:
            if label.type == "DontCare":
                self.assertEqual(
                    (label.truncated, label.occluded, label.alpha, label.location[0]), (-1, -1, -10, -1000)
                )


class Conversions(unittest.TestCase):
    def test_round_trip(self) -> None:
        rig, generator = calibration(), np.random.default_rng(1)
        for _ in range(200):
            box = np.array(
                [
                    *generator.uniform([2, -30, -2], [70, 30, 1]),
                    *generator.uniform(0.5, 5, 3),
                    generator.uniform(-math.pi, math.pi),
                ]
            )
            location, turn, alpha = box_to_camera(box, rig)
            label = Label("Car", 0, 0, alpha, (0, 0, 1, 1), (box[5], box[4], box[3]), location, turn)
            back = box_from_camera(label, rig)
            np.testing.assert_allclose(back[:6], box[:6], atol=1e-9)
            self.assertLess(abs(wrap(back[6] - box[6])), 1e-9)

    def test_pixels_and_rays(self) -> None:
        rig = calibration()
        camera = Camera(rig, "cpu")
        generator = np.random.default_rng(2)
        row, col = torch.from_numpy(generator.integers(0, 375, 500)), torch.from_numpy(generator.integers(0, 1242, 500))
        depth = torch.from_numpy(generator.uniform(1, 80, 500)).float()
        points = camera.row_origin[row] + depth[:, None] * (camera.rows[row] + camera.cols[col])
        matrices = {name: matrix.numpy() for name, matrix in rig.matrices.items()}
        velo = np.vstack([matrices["Tr_velo_to_cam"], [0, 0, 0, 1]])
        rect = np.eye(4)
        rect[:3, :3] = matrices["R0_rect"]
        q = matrices["P2"] @ rect @ velo @ np.vstack([points.double().numpy().T, np.ones(500)])
        np.testing.assert_allclose(q[0] / q[2], col.numpy(), atol=0.02)
        np.testing.assert_allclose(q[1] / q[2], row.numpy(), atol=0.02)
        np.testing.assert_allclose(q[2], depth.numpy(), rtol=1e-4)
        for turn in (rig.matrices["R0_rect"], rig.matrices["Tr_velo_to_cam"][:, :3]):
            torch.testing.assert_close(turn @ turn.T, torch.eye(3, dtype=torch.float64), atol=1e-12, rtol=0)
            self.assertAlmostEqual(float(torch.det(turn)), 1.0, places=9)

    def test_beams(self) -> None:
        lidar = Lidar("cpu")
        elevation = np.degrees(np.arctan(lidar.tangent.numpy()))
        step = -np.diff(elevation)
        self.assertAlmostEqual(step[:31].mean(), 1 / 3, delta=0.02)
        self.assertAlmostEqual(step[32:].mean(), 0.5, delta=0.03)


class Errors(unittest.TestCase):
    def test_broken_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x"
            path.write_bytes(b"\0" * 20)
            with self.assertRaisesRegex(ValueError, "20 bytes"):
                read_cloud(path)
            path.write_text("Car 0.00 0 1.5 3 4 5\n")
            with self.assertRaisesRegex(ValueError, "x:1: 7 fields"):
                read_labels(path)
            path.write_text("P2: 1 2 3\n")
            with self.assertRaisesRegex(ValueError, "P2 has 3 numbers instead of 12"):
                read_calibration(path)
            path.write_text("P0: " + "1 " * 12 + "\n")
            with self.assertRaisesRegex(ValueError, "P2, R0_rect, Tr_velo_to_cam"):
                read_calibration(path)

    def test_results_keep_their_score(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x"
            label = Label(
                "Cyclist", -1.0, -1, 0.25, (1.5, 2.25, 30.0, 40.75), (1.7, 0.6, 1.8), (1.0, 2.0, 30.5), -1.5, 0.8125
            )
            write_labels(path, [label])
            self.assertEqual(read_labels(path), [label])
            write_calibration(path, calibration())
            self.assertEqual(len(path.read_text().splitlines()), 7)


class RealFrames(unittest.TestCase):
    def test_statistics(self) -> None:
        folder = Path(os.environ.get("HONE_DATA", "")) / "kitti"
        files = sorted(folder.glob("*.bin")) if os.environ.get("HONE_DATA") else []
        if not files:
            self.skipTest("no real frames (HONE_DATA is not set or has no kitti/*.bin)")
        for path in files:
            numbers = cloud_numbers(read_cloud(path))
            self.assertTrue(17000 < numbers["points"] < 20500)
            self.assertEqual(numbers["beams"], 46)


if __name__ == "__main__":
    unittest.main()
