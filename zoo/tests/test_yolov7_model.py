"""YOLOv7's definition: sizes, merged forms, suppression."""

import copy
import unittest

try:
    import torch
except ImportError as error:
    raise unittest.SkipTest(str(error)) from None

from hone_zoo.yolov7 import nms
from hone_zoo.yolov7.layers import channels, read_tables
from hone_zoo.yolov7.model import Conv, RepConv, Yolov7, randomize
from torch import nn

torch.set_num_threads(1)


def small_model(name: str, classes: int = 4, seed: int = 1) -> Yolov7:
    return randomize(Yolov7(name, [f"thing {i}" for i in range(classes)], width=0.125), seed)


class Definition(unittest.TestCase):
    def test_published_parameter_counts(self) -> None:
        for name, count in (("yolov7", 36_905_341), ("yolov7-tiny", 6_219_709)):
            model = Yolov7(name, [str(i) for i in range(80)]).fuse()
            self.assertEqual(sum(parameter.numel() for parameter in model.parameters()), count)

    def test_tables(self) -> None:
        tables = read_tables()
        self.assertEqual([len(tables[name].layers) for name in ("yolov7", "yolov7-tiny")], [106, 78])
        for table in tables.values():
            self.assertEqual([layer.index for layer in table.layers], list(range(len(table.layers))))
            self.assertTrue(all(source < layer.index for layer in table.layers for source in layer.inputs))
        self.assertEqual([channels(count, 0.3) for count in (32, 64, 1024)], [16, 24, 312])

    def test_map_shapes(self) -> None:
        maps = small_model("yolov7")(torch.rand(2, 3, 64, 96))
        self.assertEqual([list(x.shape) for x in maps], [[2, 3, 8, 12, 9], [2, 3, 4, 6, 9], [2, 3, 2, 3, 9]])

    @torch.no_grad()
    def test_decoding_one_cell_by_hand(self) -> None:
        model = small_model("yolov7-tiny")
        maps = [torch.randn(1, 3, 64 // s, 96 // s, 9) for s in (8, 16, 32)]
        rows = model.head.decode(maps)
        self.assertEqual(list(rows.shape), [1, 3 * (96 + 24 + 6), 9])
        anchor, y, x = 2, 3, 1  # of the second map
        cell = maps[1][0, anchor, y, x].sigmoid()
        row = rows[0, 3 * 96 + (anchor * 4 + y) * 6 + x]
        expected = [
            (2 * cell[0] - 0.5 + x) * 16,
            (2 * cell[1] - 0.5 + y) * 16,
            (2 * cell[2]) ** 2 * 59,
            (2 * cell[3]) ** 2 * 119,
        ]
        torch.testing.assert_close(row[:4], torch.stack(expected), rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(row[4:], cell[4:])


class Merging(unittest.TestCase):
    @torch.no_grad()
    def test_fused_models_give_the_same(self) -> None:
        for name in ("yolov7", "yolov7-tiny"):
            model = small_model(name)
            pictures = torch.rand(2, 3, 64, 64)
            before = model.double().rows(pictures.double())
            after = copy.deepcopy(model).fuse().rows(pictures.double())
            self.assertIsNone(model.fuse().head.ia)
            torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
            single = model.float().rows(pictures)
            torch.testing.assert_close(single.double(), before, rtol=1e-3, atol=1e-3)

    @torch.no_grad()
    def test_merging_rounds_as_published(self) -> None:
        """To the last bit, as the order of equal detections shows."""
        module = Conv(3, 500, 1, 1, nn.SiLU())
        norm = module.bn
        for tensor in (norm.weight, norm.running_var, norm.bias, norm.running_mean):
            tensor.uniform_(0.5, 2)
        root = (norm.eps + norm.running_var).sqrt()
        bias = norm.bias - norm.weight.mul(norm.running_mean).div(root)
        weight = torch.diag(norm.weight.div(root)).mm(module.conv.weight.flatten(1)).view_as(module.conv.weight)
        module.fuse()
        self.assertTrue(torch.equal(module.conv.weight, weight))
        self.assertTrue(torch.equal(module.conv.bias, bias))

    @torch.no_grad()
    def test_rep_conv_with_an_identity_branch(self) -> None:
        module = RepConv(8, 8, 3, 1, nn.SiLU())
        for norm in module.modules():
            if isinstance(norm, nn.BatchNorm2d):
                for tensor in (norm.weight, norm.running_var):
                    tensor.uniform_(0.5, 2)
                for tensor in (norm.bias, norm.running_mean):
                    tensor.normal_()
        x = torch.randn(2, 8, 9, 7)
        before = module.eval()(x)
        module.fuse()
        self.assertEqual([name for name, _ in module.named_parameters()], ["rbr_reparam.weight", "rbr_reparam.bias"])
        torch.testing.assert_close(module(x), before, rtol=1e-4, atol=1e-4)


def one_by_one(boxes: torch.Tensor, overlap: float) -> list[int]:
    kept: list[int] = []
    for i in range(len(boxes)):
        if all(float(nms.iou(boxes[i : i + 1], boxes[j : j + 1])) <= overlap for j in kept):
            kept.append(i)
    return kept


class Suppression(unittest.TestCase):
    def test_greedy_is_what_one_by_one_gives(self) -> None:
        generator = torch.Generator().manual_seed(2)
        for overlap in (0.1, 0.3, 0.6):
            start = torch.rand(120, 2, generator=generator) * 40
            boxes = torch.cat([start, start + 5 + 20 * torch.rand(120, 2, generator=generator)], 1)
            kept = nms.greedy(boxes, overlap).nonzero()[:, 0].tolist()
            self.assertEqual(kept, one_by_one(boxes, overlap))
            self.assertTrue(0 < len(kept) < 120)

    def test_efficient_nms_by_hand(self) -> None:
        boxes = torch.tensor([[[10.0, 10, 4, 4], [10, 10, 4, 4], [30, 10, 4, 4]]])
        scores = torch.tensor([[[0.5, 0.1], [0.6, 0.0], [0.1, 0.9]]])
        count, found, values, labels = nms.efficient_nms(boxes, scores, 0.25, 0.5, 4)
        self.assertEqual((count.tolist(), labels.tolist()), ([[2]], [[1, 0, 0, 0]]))
        self.assertEqual(found[0, :3].tolist(), [[28, 8, 32, 12], [8, 8, 12, 12], [0, 0, 0, 0]])
        torch.testing.assert_close(values, torch.tensor([[0.9, 0.6, 0, 0]]))


if __name__ == "__main__":
    unittest.main()
