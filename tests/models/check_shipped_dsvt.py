"""Checks the shipped DSVT (models/dsvt_kitti_b) on two sample frames, from the points to the head's maps: each part by
`hone run` against ONNX Runtime on the same inputs, and the whole chain against what PyTorch computed (models/golden,
written by hone_zoo.dsvt.golden): partitions bit for bit, every stage's samples, the final boxes.

usage: check_shipped_dsvt.py HONE
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from check_dsvt import run_hone
from dsvt_partition import partition

MODELS = pathlib.Path(__file__).resolve().parents[2] / "models"
FOLDER = MODELS / "dsvt_kitti_b"
SAMPLES = 2048
TOLERANCE = 1e-4  # of the range, against ONNX Runtime
# Of the range, against PyTorch: convolutions are rounded to 16 bit with their normalisation folded in.
GOLDEN_TOLERANCE = 3e-3
# Of a box: metres, radians.
CENTRE, SIZE, YAW, SCORE = 0.01, 0.01, 0.01, 0.005
LEAST_BOXES = 5


def sampled(values):
    """As hone_zoo.dsvt.golden samples: the largest magnitude, then every stride-th number."""
    flat = values.flatten()
    return np.concatenate([[np.abs(flat).max()], flat[:: -(-len(flat) // SAMPLES) | 1]])


def pillars(cloud, config):
    """Points inside the range, the pillar of each, and the pillars' coordinates (frame, z, y, x); by x, then y."""
    low, high = np.array(config["points"]["range"], np.float32).reshape(2, 3)
    size = np.array(config["pillars"]["size"], np.float32)
    grid = np.round((high - low) / size).astype(np.int64)
    cell = np.floor((cloud[:, :3] - low) / size)
    inside = ((cell >= 0) & (cell < grid)).all(1) & (cloud[:, :2] <= high[:2]).all(1)
    points, cell = cloud[inside], cell[inside].astype(np.int64)
    keys, index = np.unique(cell[:, 0] * grid[1] + cell[:, 1], return_inverse=True)
    zeros = np.zeros_like(keys)
    return points, index, np.stack([zeros, zeros, keys % grid[1], keys // grid[1]], 1).astype(np.int32)


def boxes_at(maps, cells, config):
    """Boxes [M, 7] that the maps hold at cells y * width + x."""
    width = maps["hm"].shape[3]
    center, center_z, dim, rot = (maps[name][0].reshape(maps[name].shape[1], -1)[:, cells]
                                  for name in ("center", "center_z", "dim", "rot"))  # fmt: skip
    low, size = config["points"]["range"], config["pillars"]["size"]
    x = (cells % width + center[0]) * size[0] + low[0]
    y = (cells // width + center[1]) * size[1] + low[1]
    return np.stack([x, y, center_z[0], *np.exp(dim), np.arctan2(rot[1], rot[0])], 1)


def scores_at(maps, cells, classes, config):
    """Scores [M] of classes at cells, rectified by the predicted IoU."""
    heat, iou = (maps[name][0].reshape(maps[name].shape[1], -1)[:, cells] for name in ("hm", "iou"))
    heat = 1 / (1 + np.exp(-heat[classes, np.arange(len(cells))]))
    power = np.array(config["decode"]["iou_powers"])[classes]
    return heat ** (1 - power) * ((iou[0] + 1) / 2).clip(0, 1) ** power


class Checker:
    def __init__(self, hone, folder):
        self.hone, self.folder, self.failed = hone, folder, False
        with np.load(MODELS / "golden/dsvt_kitti_b.npz") as arrays:
            self.golden = dict(arrays)
        self.config = json.loads({p.key: p.value for p in onnx.load(FOLDER / "head.onnx").metadata_props}["hone.config"])
        self.sessions, self.engines = {}, {}

    def report(self, name, good, text):
        self.failed |= not good
        print(f"{'ok    ' if good else 'FAILED'} {name}: {text}")

    def part(self, part, inputs):
        """A part's outputs by Hone, after comparing them with ONNX Runtime's."""
        path = FOLDER / f"{part}.onnx"
        if part not in self.sessions:
            self.sessions[part] = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            self.engines[part] = f"{self.folder}/{part}.hone"
            command = [self.hone, "build", str(path), "-o", self.engines[part], "--no-tune", "--quiet"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        session = self.sessions[part]
        names = [output.name for output in session.get_outputs()]
        expected = dict(zip(names, session.run(names, inputs)))
        actual = run_hone(self.hone, self.engines[part], inputs, self.folder)
        errors = {
            name: np.abs(actual[name] - value).max() / max(np.ptp(value), np.abs(value).max())
            if actual[name].shape == value.shape else np.inf for name, value in expected.items()
        }  # fmt: skip
        worst = max(errors, key=errors.get)
        self.report(f"{self.frame} {part}", errors[worst] <= TOLERANCE, f"{worst} {errors[worst]:.1e} of its range")
        return actual

    def expect(self, name, good, text=""):
        self.report(f"{self.frame} golden {name}", good, text)

    def expect_hash(self, name, values):
        digest = np.frombuffer(hashlib.sha256(np.ascontiguousarray(values).tobytes()).digest(), np.uint8)
        self.expect(name, np.array_equal(digest, self.golden[f"{self.frame}/hash/{name}"]), str(list(values.shape)))

    def expect_samples(self, outputs):
        for name, values in outputs.items():
            wanted, found = self.golden[f"{self.frame}/{name}"], sampled(values)
            error = np.abs(found - wanted).max() / wanted[0] if found.shape == wanted.shape else np.inf
            self.expect(name, error <= GOLDEN_TOLERANCE, f"{error:.1e} of the largest")

    def expect_boxes(self, maps):
        wanted, cells = self.golden[f"{self.frame}/boxes"], self.golden[f"{self.frame}/cells"]
        off = np.abs(boxes_at(maps, cells, self.config) - wanted)
        off[:, 6] = np.minimum(off[:, 6], 2 * np.pi - off[:, 6])
        worst = off[:, :3].max(), off[:, 3:6].max(), off[:, 6].max()
        good = len(wanted) >= LEAST_BOXES and all(w <= limit for w, limit in zip(worst, (CENTRE, SIZE, YAW)))
        text = "{} boxes, centre {:.3f} m, size {:.3f} m, yaw {:.3f}".format(len(wanted), *worst)
        self.expect("boxes", good, text)
        wanted, classes = self.golden[f"{self.frame}/scores"], self.golden[f"{self.frame}/classes"]
        off = np.abs(scores_at(maps, cells, classes, self.config) - wanted).max()
        self.expect("scores", off <= SCORE, f"off by {off:.4f}, classes {np.bincount(classes)}")

    def check(self, frame):
        self.frame = frame
        cloud = np.fromfile(MODELS / f"samples/velodyne/{frame}.bin", np.float32).reshape(-1, 4)
        points, index, coords = pillars(cloud, self.config)
        self.expect_hash("point_voxels", index)
        self.expect_hash("voxel_coords", coords)
        features = self.part("vfe", {"points": points, "point_voxels": index, "voxel_coords": coords})
        position = self.part("position_embedding", {"voxel_coords": coords})
        inputs = {"src": features["pillar_features"], **position}
        for s in (0, 1):
            inds, mask = partition(coords[:, 2].astype(np.int64), coords[:, 3].astype(np.int64), s)
            self.expect_hash(f"inds_{s}", inds)
            self.expect_hash(f"masks_{s}", mask)
            inputs |= {f"set_voxel_inds_tensor_shift_{s}": inds, f"set_voxel_masks_tensor_shift_{s}": mask}
        refined = self.part("blocks", inputs)
        bev = self.part("map_to_bev", {"pillar_features": refined["output"], "voxel_coords": coords})
        wide = self.part("backbone_2d", bev)
        maps = self.part("head", wide)
        self.expect_samples(features | position | refined | bev | wide | maps)
        self.expect_boxes(maps)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(sys.argv[1], folder)
        for frame in sorted({name.split("/")[0] for name in checker.golden}):
            checker.check(frame)
    sys.exit(checker.failed)


if __name__ == "__main__":
    main()
