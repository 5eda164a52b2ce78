"""The shipped DSVT's parts, chained, give the golden boxes."""

import pathlib
import unittest

import numpy as np
import torch
from hone_zoo.dsvt.shipped import ShippedDetector

MODELS = pathlib.Path(__file__).parents[2] / "models"

torch.set_num_threads(1)


class Shipped(unittest.TestCase):
    def test_boxes_are_the_golden_ones(self) -> None:
        detector = ShippedDetector(MODELS / "dsvt_kitti_b")
        golden = np.load(MODELS / "golden" / "dsvt_kitti_b.npz")
        frame = sorted({name.split("/")[0] for name in golden.files})[0]
        cloud = np.fromfile(MODELS / "samples" / "velodyne" / f"{frame}.bin", np.float32).reshape(-1, 4)
        (found,) = detector.detect([torch.from_numpy(cloud)])
        wanted, scores = golden[f"{frame}/boxes"], golden[f"{frame}/scores"]
        self.assertEqual(len(found.boxes), len(wanted))
        self.assertGreater(len(wanted), 5)
        np.testing.assert_allclose(found.boxes.numpy()[:, :6], wanted[:, :6], atol=0.05)
        np.testing.assert_allclose(found.scores.numpy(), scores, atol=0.01)
        np.testing.assert_array_equal(found.classes.numpy(), golden[f"{frame}/classes"])

    def test_a_folder_without_parts_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "vfe.onnx"):
            ShippedDetector(MODELS / "samples")


if __name__ == "__main__":
    unittest.main()
