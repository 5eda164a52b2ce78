"""DSVT's pillars and sets: golden numbers of real frames, invariants on random clouds, a slow reference."""

import dataclasses
import os
import pathlib
import unittest

import numpy as np
import torch

import dsvt_reference as reference
from hone_zoo.dsvt.config import load_config
from hone_zoo.dsvt.partition import set_partition, window_partition
from hone_zoo.dsvt.pillars import Pillarizer
from hone_zoo.dsvt.transformer import InputLayer

DATA = pathlib.Path(os.environ.get("HONE_DATA", pathlib.Path(__file__).resolve().parents[2] / "../shared/data"))
NUSCENES = "nuscenes/n015-2018-07-24-11-22-45+0800__LIDAR_TOP__1532402927647951.pcd.bin"
# (config, file): points kept, pillars, hash of (key, count), then of each partition: sets, hash of inds, masked slots.
GOLDEN = {
    ("kitti_a", "kitti/000000.bin"): (20237, 3384, "2d0933d0d0d56d13",
        (164, "96c2ad4059a30b2b", 5040), (126, "bb48c877b150dfca", 2304)),
    ("kitti_a", "kitti/000004.bin"): (18048, 7515, "094569b01e8a7902",
        (513, "643b676df79d6e2b", 21906), (298, "8875054233945d1b", 6426)),
    ("kitti_a", "kitti/000008.bin"): (16897, 3945, "1b23281345d84757",
        (241, "ff6d2df8954fcce8", 9462), (152, "fb315d4474c189c3", 3054)),
    ("kitti_b", "kitti/000000.bin"): (20237, 1455, "80ff4440fbcdcb39",
        (69, "78657baba2b62740", 2058), (55, "4e4604ff5b74444a", 1050)),
    ("kitti_b", "kitti/000004.bin"): (18048, 4078, "ed8ee7970ca24221",
        (215, "adfd1a67f26eb906", 7324), (143, "10b90b6ea5dc9817", 2140)),
    ("kitti_b", "kitti/000008.bin"): (16897, 1890, "ced0f5d9affef106",
        (103, "66c20c94f9211d21", 3636), (67, "04f0514c6d6a9e2a", 1044)),
    ("waymo", NUSCENES): (30429, 4911, "1eb4ab4fc20b652f",
        (439, "0d82d8831391ea6e", 21786), (256, "52010c0f8d7e4abc", 8610)),
    ("nuscenes", NUSCENES): (32330, 5654, "43d935857ec11386",
        (131, "e6160967d0e9a782", 12272), (137, "9acb04b7d684fca0", 13352)),
}  # fmt: skip


def nuscenes_config():
    """DSVT's nuScenes geometry: other windows, sets and shifts."""
    config = load_config("waymo")
    transformer = dataclasses.replace(
        config.transformer, set_size=90, window=[30, 30, 1], hybrid_factor=[1, 1, 1], shifts=[[0, 0, 0], [15, 15, 0]]
    )
    return dataclasses.replace(
        config,
        points=dataclasses.replace(config.points, range=[-54.0, -54.0, -5.0, 54.0, 54.0, 3.0]),
        pillars=dataclasses.replace(config.pillars, size=[0.3, 0.3, 8.0]),
        transformer=transformer,
    )


def fnv(values: torch.Tensor) -> str:
    """The golden numbers' hash: FNV-1a, 64 bits, over the values as little-endian int32, from another start."""
    state = 1469598103934665603
    for byte in values.numpy().astype("<i4").tobytes():
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{state:016x}"


def pillars_of(points, config):
    return Pillarizer(config)(points, torch.zeros(len(points), dtype=torch.int64))


def random_cells(rng, count, nx, ny):
    x, y = np.divmod(np.sort(rng.choice(nx * ny, size=count, replace=False)), ny)
    return np.stack([np.zeros_like(x), np.zeros_like(x), y, x], 1)


class GoldenTest(unittest.TestCase):
    def test_real_frames(self):
        if not (DATA / "kitti").exists():
            self.skipTest(f"there is no {DATA / 'kitti'}; set HONE_DATA")
        for (name, file), (kept, count, keys, *partitions) in GOLDEN.items():
            with self.subTest(config=name, file=file):
                config = nuscenes_config() if name == "nuscenes" else load_config(name)
                cloud = np.fromfile(DATA / file, np.float32).reshape(-1, 5 if file == NUSCENES else 4)
                points = torch.from_numpy(cloud)
                pillars = pillars_of(points[torch.randperm(len(points))], config)
                self.assertEqual((len(pillars.points), len(pillars.coords)), (kept, count))
                _, z, y, x = pillars.coords.unbind(1)
                _, ny, nz = config.grid()
                self.assertEqual(fnv(torch.stack([(x * ny + y) * nz + z, pillars.counts], 1)), keys)
                sets, _ = InputLayer(config).partitions(pillars.coords)
                found = [(s.inds.shape[1], fnv(s.inds), int(s.mask.sum())) for s in sets]
                self.assertEqual(found, partitions)


