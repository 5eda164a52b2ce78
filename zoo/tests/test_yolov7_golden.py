"""The shipped YOLOv7-tiny still gives, in PyTorch, what models/golden says."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "zoo"))

try:
    import numpy as np
    import onnx
    import torch
    from PIL import Image

    from hone_zoo.yolov7 import golden
except ImportError as error:
    raise unittest.SkipTest(f"needs torch, onnx and pillow: {error}") from error

SIZE = (384, 1248)


class Golden(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.proto = onnx.load(str(ROOT / "models/yolov7_tiny_street.onnx"))
        cls.model = golden.shipped_model(cls.proto)
        with np.load(ROOT / "models/golden/yolov7_tiny_street.npz") as arrays:
            cls.stored = dict(arrays)
        cls.name = str(cls.stored["pictures"][0])
        cls.picture = np.asarray(Image.open(ROOT / "models/samples/image_2" / cls.name).convert("RGB"))

    def test_stages(self) -> None:
        inputs = torch.from_numpy(golden.centred(self.picture, SIZE)).permute(2, 0, 1)[None].double() / 255
        for name, found in golden.stages(self.model, self.proto, inputs).items():
            np.testing.assert_allclose(found[0], self.stored[f"stage/{name}"][0], rtol=1e-5, atol=1e-5, err_msg=name)

    def test_detections(self) -> None:
        found = golden.detections(self.model, self.picture, SIZE)
        self.assertGreater(len(found[0]), 5)
        for key, value in zip(("boxes", "scores", "classes"), found):
            np.testing.assert_allclose(value, self.stored[f"{self.name}/{key}"], rtol=1e-4, atol=1e-3, err_msg=key)

    def test_missing_weights_are_named(self) -> None:
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        gone = proto.graph.initializer.pop(0).name
        with self.assertRaisesRegex(ValueError, gone.removeprefix("model.").removesuffix(".half")):
            golden.shipped_model(proto)


if __name__ == "__main__":
    unittest.main()
