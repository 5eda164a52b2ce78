"""DSVT's network against its slow reference, its published quirks, its parameters and its checkpoints."""

import copy
import dataclasses
import os
import tempfile
import unittest

import numpy as np
import torch
import torch.nn.functional as F

import dsvt_reference as reference
from dsvt_small import box_surface, ground, small_config
from hone_zoo import checkpoint
from hone_zoo.dsvt.bev import map_to_bev
from hone_zoo.dsvt.config import config_from, load_config
from hone_zoo.dsvt.model import Detector, load_weights, parameter_count, random_detector

TOLERANCE = 1e-4


def small_cloud(seed):
    generator = torch.Generator().manual_seed(seed)
    boxes = [
        [8.0, 2.0, -0.9, 3.9, 1.6, 1.5, 0.6],
        [14.0, -5.0, -0.8, 0.8, 0.6, 1.8, 0.0],
        [5.0, -6.0, -0.9, 1.8, 0.6, 1.7, 2.0],
    ]
    return torch.cat([ground(1500, generator), *(box_surface(box, 200, generator) for box in boxes)])


def as_double(detector):
    return {name: tensor.double().numpy() for name, tensor in detector.state_dict().items()}


class ReferenceTest(unittest.TestCase):
    """The network's stages on one cloud, and what each published quirk changes."""

    @classmethod
    def setUpClass(cls):
        cls.config = small_config()
        cls.detector = random_detector(cls.config, 7)
        cls.state = as_double(cls.detector)
        cls.cloud = small_cloud(1)
        with torch.no_grad():
            cls.pillars = cls.detector.pillarizer(cls.cloud, torch.zeros(len(cls.cloud), dtype=torch.int64))
            cls.features = cls.detector.vfe(cls.pillars)
            cls.output = cls.detector.backbone_3d(cls.features, cls.pillars.coords)
        cls.cells = reference.pillars(cls.cloud.numpy(), cls.config)

    def error(self, found, expected):
        return float(np.abs(found.numpy() - expected).max() / np.abs(expected).max())

    def changed(self, edit):
        """Relative change of the transformer's output after `edit` on a copy of the detector."""
        other = copy.deepcopy(self.detector)
        edit(other)
        with torch.no_grad():
            return self.error(other.backbone_3d(self.features, self.pillars.coords), self.output.numpy())

    def test_pillar_features(self):
        expected = reference.vfe(self.cloud.numpy(), self.cells, self.config, self.state)
        self.assertLess(self.error(self.features, expected), 1e-5)

    def test_transformer(self):
        features = self.features.double().numpy()
        expected = reference.transformer(features, list(self.cells), self.config, self.state)
        self.assertLess(self.error(self.output, expected), TOLERANCE)

    def test_embedding_of_a_layer_is_of_its_own_partition_not_of_its_sets(self):
        """The published mismatch: with embeddings that follow the sets, the output is another."""
        layer = self.detector.backbone_3d.input_layer
        with torch.no_grad():
            sets, position = layer(self.pillars.coords)
            _, places = layer.partitions(self.pillars.coords)
            for b in range(4):
                for i in (0, 1):
                    expected = layer.posembed_layers[0][b][i](places[i])
                    self.assertTrue(torch.allclose(position[b, i], expected, atol=1e-5))
            consistent = torch.stack(
                [torch.stack([layer.posembed_layers[0][b][i](places[b % 2]) for i in (0, 1)]) for b in range(4)]
            )
            other = self.detector.backbone_3d.blocks(self.features, sets, consistent)
        self.assertGreater(self.error(other, self.output.numpy()), 10 * TOLERANCE)

    def test_every_part_of_a_layer_matters(self):
        def drop_third_norm(detector):
            detector.backbone_3d.stage_0[0].encoder_list[0].norm = torch.nn.Identity()

        def exchange_sorted_axes(detector):
            detector.backbone_3d.stage_0[0].encoder_list = detector.backbone_3d.stage_0[0].encoder_list[::-1]

        def exchange_shifts(detector):
            config = detector.backbone_3d.input_layer.config
            shifts = [config.shifts[1], config.shifts[0]]
            detector.backbone_3d.input_layer.config = dataclasses.replace(config, shifts=shifts)

        for edit in (drop_third_norm, exchange_sorted_axes, exchange_shifts):
            with self.subTest(edit=edit.__name__):
                self.assertGreater(self.changed(edit), 10 * TOLERANCE)

    def test_gelu_is_exact(self):
        """The reference uses erf; the tanh form differs by more than the tolerance."""
        gelu = F.gelu
        try:
            F.gelu = lambda x: gelu(x, approximate="tanh")
            change = self.changed(lambda detector: None)
        finally:
            F.gelu = gelu
        self.assertGreater(change, TOLERANCE)

    def test_repeated_slots_are_masked(self):
        sets, position = self.detector.backbone_3d.input_layer(self.pillars.coords)
        with torch.no_grad():
            unmasked = [s._replace(mask=torch.zeros_like(s.mask)) for s in sets]
            other = self.detector.backbone_3d.blocks(self.features, unmasked, position)
        self.assertGreater(self.error(other, self.output.numpy()), 10 * TOLERANCE)

    def test_writing_every_slot_is_writing_the_first(self):
        """The exported form, which writes repeated slots too."""
        sets, position = self.detector.backbone_3d.input_layer(self.pillars.coords)
        with torch.no_grad():
            x = self.features
            for b, block in enumerate(self.detector.backbone_3d.stage_0):
                norm = self.detector.backbone_3d.residual_norm_stage_0[b]
                x = norm(x + block(x, position[b], sets[b % 2].inds, sets[b % 2].mask))
        self.assertTrue(torch.allclose(x, self.output, atol=1e-5))

    def test_frames_are_independent(self):
        clouds = [small_cloud(1), small_cloud(2)[:700]]
        points, frame = torch.cat(clouds), torch.tensor([0] * len(clouds[0]) + [1] * len(clouds[1]))
        with torch.no_grad():
            together = self.detector(points, frame, 2)
            for i, cloud in enumerate(clouds):
                alone = self.detector(cloud, torch.zeros(len(cloud), dtype=torch.int64), 1)
                for name, value in alone.items():
                    self.assertTrue(torch.allclose(together[name][i], value[0], atol=1e-4), name)

    def test_empty_cloud(self):
        (found,) = self.detector.detect([torch.zeros(0, 4)])
        self.assertEqual(found.boxes.shape[1], 7)