class PartitionTest(unittest.TestCase):
    def check_invariants(self, sets, count, set_size):
        for inds, mask, first in zip(*sets):
            self.assertEqual(int(mask.sum()), mask.numel() - count)
            self.assertFalse(mask[:, 0].any())
            distinct = inds[~mask]
            self.assertTrue(torch.equal(distinct.sort()[0], torch.arange(count)), "each voxel is in one set, once")
            self.assertTrue(torch.equal(inds.flatten()[first], torch.arange(count)))
            self.assertFalse(mask.flatten()[first].any())
            self.assertTrue(torch.equal(inds[:, 1:][mask[:, 1:]], inds[:, :-1][mask[:, 1:]]))

    def test_invariants_and_reference_on_random_clouds(self):
        rng = np.random.default_rng(1)
        for case in range(300):
            window = [int(rng.integers(1, 13)), int(rng.integers(1, 13)), 1]
            shift = [int(rng.integers(0, window[0])), int(rng.integers(0, window[1])), 0]
            nx, ny, set_size = int(rng.integers(1, 40)), int(rng.integers(1, 40)), int(rng.integers(1, 40))
            count = int(rng.integers(1, nx * ny + 1)) if case else nx * ny
            coords = torch.from_numpy(random_cells(rng, count, nx, ny))
            number, place = window_partition(coords, [nx, ny, 1], window, shift)
            sets = set_partition(number, place, window, set_size)
            self.check_invariants(sets, count, set_size)
            cells = [(int(c[3]), int(c[2])) for c in coords]
            inds, mask = reference.partition(cells, window, shift, set_size)
            np.testing.assert_array_equal(sets.inds.numpy(), inds)
            np.testing.assert_array_equal(sets.mask.numpy(), mask)

    def test_set_sizes_at_the_edges(self):
        for count, expected in ((0, 0), (1, 1), (36, 1), (37, 2), (72, 2), (73, 3), (144, 4)):
            with self.subTest(voxels=count):
                coords = torch.zeros(count, 4, dtype=torch.int64)
                coords[:, 2], coords[:, 3] = torch.arange(count) % 12, torch.arange(count) // 12
                sets = set_partition(*window_partition(coords, [12, 12, 1], [12, 12, 1], [0, 0, 0]), [12, 12, 1], 36)
                self.assertEqual(sets.inds.shape, (2, expected, 36))
                self.check_invariants(sets, count, 36)

    def test_frames_do_not_share_sets(self):
        coords = torch.from_numpy(random_cells(np.random.default_rng(2), 150, 24, 24))
        both = torch.cat([coords, coords])
        both[150:, 0] = 1
        window = [12, 12, 1]
        one, two = (
            set_partition(*window_partition(c, [24, 24, 1], window, [6, 6, 0]), window, 36) for c in (coords, both)
        )
        self.assertTrue(torch.equal(two.inds, torch.cat([one.inds, one.inds + 150], 1)))

    def test_three_dimensional_windows(self):
        """z is fastest of all, and shifts in z count unless the window is as high as the grid."""
        coords = torch.tensor([[0, z, 1, 0] for z in range(4)])
        number, place = window_partition(coords, [4, 4, 8], [2, 2, 4], [1, 1, 2])
        self.assertEqual(place.tolist(), [[1, 0, 2], [1, 0, 3], [1, 0, 0], [1, 0, 1]])
        self.assertEqual(number.unique(return_counts=True)[1].tolist(), [2, 2])
        _, place = window_partition(coords, [4, 4, 4], [2, 2, 4], [1, 1, 2])
        self.assertEqual(place[:, 2].tolist(), [0, 1, 2, 3])

    def test_order_of_points_does_not_matter(self):
        config = load_config("kitti_b")
        generator = torch.Generator().manual_seed(3)
        points = torch.rand(4000, 4, generator=generator) * torch.tensor([69.12, 79.36, 4, 1])
        points -= torch.tensor([0, 39.68, 3, 0])
        first = pillars_of(points, config)
        for _ in range(20):
            other = pillars_of(points[torch.randperm(4000, generator=generator)], config)
            self.assertTrue(torch.equal(other.coords, first.coords))
            self.assertTrue(torch.equal(other.counts, first.counts))


class PillarizerTest(unittest.TestCase):
    def test_against_reference(self):
        rng = np.random.default_rng(4)
        for name in ("waymo", "kitti_a", "kitti_b"):
            config = load_config(name)
            low, high = np.array(config.points.range[:3]), np.array(config.points.range[3:])
            points = np.zeros((3000, 4), np.float32)
            points[:, :3] = low - 1 + (high - low + 2) * rng.random((3000, 3))
            # Half of them exactly on the bins' edges, the range's ends included.
            edges = np.float32(config.pillars.size[0]) * rng.integers(0, config.grid()[0] + 1, 1500).astype(np.float32)
            points[:1500, 0] = edges + np.float32(low[0])
            points[:50, 0], points[50:100, 1], points[100:150, 2] = high[0], high[1], high[2]
            pillars = pillars_of(torch.from_numpy(points), config)
            expected = reference.pillars(points, config)
            self.assertEqual([(c[3], c[2]) for c in pillars.coords.tolist()], list(expected))
            self.assertEqual(pillars.counts.tolist(), [len(members) for members in expected.values()])

    def test_points_that_are_no_points(self):
        config = load_config("kitti_b")
        bad = [
            [float("nan"), 0, 0, 0],
            [1, float("inf"), 0, 0],
            [1, 1, float("-inf"), 0],
            [1, 1, 0, float("nan")],
            [-0.01, 0, 0, 0],
            [1, 1, 1.0, 0],
        ]
        pillars = pillars_of(torch.tensor([*bad, [1, 1, -1, 0.5]]), config)
        self.assertEqual((len(pillars.points), len(pillars.coords)), (1, 1))
        empty = pillars_of(torch.zeros(0, 4), config)
        self.assertEqual(len(empty.coords), 0)

    def test_all_points_in_one_pillar(self):
        points = torch.tensor([[1.0, 1.0, -1.0, 0.5]]).repeat(5000, 1)
        self.assertEqual(pillars_of(points, load_config("kitti_a")).counts.tolist(), [5000])


if __name__ == "__main__":
    unittest.main()
