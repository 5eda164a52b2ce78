"""PyTorch's outputs of a DSVT detector, stage by stage, for a few clouds, in one small file:

    python -m hone_zoo.dsvt.golden --weights weights.pt --config kitti_b -o golden.npz 000001.bin 000002.bin

Of each cloud, named by its file: `N/points` and `N/pillars` (how many are inside the range), `N/sets` (of both
partitions), `N/hash/...` (SHA-256 of the bytes of point_voxels int64, voxel_coords int32, inds int64 and masks bool of
both partitions), `N/...` of every output of the exported parts (every stride-th number, see `sampled`; the largest
magnitude comes first), and `N/boxes`, `N/scores`, `N/classes`, `N/cells` (y * width + x, where in the maps a box is).
"""

import argparse
import hashlib
import pathlib
import sys

import numpy as np
import torch
from torch import Tensor

from ..world.kitti import read_cloud
from .bev import map_to_bev
from .config import load_config
from .decode import cell_boxes, decode
from .model import Detector, make_detector

SAMPLES = 2048


def sampled(values: Tensor) -> np.ndarray:
    """float32 [1 + about SAMPLES]: the largest magnitude, then every stride-th number in memory order, where stride
    is the least odd number that leaves no more than SAMPLES."""
    flat = values.contiguous().flatten().numpy()
    stride = -(-len(flat) // SAMPLES) | 1
    return np.concatenate([[np.abs(flat).max()], flat[::stride]]).astype(np.float32)


def sha256(values: Tensor) -> np.ndarray:
    """uint8 [32]."""
    return np.frombuffer(hashlib.sha256(values.contiguous().numpy().tobytes()).digest(), dtype=np.uint8)


@torch.no_grad()
def golden(detector: Detector, cloud: Tensor) -> dict[str, np.ndarray]:
    """What the module's description says, of one cloud [P, C] float32."""
    config = detector.config
    nx, ny, _ = config.grid()
    pillars = detector.pillarizer(cloud, torch.zeros(len(cloud), dtype=torch.int64))
    sets, position = detector.backbone_3d.input_layer(pillars.coords)
    features = detector.vfe(pillars)
    refined = detector.backbone_3d.blocks(features, sets, position)
    bev = map_to_bev(refined, pillars.coords, 1, ny, nx)
    wide = detector.backbone_2d(bev)
    maps = detector.dense_head(wide)
    hashes = {"point_voxels": pillars.index, "voxel_coords": pillars.coords.int()}
    for s, part in enumerate(sets):
        hashes |= {f"inds_{s}": part.inds, f"masks_{s}": part.mask}
    stages = {"pillar_features": features, "pos_embed_tensor": position, "output": refined, "spatial_features": bev}
    stages |= {"spatial_features_2d": wide, **maps}
    (found,) = decode(maps, config)
    everywhere = cell_boxes(maps, torch.zeros(nx * ny, dtype=torch.int64), torch.arange(nx * ny), config)
    cells = torch.stack([(everywhere - box).abs().sum(1).argmin() for box in found.boxes])
    counts = {"points": len(pillars.points), "pillars": len(pillars.coords), "sets": [part.inds.shape[1] for part in sets]}
    return {
        **{name: np.array(count) for name, count in counts.items()},
        **{f"hash/{name}": sha256(value) for name, value in hashes.items()},
        **{name: sampled(value) for name, value in stages.items()},
        **{name: value.numpy() for name, value in found._asdict().items()},
        "cells": cells.numpy(),
    }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clouds", nargs="+", type=pathlib.Path)
    parser.add_argument("--weights", required=True, help="a checkpoint, or random[:SEED]")
    parser.add_argument("--config", default="kitti_b")
    parser.add_argument("-o", "--output", required=True, metavar="F.npz")
    args = parser.parse_args(arguments)
    try:
        detector, arrays = make_detector(load_config(args.config), args.weights), {}
        for path in args.clouds:
            values = golden(detector, torch.from_numpy(read_cloud(path)))
            arrays |= {f"{path.stem}/{name}": value for name, value in values.items()}
        np.savez_compressed(args.output, **arrays)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