class MapTest(unittest.TestCase):
    """The 2-D half, rebuilt from the published tensor names in double precision."""

    @classmethod
    def setUpClass(cls):
        cls.detector = random_detector(small_config(), 8)
        cls.state = {name: tensor.double() for name, tensor in cls.detector.state_dict().items()}

    def norm(self, x, name):
        s = self.state
        weights = (s[f"{name}.running_mean"], s[f"{name}.running_var"], s[f"{name}.weight"], s[f"{name}.bias"])
        return F.batch_norm(x, *weights, eps=1e-3)

    def conv(self, x, name, stride=1):
        weight = self.state[f"{name}.weight"]
        return F.conv2d(x, weight, self.state.get(f"{name}.bias"), stride, padding=weight.shape[-1] // 2)

    def test_map_to_bev(self):
        features = torch.randn(3, 5)
        coords = torch.tensor([[0, 0, 2, 1], [1, 0, 0, 3], [1, 0, 2, 0]], dtype=torch.int32)
        found = map_to_bev(features, coords, 2, 3, 4)
        expected = torch.zeros(2, 5, 3, 4)
        for feature, (b, _, y, x) in zip(features, coords):
            expected[b, :, y, x] = feature
        self.assertTrue(torch.equal(found, expected))

    def test_backbone(self):
        x = torch.randn(1, 32, 16, 24)
        with torch.no_grad():
            found = self.detector.backbone_2d(x)
        x, maps = x.double(), []
        for level, (stride, blocks) in enumerate(((1, 2), (2, 3), (2, 3))):
            for k in range(blocks):
                name, s = f"backbone_2d.blocks.{level}.{k}", stride if k == 0 else 1
                skip = x
                if k == 0:
                    skip = self.norm(self.conv(x, f"{name}.downsample_layer.0", s), f"{name}.downsample_layer.1")
                x = self.norm(self.conv(x, f"{name}.conv1", s), f"{name}.bn1").relu()
                x = (self.norm(self.conv(x, f"{name}.conv2"), f"{name}.bn2") + skip).relu()
            name, up = f"backbone_2d.deblocks.{level}", 2**level
            raised = F.conv_transpose2d(x, self.state[f"{name}.0.weight"], stride=up)
            maps.append(self.norm(raised, f"{name}.1").relu())
        self.assertTrue(torch.allclose(found.double(), torch.cat(maps, 1), atol=1e-4))

    def test_head(self):
        x = torch.randn(1, 48, 16, 24)
        with torch.no_grad():
            found = self.detector.dense_head(x)
        shared = self.norm(self.conv(x.double(), "dense_head.shared_conv.0"), "dense_head.shared_conv.1").relu()
        self.assertEqual(list(found), ["center", "center_z", "dim", "rot", "iou", "hm"])
        for branch, value in found.items():
            name = f"dense_head.heads_list.0.{branch}"
            hidden = self.norm(self.conv(shared, f"{name}.0.0"), f"{name}.0.1").relu()
            self.assertTrue(torch.allclose(value.double(), self.conv(hidden, f"{name}.1"), atol=1e-4), branch)


class ParameterTest(unittest.TestCase):
    def test_counts(self):
        expected = {"waymo": (8_653_292, 38_496), "kitti_a": (8_653_196, 38_400), "kitti_b": (8_653_196, 38_400)}
        for name, counts in expected.items():
            detector = Detector(load_config(name))
            self.assertEqual((parameter_count(detector), parameter_count(detector.vfe)), counts)
        parts = (detector.backbone_3d, detector.backbone_2d, detector.dense_head)
        self.assertEqual([parameter_count(p) for p in parts], [2_684_928, 5_479_680, 450_188])
        self.assertEqual(parameter_count(detector.backbone_3d.stage_0[0].encoder_list[0]), 297_408)


class CheckpointTest(unittest.TestCase):
    def setUp(self):
        self.config = small_config()
        self.source = random_detector(self.config, 9)
        self.target = random_detector(self.config, 10)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "checkpoint.pth")

    def save(self, state):
        torch.save({"epoch": 24, "it": 1, "model_state": state, "version": "pcdet+0.5.2"}, self.path)

    def test_openpcdet(self):
        state = {"global_step": torch.zeros(1, dtype=torch.int64), **self.source.state_dict()}
        self.save(state)
        load_weights(self.target, self.path)
        for name, tensor in self.source.state_dict().items():
            self.assertTrue(torch.equal(self.target.state_dict()[name], tensor), name)

    def test_half_precision_and_prefix(self):
        self.save(
            {f"module.{name}": t.half() if t.is_floating_point() else t for name, t in self.source.state_dict().items()}
        )
        load_weights(self.target, self.path)
        name = "backbone_2d.blocks.0.0.conv1.weight"
        self.assertTrue(torch.equal(self.target.state_dict()[name], self.source.state_dict()[name].half().float()))

    def test_all_faults_are_named_and_nothing_is_changed(self):
        state = self.source.state_dict()
        missing = "backbone_3d.stage_0.1.encoder_list.0.win_attn.self_attn.in_proj_weight"
        misshapen = "vfe.pfn_layers.0.linear.weight"
        state.pop(missing)
        state["dense_head.extra.weight"] = torch.ones(2)
        state[misshapen] = torch.ones(16, 11)
        self.save(state)
        before = copy.deepcopy(self.target.state_dict())
        with self.assertRaises(checkpoint.CheckpointError) as caught:
            load_weights(self.target, self.path)
        for text in (missing, "dense_head.extra.weight", misshapen, "[16, 11]", "[16, 10]"):
            self.assertIn(text, str(caught.exception))
        for name, tensor in before.items():
            self.assertTrue(torch.equal(self.target.state_dict()[name], tensor), name)

    def test_published_names(self):
        names = set(Detector(load_config("kitti_b")).state_dict())
        for name in (
            "vfe.pfn_layers.1.norm.running_var",
            "backbone_3d.input_layer.posembed_layers.0.3.1.position_embedding_head.3.bias",
            "backbone_3d.stage_0.3.encoder_list.1.win_attn.self_attn.out_proj.weight",
            "backbone_3d.stage_0.0.encoder_list.0.win_attn.norm2.weight",
            "backbone_3d.stage_0.0.encoder_list.0.norm.weight",
            "backbone_3d.residual_norm_stage_0.3.bias",
            "backbone_2d.blocks.2.0.downsample_layer.1.weight",
            "backbone_2d.deblocks.0.0.weight",
            "dense_head.shared_conv.1.running_mean",
            "dense_head.heads_list.0.hm.0.1.weight",
            "dense_head.heads_list.0.center_z.1.bias",
        ):
            self.assertIn(name, names)


class ConfigTest(unittest.TestCase):
    def test_faults_are_named_together(self):
        table = dataclasses.asdict(load_config("kitti_b"))
        table["decode"].pop("top")
        table["pillars"]["colour"] = 1
        table["head"]["iou"] = "yes"
        with self.assertRaises(ValueError) as caught:
            config_from(table)
        for text in ("decode.top is missing", "pillars.colour isn't known", "head.iou is 'yes'"):
            self.assertIn(text, str(caught.exception))

    def test_grid_must_fit_the_backbone(self):
        table = dataclasses.asdict(load_config("kitti_b"))
        table["points"]["range"][3] = 80.0
        with self.assertRaisesRegex(ValueError, "250 x 248 isn't a multiple"):
            config_from(table)

    def test_unknown_name(self):
        with self.assertRaisesRegex(ValueError, "kitti_a, kitti_b, waymo"):
            load_config("kitti_c")


if __name__ == "__main__":
    unittest.main()
