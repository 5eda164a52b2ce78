"""Writes what PyTorch computes for two sample frames with the weights of a shipped file, for the engine's tests:

  python -m hone_zoo.yolov7.golden models/yolov7_tiny_street.onnx models/samples/image_2/000028.jpg ... -o golden.npz

Computed in double precision, stored as float32:

  pictures             names of the pictures
  sha256               of each picture's decoded bytes (RGB, row by row)
  stride               S below
  stage/VALUE          [pictures, n]: every S-th element of the ONNX value's map (or rows), flattened; the input is the
                       picture unscaled in the middle of grey (114), so that it is the same to the last bit everywhere
  PICTURE/boxes, /scores, /classes     the detections in the picture's pixels, best first, of the letterboxed picture
"""

import argparse
import ast
import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from PIL import Image
from torch import Tensor

from hone_zoo.yolov7 import nms
from hone_zoo.yolov7.augment import letterbox
from hone_zoo.yolov7.model import Yolov7
from hone_zoo.yolov7.tails import boxes_and_scores

STAGES = (7, 14, 21, 28, 37, 47, 57, 65, 73)  # layers of yolov7-tiny: the backbone's four, the neck's five
STRIDE = 997  # a prime, so that all channels and columns are met
GREY = 114
CONF, IOU = 0.25, 0.45


def shipped_model(proto: onnx.ModelProto) -> Yolov7:
    """The fused model in double precision, with the weights of an exported file. ValueError names those it lacks."""
    found = {entry.key: entry.value for entry in proto.metadata_props}
    names = list(ast.literal_eval(found["names"]).values())
    model = Yolov7(found["hone.family"], names, implicit=False).fuse()
    stored = {
        weight.name.removeprefix("model.").removesuffix(".half"): torch.tensor(numpy_helper.to_array(weight)).float()
        for weight in proto.graph.initializer
    }
    missing = sorted(name for name, _ in model.named_parameters() if name not in stored)
    if missing:
        raise ValueError(f"the file has no weights {', '.join(missing)}")
    model.load_state_dict({name: stored.get(name, value) for name, value in model.state_dict().items()})
    return model.double().eval()


def value_of(proto: onnx.ModelProto, layer: int) -> str:
    """Name of the value that a layer of the table gives."""
    return [node.output[0] for node in proto.graph.node if node.name.startswith(f"/model/model.{layer}/")][-1]


def centred(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture uint8 [h, w, 3], not larger than size, in the middle of grey [height, width, 3]."""
    top, left = ((full - own) // 2 for full, own in zip(size, picture.shape))
    out = np.full((*size, 3), GREY, np.uint8)
    out[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return out


@torch.no_grad()
def stages(model: Yolov7, proto: onnx.ModelProto, inputs: Tensor) -> dict[str, np.ndarray]:
    """Samples [B, n] of the stages' maps and of the rows, by ONNX value, for pictures [B, 3, H, W] in 0 to 1."""
    values: dict[str, Tensor] = {}
    for layer in STAGES:
        name = value_of(proto, layer)
        model.model[layer].register_forward_hook(lambda _, __, value, name=name: values.update({name: value}))
    values["output"] = model.rows(inputs)
    return {name: value.flatten(1)[:, ::STRIDE].float().numpy() for name, value in values.items()}


@torch.no_grad()
def detections(model: Yolov7, picture: np.ndarray, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes [n, 4], scores [n] and classes [n] as YOLOv7's detect.py finds them: one class a row, an 8-bit letterbox,
    and offsets of the unrounded size."""
    padded, scale, _ = letterbox(torch.tensor(picture)[None], size)
    rows = model.rows((padded * 255).round().double() / 255)
    boxes, scores = (value[0] for value in boxes_and_scores(rows))
    best, label = scores.max(1)
    order = best.argsort(descending=True)
    order = order[best[order] > CONF]
    shift = [(full - own * scale) / 2 for full, own in zip(size[::-1], picture.shape[1::-1])]
    box = (nms.corners(boxes[order]) - torch.tensor(shift * 2)) / scale
    kept = nms.greedy(box + label[order, None] * 8192.0, IOU)
    limit = torch.tensor([picture.shape[1], picture.shape[0]] * 2)
    return torch.minimum(box[kept].clamp(min=0), limit), best[order][kept], label[order][kept]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hone_zoo.yolov7.golden",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, help="an exported file, with --grid")
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .npz file")
    args = parser.parse_args()
    proto = onnx.load(str(args.model))
    model = shipped_model(proto)
    size = tuple(dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim[2:])
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in args.pictures]
    inputs = torch.from_numpy(np.stack([centred(picture, size) for picture in pictures])).permute(0, 3, 1, 2)
    arrays = {
        "pictures": np.array([path.name for path in args.pictures]),
        "sha256": np.array([hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures]),
        "stride": np.array(STRIDE),
    }
    for path, picture in zip(args.pictures, pictures):
        for name, value in zip(("boxes", "scores", "classes"), detections(model, picture, size)):
            arrays[f"{path.name}/{name}"] = value.float().numpy()
    for name, value in stages(model, proto, inputs.double() / 255).items():
        arrays[f"stage/{name}"] = value
    np.savez_compressed(args.output, **arrays)
    print(f"{args.output}: {len(STAGES) + 1} stages and the detections of {', '.join(arrays['pictures'])}")


if __name__ == "__main__":
    main()
