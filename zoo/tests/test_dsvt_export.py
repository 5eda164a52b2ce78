"""DSVT's ONNX files: their interface, their outputs, and that a wrong one isn't put in place."""

import contextlib
import io
import json
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import numpy as np
import torch

try:
    import onnx
    import onnxruntime
except ImportError as error:
    raise unittest.SkipTest(f"{error}") from None

from dsvt_small import SMALL, small_config
from hone_zoo import export as command
from hone_zoo import onnx_check
from hone_zoo.dsvt import export
from hone_zoo.dsvt.config import config_from, load_config
from hone_zoo.dsvt.model import config_of, make_detector, random_detector
from hone_zoo.dsvt.train import save_weights

DATA = pathlib.Path(os.environ.get("HONE_DATA", pathlib.Path(__file__).resolve().parents[2] / "../shared/data"))


def interface(values):
    """[(name, element type, sizes or their names)] of a graph's inputs or outputs."""
    tensors = [(value.name, value.type.tensor_type) for value in values]
    return [(name, t.elem_type, [d.dim_param or d.dim_value for d in t.shape.dim]) for name, t in tensors]


def blocks_interface(blocks, width):
    sets = [
        (f"set_voxel_{kind}_tensor_shift_{s}", elements, [2, f"set_number_shift_{s}", 36])
        for kind, elements in (("inds", onnx.TensorProto.INT64), ("masks", onnx.TensorProto.BOOL))
        for s in (0, 1)
    ]
    source = ("src", onnx.TensorProto.FLOAT, ["voxel_number", width])
    position = ("pos_embed_tensor", onnx.TensorProto.FLOAT, [blocks, 2, "voxel_number", width])
    return [source, *sets, position], [("output", onnx.TensorProto.FLOAT, ["voxel_number", width])]


class ExportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.detector = random_detector(small_config(), 3)
        old = torch.__version__.startswith("1.")
        for name in export.PARTS:
            if old and export.make_part(cls.detector, name).opset > export.OPSET:
                continue  # PyTorch 1 can't write it
            export.export_part(cls.detector, name, cls.path(name))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, f"{name}.onnx")

    def compare(self, name, inputs, expected):
        part = export.make_part(self.detector, name)
        session = onnxruntime.InferenceSession(self.path(name), providers=["CPUExecutionProvider"])
        found = session.run(part.outputs, {key: value.numpy() for key, value in zip(part.inputs, inputs)})
        for key, value in zip(part.outputs, found):
            np.testing.assert_allclose(
                value, expected[key].numpy(), atol=1e-4 * float(expected[key].abs().max()), err_msg=key
            )

    def test_blocks(self):
        """Against the detector's own form of attention, at sizes other than the traced one, one pillar included."""
        backbone = self.detector.backbone_3d
        for points in (1, 40, 2000):
            cloud = export.random_cloud(self.detector.config, points, 50 + points)
            with torch.no_grad():
                pillars = self.detector.pillarizer(cloud, torch.zeros(points, dtype=torch.int64))
                self.assertEqual(len(pillars.points), points)
                features = torch.randn(len(pillars.coords), 32)
                (one, two), position = backbone.input_layer(pillars.coords)
                expected = backbone(features, pillars.coords)
            self.compare("blocks", (features, one.inds, two.inds, one.mask, two.mask, position), {"output": expected})

    def test_the_parts_in_a_row(self):
        """The whole detector, with the binning and partition by PyTorch."""
        cloud = export.random_cloud(self.detector.config, 1000, 5)
        frame = torch.zeros(1000, dtype=torch.int64)
        with torch.no_grad():
            pillars = self.detector.pillarizer(cloud, frame)
            features = self.detector.backbone_3d(self.detector.vfe(pillars), pillars.coords)
            bev = self.detector.bev(cloud, frame, 1)
            wide = self.detector.backbone_2d(bev)
            maps = self.detector(cloud, frame, 1)
        self.compare("map_to_bev", (features, pillars.coords.int()), {"spatial_features": bev})
        self.compare("backbone_2d", (bev.contiguous(),), {"spatial_features_2d": wide})
        self.compare("head", (wide,), maps)

    def test_interfaces(self):
        graph = onnx.load(self.path("blocks")).graph
        self.assertEqual((interface(graph.input), interface(graph.output)), blocks_interface(4, 32))
        number, integer = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32
        maps = [("center", 2), ("center_z", 1), ("dim", 3), ("rot", 2), ("iou", 1), ("hm", 3)]
        expected = {
            "map_to_bev": (
                [("pillar_features", number, ["voxel_number", 32]), ("voxel_coords", integer, ["voxel_number", 4])],
                [("spatial_features", number, [1, 32, 64, 64])],
            ),
            "backbone_2d": (
                [("spatial_features", number, [1, 32, 64, 64])], [("spatial_features_2d", number, [1, 48, 64, 64])],
            ),
            "head": (
                [("spatial_features_2d", number, [1, 48, 64, 64])],
                [(name, number, [1, c, 64, 64]) for name, c in maps],
            ),
        }  # fmt: skip
        for name, values in expected.items():
            model = onnx.load(self.path(name))
            self.assertEqual((interface(model.graph.input), interface(model.graph.output)), values)
            self.assertEqual([(o.domain, o.version) for o in model.opset_import], [("", 14)])

    def test_the_empty_map_is_not_stored(self):
        self.assertLess(os.path.getsize(self.path("map_to_bev")), 10_000)

    def test_operators_of_the_blocks(self):
        """As many as the published exporter writes."""
        counts = {}
        for node in onnx.load(self.path("blocks")).graph.node:
            counts[node.op_type] = counts.get(node.op_type, 0) + 1
        expected = {"Softmax": 8, "ScatterND": 8, "Erf": 8, "MatMul": 40, "Gemm": 24, "ReduceMean": 56}
        self.assertEqual({name: counts.get(name) for name in expected}, expected)

    def test_interface_of_a_file_by_the_published_exporter(self):
        path = DATA / "models/dsvt_two_blocks.onnx"
        if not path.exists():
            self.skipTest(f"there is no {path}; set HONE_DATA")
        model = onnx.load(path)
        self.assertEqual((interface(model.graph.input), interface(model.graph.output)), blocks_interface(2, 192))
        self.assertEqual([o.version for o in model.opset_import], [14])

    def test_metadata(self):
        properties = {p.key: p.value for p in onnx.load(self.path("head")).metadata_props}
        self.assertEqual((properties["hone.family"], properties["hone.part"]), ("dsvt", "head"))
        self.assertEqual(config_from(json.loads(properties["hone.config"])), self.detector.config)
        self.assertEqual(properties["names"], "{0: 'Car', 1: 'Pedestrian', 2: 'Cyclist'}")

    def test_weights_in_16_bit(self):
        for name in ("blocks", "backbone_2d"):
            path = self.path(f"half_{name}")
            export.export_part(self.detector, name, path, half=True)
            self.assertLess(os.path.getsize(path), 0.85 * os.path.getsize(self.path(name)))

    def test_a_wrong_file_is_not_put_in_place(self):
        path = self.path("wrong")
        pathlib.Path(path).write_bytes(b"as before")
        with mock.patch.object(onnx_check, "run", lambda model, inputs: {"output": np.zeros((3, 32), np.float32)}):
            with self.assertRaises(onnx_check.ExportError):
                export.export_part(self.detector, "blocks", path)
        self.assertEqual(pathlib.Path(path).read_bytes(), b"as before")
        self.assertEqual([name for name in os.listdir(self.folder.name) if "wrong" in name], ["wrong.onnx"])


