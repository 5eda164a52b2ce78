"""YOLOv7's checkpoints and its way to ONNX."""

import argparse
import contextlib
import copy
import io
import os
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

try:
    import numpy as np
    import onnx
    import torch
except ImportError as error:
    raise unittest.SkipTest(str(error)) from None

from hone_zoo import export as command
from hone_zoo import onnx_check
from hone_zoo.checkpoint import CheckpointError
from hone_zoo.yolov7 import export
from hone_zoo.yolov7.model import Yolov7
from hone_zoo.yolov7.weights import load_model, random_model, save_model
from onnx import helper

from test_yolov7_model import small_model
from yolov7_fakes import write_author_checkpoint

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
torch.set_num_threads(1)
SMALL = ["--weights", "random:3", "--width", "0.125", "--size", "64", "96", "--classes", "4"]


class InFolder(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = str(self.folder / "model.pt")


def half(model: Yolov7) -> Yolov7:
    return copy.deepcopy(model).half().float()


class Checkpoints(InFolder):
    @torch.no_grad()
    def same(self, found: Yolov7, expected: Yolov7) -> None:
        pictures = torch.rand(1, 3, 64, 64)
        self.assertEqual((found.names, found.family, found.training), (expected.names, expected.family, False))
        self.assertTrue(all(torch.equal(a, expected.state_dict()[name]) for name, a in found.state_dict().items()))
        self.assertTrue(torch.equal(found.rows(pictures), expected.rows(pictures)))

    def test_the_authors_form(self) -> None:
        for name in ("yolov7", "yolov7-tiny"):
            for implicit, archive, ema in ((True, True, False), (False, False, True)):
                model = half(Yolov7(name, ["car", "bus", "a 'third'"], implicit, 0.125)).eval()
                write_author_checkpoint(model, self.path, archive, ema)
                self.assertNotIn("models", sys.modules)
                self.same(load_model(self.path), model)

    @torch.no_grad()
    def test_what_tensors_do_not_show(self) -> None:
        """The activation (tiny is published with two) and what normalisation adds to the variance."""
        model = half(Yolov7("yolov7-tiny", ["car"], False, 0.125, ("silu",))).eval()
        write_author_checkpoint(model, self.path)
        self.same(load_model(self.path), model)
        self.assertNotEqual(model.table.activation, Yolov7("yolov7-tiny", ["car"]).table.activation)
        save_model(self.path, load_model(self.path))
        self.same(load_model(self.path), model)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eps = 0.5
        write_author_checkpoint(model, self.path)
        pictures = torch.rand(1, 3, 64, 64)
        torch.testing.assert_close(load_model(self.path).rows(pictures), model.rows(pictures), rtol=1e-4, atol=1e-3)

    def test_activations_that_differ_are_named(self) -> None:
        model = Yolov7("yolov7-tiny", ["car"], width=0.125)
        model.model[3].act = torch.nn.ReLU()
        write_author_checkpoint(model, self.path)
        with self.assertRaisesRegex(CheckpointError, "activations are ReLU, leaky 0.1"):
            load_model(self.path)

    def test_class_names_that_are_numbers(self) -> None:
        model = small_model("yolov7-tiny", 2)
        torch.save({"model": model.state_dict(), "names": {0: 5, 1: 7}, "width": 0.125}, self.path)
        self.assertEqual(load_model(self.path).names, ["5", "7"])

    def test_a_fused_one(self) -> None:
        model = half(Yolov7("yolov7", ["car"], width=0.125).fuse())
        write_author_checkpoint(model, self.path)
        self.same(load_model(self.path), model)

    def test_our_own_form(self) -> None:
        model = half(small_model("yolov7"))
        save_model(self.path, model, step=7)
        self.same(load_model(self.path), model)

    def test_misfits_are_named(self) -> None:
        model = small_model("yolov7-tiny")
        state = model.state_dict()
        state["model.3.conv.weight"] = torch.ones(1, 2, 3, 4)
        state["model.5.bn.extra"] = state.pop("model.5.bn.weight")
        torch.save({"model": state, "names": model.names, "width": 0.125}, self.path)
        with self.assertRaises(CheckpointError) as raised:
            load_model(self.path)
        for part in (
            self.path,
            "missing: model.5.bn.weight",
            "left over: model.5.bn.extra",
            "model.3.conv.weight [1, 2, 3, 4] instead of [8, 8, 1, 1]",
        ):
            self.assertIn(part, str(raised.exception))

    def test_other_models_are_named(self) -> None:
        for content, message in (
            ({"model": {"model.12.m.0.bias": torch.ones(255)}}, "13 layers; known are yolov7"),
            ({"model": {"model.77.m.0.weight": torch.ones(9)}}, "number of classes"),
            ({"model": {"model.77.m.0.bias": torch.ones(18)}, "names": ["a", "b"]}, "2 classes, its head has 1"),
            ({"model": {"a": 1}}, "not tensors: a"),
            ({"x": 1}, "not tensors: x"),
            ([1], "no model"),
        ):
            torch.save(content, self.path)
            with self.assertRaisesRegex(CheckpointError, message):
                load_model(self.path)


def arguments(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    return parser.parse_args(list(options))


class Exports(InFolder):
    def write(self, *options: str) -> onnx.ModelProto:
        path = self.folder / "model.onnx"
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(command.main(["yolov7", *SMALL, *options, "-o", str(path)]), 0)
        return onnx.load(str(path))

    def check_form(self, model: onnx.ModelProto, expected: list[tuple[str, str, list]]) -> None:
        picture = model.graph.input[0]
        self.assertEqual((len(model.graph.input), picture.name, model.opset_import[0].version), (1, "images", 12))
        found = []
        for output in model.graph.output:
            kind = output.type.tensor_type
            found.append(
                (
                    output.name,
                    onnx.TensorProto.DataType.Name(kind.elem_type),
                    [d.dim_param or d.dim_value for d in kind.shape.dim],
                )
            )
        self.assertEqual(found, expected)

    def test_each_form(self) -> None:
        plugin = [("INT32", [1]), ("FLOAT", [20, 4]), ("FLOAT", [20]), ("INT32", [20])]
        forms = {
            "--raw": [
                ("output", "FLOAT", [3, 8, 12, 9]),
                ("output2", "FLOAT", [3, 4, 6, 9]),
                ("output3", "FLOAT", [3, 2, 3, 9]),
            ],
            "--grid": [("output", "FLOAT", [378, 9])],
            "--end2end": [(n, *t) for n, t in zip(("num_dets", "det_boxes", "det_scores", "det_classes"), plugin)],
            "--end2end --nms batched": [
                (n, *t)
                for n, t in zip(
                    ("num_detections", "nmsed_boxes", "nmsed_scores", "nmsed_classes"), [*plugin[:3], ("FLOAT", [20])]
                )
            ],
        }
        for form, outputs in forms.items():
            for batch, value in (("2", 2), ("dynamic", "batch")):
                proto = self.write("--model", "yolov7-tiny", "--batch", batch, "--topk", "20", *form.split())
                self.check_form(proto, [(name, kind, [value, *shape]) for name, kind, shape in outputs])
        for model, batch in (("yolov7-tiny", "3"), ("yolov7", "dynamic")):
            proto = self.write("--model", model, "--batch", batch, "--end2end", "--max-wh", "640", "--conf", "0.1")
            self.check_form(proto, [("output", "FLOAT", ["detections", 7])])
        proto = self.write("--model", "yolov7-tiny", "--dynamic", "--grid")
        self.check_form(proto, [("output", "FLOAT", ["batch", "rows", 9])])

    def test_plugin_attributes_and_metadata(self) -> None:
        proto = self.write("--model", "yolov7-tiny", "--end2end", "--conf", "0.35", "--iou", "0.65", "--topk", "30")
        node = proto.graph.node[-1]
        values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        self.assertEqual((node.op_type, node.domain), ("EfficientNMS_TRT", "TRT"))
        self.assertEqual((values.pop("background_class"), values.pop("box_coding")), ([-1], [1]))
        self.assertEqual((round(values.pop("iou_threshold"), 6), round(values.pop("score_threshold"), 6)), (0.65, 0.35))
        self.assertEqual(values, {"max_output_boxes": 30, "plugin_version": b"1", "score_activation": 0})
        found = {entry.key: entry.value for entry in proto.metadata_props}
        self.assertEqual(found["names"], "{0: 'class 0', 1: 'class 1', 2: 'class 2', 3: 'class 3'}")
        self.assertEqual(
            (found["hone.family"], found["hone.norm"], found["hone.channels"]), ("yolov7-tiny", "0-1", "rgb")
        )
        self.assertEqual(
            (found["imgsz"], found["stride"], found["hone.anchors"][:12]), ("[64, 96]", "32", "10,13 16,30 ")
        )

    def test_one_class_takes_the_objectness(self) -> None:
        proto = self.write("--model", "yolov7-tiny", "--end2end", "--classes", "1")
        self.assertNotIn("Mul", [node.op_type for node in proto.graph.node[-4:]])

    def test_half_weights(self) -> None:
        whole, halved = (self.write("--model", "yolov7-tiny", "--grid", *more) for more in ([], ["--half-weights"]))
        self.assertLess(halved.ByteSize(), 0.65 * whole.ByteSize())

    def test_the_list_holds_what_rows_say(self) -> None:
        """Independent of the tail's code: the boxes are found again among the rows."""
        found = self.write("--model", "yolov7-tiny", "--end2end", "--max-wh", "640", "--conf", "0.1", "--batch", "2")
        rows = self.write("--model", "yolov7-tiny", "--grid", "--batch", "2")
        pictures = np.random.default_rng(1).random((2, 3, 64, 96), np.float32)
        detections, rows = (onnx_check.run(model, {"images": pictures})["output"] for model in (found, rows))
        self.assertGreater(len(detections), 10)
        scores = rows[..., 4:5] * rows[..., 5:]
        corners = np.concatenate([rows[..., :2] - rows[..., 2:4] / 2, rows[..., :2] + rows[..., 2:4] / 2], 2)
        for picture, *box, label, score in detections:
            picture, label = int(picture), int(label)
            row = (np.abs(corners[picture] - box).sum(1) + np.abs(scores[picture, :, label] - score)).argmin()
            np.testing.assert_allclose(box, corners[picture, row], rtol=1e-4, atol=1e-3)
            np.testing.assert_allclose(score, scores[picture, row].max(), rtol=1e-3)
            self.assertEqual(scores[picture, row].argmax(), label)

    def test_a_wrong_file_is_not_put_in_place(self) -> None:
        args = arguments(*SMALL, "--model", "yolov7-tiny", "--grid", "-o", str(self.folder / "x.onnx"))
        model = random_model("yolov7-tiny", 4, 3, 0.125)
        original = copy.deepcopy(model)
        with torch.no_grad():
            original.model[40].conv.weight *= 1.1
        module = export.Exported(model.fuse(), args)
        Path(args.output).write_text("before")
        with self.assertRaisesRegex(onnx_check.ExportError, "output output: differs by"):
            onnx_check.put_in_place(export.trace(module, args), args.output, export.Checker(original, module, args))
        self.assertEqual((Path(args.output).read_text(), os.listdir(self.folder)), ("before", ["x.onnx"]))

    def test_wrong_options_are_refused(self) -> None:
        for options in (
            ["--nms", "batched"],
            ["--max-wh", "3"],
            ["--dynamic", "--end2end"],
            ["--conf", "2"],
            ["--size", "32", "32", "32"],
            ["--weights", "nowhere.pt"],
            ["--weights", "random:x"],
        ):
            with open(os.devnull, "w") as nothing, unittest.mock.patch("sys.stderr", nothing):
                self.assertEqual(command.main(["yolov7", *SMALL, *options, "-o", str(self.folder / "x.onnx")]), 1)
        self.assertEqual(os.listdir(self.folder), [])


class OtherWriter(InFolder):
    """scripts/make_yolov7.py writes the same graphs without PyTorch."""

    def test_same_weights_same_outputs(self) -> None:
        import make_yolov7

        random = np.random.default_rng(4)
        for name in ("yolov7", "yolov7-tiny"):
            options = [
                "x",
                "--model",
                name,
                "--form",
                "grid",
                "--width",
                "0.125",
                "--classes",
                "4",
                "--size",
                "64",
                "96",
            ]
            theirs = make_yolov7.Model(make_yolov7.parse_args(options)).proto()
            state = {
                weight.name: torch.from_numpy(onnx.numpy_helper.to_array(weight).copy())
                for weight in theirs.graph.initializer
            }
            state = {key: tensor for key, tensor in state.items() if key.startswith("model.")}
            template = Yolov7(name, ["a", "b", "c", "d"], implicit=False, width=0.125)
            head = f"model.{len(template.model) - 1}"
            state |= {f"{head}.{key}": getattr(template.head, key) for key in ("anchors", "anchor_grid")}
            torch.save({"model": state, "width": 0.125}, self.path)
            output = self.folder / "ours.onnx"
            with contextlib.redirect_stdout(io.StringIO()):
                export.main(arguments("--weights", self.path, "--grid", "--size", "64", "96", "-o", str(output)))
            pictures = {"images": random.random((1, 3, 64, 96), np.float32)}
            found, expected = (onnx_check.run(model, pictures)["output"] for model in (onnx.load(str(output)), theirs))
            self.assertIsNone(onnx_check.difference(found, expected, 1e-4))
            self.assertGreater(np.ptp(expected[..., 4]), 0.1)


if __name__ == "__main__":
    unittest.main()