class CommandTest(unittest.TestCase):
    def run_command(self, *arguments):
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = command.main(["dsvt", *arguments])
        return code, output.getvalue() + errors.getvalue()

    def test_from_checkpoint_to_file(self):
        with tempfile.TemporaryDirectory() as folder:
            weights, path = os.path.join(folder, "w.pth"), os.path.join(folder, "head.onnx")
            torch.save({"model_state": random_detector(small_config(), 4).state_dict()}, weights)
            common = ("--config", str(SMALL), "--part", "head", "-o", path)
            code, text = self.run_command("--weights", weights, *common)
            self.assertEqual(code, 0, text)
            self.assertTrue(os.path.exists(path))
            code, text = self.run_command("--weights", os.path.join(folder, "none.pth"), *common)
            self.assertEqual(code, 1)
            self.assertIn("none.pth", text)
            code, text = self.run_command("--weights", "random:x", *common)
            self.assertEqual(code, 1)
            self.assertIn("random:0", text)

    def test_weights_know_their_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            weights, path = os.path.join(folder, "w.pt"), os.path.join(folder, "head.onnx")
            save_weights(pathlib.Path(weights), random_detector(small_config(), 4), str(SMALL), 1)
            code, text = self.run_command("--weights", weights, "--part", "head", "-o", path)
            self.assertEqual(code, 0, text)
            stored = {p.key: p.value for p in onnx.load(path).metadata_props}["hone.config"]
            self.assertEqual(config_from(json.loads(stored)), small_config())
            torch.save({"model_state": {"a": torch.ones(1)}}, weights)  # as the published ones, without
            self.assertEqual(config_of(weights), load_config("waymo"))
        self.assertEqual(config_of("random:1"), load_config("waymo"))

    def test_random_weights_are_the_seed_s(self):
        config = load_config(SMALL)
        one, same, other = (make_detector(config, w).state_dict() for w in ("random:1", "random:1", "random:2"))
        self.assertTrue(all(torch.equal(one[name], same[name]) for name in one))
        self.assertFalse(torch.equal(one["dense_head.shared_conv.0.weight"], other["dense_head.shared_conv.0.weight"]))


if __name__ == "__main__":
    unittest.main()
