"""Writes YOLOv7 as ONNX (opset 12, input "images" [B,3,H,W], RGB, 0 to 1), with the outputs of YOLOv7's own exporter:

  --raw                        3 maps [B,3,H/s,W/s,5+classes], before the sigmoid (the default)
  --grid                       "output" [B,N,5+classes]: cx, cy, w, h in pixels, objectness, classes
  --end2end                    num_dets, det_boxes, det_scores, det_classes by TRT::EfficientNMS_TRT
  --end2end --nms batched      num_detections, nmsed_boxes, nmsed_scores, nmsed_classes by TRT::BatchedNMSDynamic_TRT
  --end2end --max-wh 640       "output" [n,7]: picture, x0, y0, x1, y1, class, score by NonMaxSuppression

The file is written only after ONNX Runtime gave what PyTorch gives.
"""

import argparse
import contextlib
import copy
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from hone_zoo import onnx_check
from hone_zoo.yolov7.layers import STRIDES, read_tables
from hone_zoo.yolov7.model import ANCHORS, Yolov7
from hone_zoo.yolov7.nms import batched_nms, efficient_nms
from hone_zoo.yolov7.tails import ListTail, PluginTail
from hone_zoo.yolov7.weights import load_model, random_model

OPSET = 12
TOLERANCE, MAX_TOLERANCE = 1e-4, 1e-2  # of an output's range
ROWS = "rows"
PLUGINS = ("EfficientNMS_TRT", "BatchedNMSDynamic_TRT")
PLUGIN_OUTPUTS = {
    "efficient": ("num_dets", "det_boxes", "det_scores", "det_classes"),
    "batched": ("num_detections", "nmsed_boxes", "nmsed_scores", "nmsed_classes"),
}


def _size(text: str) -> int:
    if not text.isdigit() or int(text) == 0 or int(text) % STRIDES[-1]:
        raise argparse.ArgumentTypeError(f"{text}: a multiple of {STRIDES[-1]} is needed")
    return int(text)


def _batch(text: str) -> int:
    """0 stands for a free batch."""
    if text != "dynamic" and (not text.isdigit() or int(text) == 0):
        raise argparse.ArgumentTypeError(f"{text}: a number of pictures, or dynamic")
    return 0 if text == "dynamic" else int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this model's options."""
    parser.add_argument("--weights", required=True, help="a checkpoint (.pt), or random[:SEED]")
    parser.add_argument("-o", "--output", required=True, type=Path, help="the ONNX file")
    parser.add_argument(
        "--size", type=_size, nargs="+", default=[640], metavar="N", help="height and width, or one for both (640)"
    )
    parser.add_argument("--batch", type=_batch, default=1, metavar="N", help="pictures, or dynamic (1)")
    parser.add_argument(
        "--dynamic", action="store_true", help="batch, height and width are free; with --raw and --grid"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="maps, before the sigmoid")
    form.add_argument("--grid", action="store_true", help="decoded rows")
    form.add_argument("--end2end", action="store_true", help="with suppression")
    tail = parser.add_mutually_exclusive_group()
    tail.add_argument("--nms", choices=tuple(PLUGIN_OUTPUTS), help="the plugin of --end2end (efficient)")
    tail.add_argument(
        "--max-wh",
        type=float,
        metavar="N",
        help="--end2end by ONNX's operator; classes are N pixels apart (0: all suppress each other)",
    )
    parser.add_argument("--conf", type=float, default=0.25, help="lowest score (0.25)")
    parser.add_argument("--iou", type=float, default=0.45, help="overlap that suppresses (0.45)")
    parser.add_argument("--topk", type=int, default=100, help="detections of a picture (100)")
    parser.add_argument(
        "--half-weights", action="store_true", help="store weights in 16 bit, half the file; computation stays in 32"
    )
    made = parser.add_argument_group("with --weights random")
    made.add_argument("--model", choices=tuple(read_tables()), default="yolov7")
    made.add_argument("--classes", type=int, default=80)
    made.add_argument(
        "--width", type=float, default=1, help="factor for the channels: less than 1 gives a smaller file"
    )


def _check_arguments(args: argparse.Namespace) -> None:
    if len(args.size) > 2:
        raise ValueError("--size takes one or two numbers")
    if (args.nms or args.max_wh is not None) and not args.end2end:
        raise ValueError("--nms and --max-wh belong to --end2end")
    if args.dynamic and args.end2end:
        raise ValueError("--dynamic doesn't go with --end2end, as in the original exporter; --batch dynamic does")
    if not 0 <= args.conf <= 1 or not 0 < args.iou <= 1 or args.topk < 1:
        raise ValueError("--conf lies between 0 and 1, --iou above 0 and up to 1, --topk above 0")
    if args.nms == "batched" and args.topk > 4096:
        raise ValueError("--topk is at most 4096 with --nms batched")


def read_model(args: argparse.Namespace) -> Yolov7:
    """The model that --weights names."""
    kind, _, seed = args.weights.partition(":")
    if kind == "random" and not Path(args.weights).exists():
        if seed and not seed.isdigit():
            raise ValueError(f"--weights {args.weights}: the seed isn't a number")
        return random_model(args.model, args.classes, int(seed or 1), args.width)
    return load_model(args.weights)


class Exported(nn.Module):
    """A fused model with the output form that the options ask for."""

    def __init__(self, model: Yolov7, args: argparse.Namespace) -> None:
        super().__init__()
        self.model, self.raw, self.tail = model, not (args.grid or args.end2end), None
        if not args.dynamic:
            model.head.fix_size(*(args.size * 2)[:2])
        if args.end2end and args.max_wh is not None:
            self.tail = ListTail(args.max_wh, args.conf, args.iou, args.topk)
        elif args.end2end:
            self.tail = PluginTail(args.nms or "efficient", len(model.names), args.conf, args.iou, args.topk)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The outputs; those of a tail are followed by the rows, which `trace` names ROWS and doesn't keep as an
        output."""
        if self.raw:
            return self.model(x)
        rows = self.model.rows(x)
        if self.tail is None:
            return [rows]
        outputs = self.tail(rows)
        return [*(outputs if isinstance(outputs, tuple) else [outputs]), rows]


def output_types(args: argparse.Namespace, classes: int) -> list[tuple[str, int, list[int | str]]]:
    """Name, ONNX type and shape of each output; free dimensions have names, other unknown ones none."""
    height, width = (args.size * 2)[:2]
    batch = "batch" if args.dynamic or args.batch == 0 else args.batch
    columns, real = 5 + classes, TensorProto.FLOAT
    if args.end2end and args.max_wh is not None:
        return [("output", real, ["detections", 7])]
    if args.end2end:
        label = real if args.nms == "batched" else TensorProto.INT32
        forms = [(TensorProto.INT32, [1]), (real, [args.topk, 4]), (real, [args.topk]), (label, [args.topk])]
        names = PLUGIN_OUTPUTS[args.nms or "efficient"]
        return [(name, kind, [batch, *shape]) for name, (kind, shape) in zip(names, forms)]
    cells = [(height // s, width // s) for s in STRIDES]
    if args.grid:
        rows = "rows" if args.dynamic else ANCHORS * sum(h * w for h, w in cells)
        return [("output", real, [batch, rows, columns])]
    sides = [(f"height{s}", f"width{s}") if args.dynamic else cell for s, cell in zip(STRIDES, cells)]
    return [(f"output{i + 1 if i else ''}", real, [batch, ANCHORS, *side, columns]) for i, side in enumerate(sides)]


def trace(module: Exported, args: argparse.Namespace) -> onnx.ModelProto:
    """The module as ONNX, by PyTorch's classic exporter."""
    outputs = output_types(args, len(module.model.names))
    free = {0: "batch", 2: "height", 3: "width"} if args.dynamic else {0: "batch"} if args.batch == 0 else None
    axes = None
    if free:
        axes = {"images": free} | {
            name: {i: d for i, d in enumerate(s) if isinstance(d, str)} for name, _, s in outputs
        }
    rows = [ROWS] if module.tail is not None else []
    options = {} if torch.__version__.startswith("1.") else {"dynamo": False}
    buffer = io.BytesIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.rand(args.batch or 2, 3, *(args.size * 2)[:2]),),
            buffer,
            opset_version=OPSET,
            input_names=["images"],
            output_names=[*(name for name, _, _ in outputs), *rows],
            dynamic_axes=axes,
            custom_opsets={"TRT": 1} if isinstance(module.tail, PluginTail) else None,
            **options,
        )
    model = onnx.load_from_string(buffer.getvalue())
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(*output) for output in outputs)
    return model


def describe(model: onnx.ModelProto, module: Yolov7, args: argparse.Namespace) -> None:
    """Stores what a user of the file must know."""
    anchors = module.head.anchor_grid.view(len(STRIDES), ANCHORS, 2).tolist()
    helper.set_model_props(
        model,
        {
            "hone.family": module.family,
            "hone.norm": "0-1",
            "hone.channels": "rgb",
            "hone.anchors": " ".join(f"{w:g},{h:g}" for level in anchors for w, h in level),
            "names": repr(dict(enumerate(module.names))),
            "stride": str(STRIDES[-1]),
            "imgsz": str((args.size * 2)[:2]),
        },
    )


def plugin_outputs(model: onnx.ModelProto, node: onnx.NodeProto, inputs: onnx_check.Arrays) -> onnx_check.Arrays:
    """What a suppression plugin of the file gives: by the `hone` command where there is one; else by our own functions,
    with the file's attributes. (ONNX Runtime doesn't have the plugins.)"""
    found = onnx_check.hone_outputs(onnx_check.single_node(model, node, inputs), inputs)
    if found is not None:
        return found
    values = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    boxes, scores = (torch.from_numpy(inputs[name]) for name in node.input)
    if node.op_type.startswith("Efficient"):
        outputs = efficient_nms(
            boxes, scores, values["score_threshold"], values["iou_threshold"], values["max_output_boxes"]
        )
    else:
        outputs = batched_nms(boxes, scores, values["scoreThreshold"], values["iouThreshold"], values["keepTopK"])
    return dict(zip(node.output, (output.numpy() for output in outputs)))


def ordered(outputs: list[np.ndarray]) -> list[np.ndarray]:
    """Outputs of a suppression in an order that doesn't depend on how equal scores were sorted. Where a picture's list
    is full, those as good as the last are blanked: which of them got in is open."""
    count, boxes, scores, labels = (output.copy() for output in outputs)
    for i in range(len(count)):
        order = np.lexsort((*boxes[i].T, labels[i], -scores[i]))
        boxes[i], scores[i], labels[i] = boxes[i][order], scores[i][order], labels[i][order]
        if count[i, 0] == len(scores[i]):
            last = scores[i] == scores[i].min()
            boxes[i][last], labels[i][last] = 0, 0
    return [count, boxes, scores, labels]


class Checker:
    """Compares an exported file with the model as it was before fusing, in double precision."""

    def __init__(self, original: Yolov7, module: Exported, args: argparse.Namespace) -> None:
        self.original, self.exact = original, copy.deepcopy(original).double()
        self.raw, self.tail, self.args = module.raw, module.tail, args

    def __call__(self, path: Path) -> str | None:
        height, width = (self.args.size * 2)[:2]
        shapes = [(self.args.batch or 1, height, width)]
        if self.args.batch == 0 or self.args.dynamic:
            shapes.append((3, height + 32, width + 64) if self.args.dynamic else (3, height, width))
        random = torch.Generator().manual_seed(1)
        for batch, height, width in shapes:
            coarse = torch.rand(batch, 3, height // 16, width // 16, generator=random)
            pictures = nn.functional.interpolate(coarse, size=(height, width), mode="bilinear", align_corners=False)
            problem = self.compare(onnx.load(str(path)), (pictures + torch.rand(pictures.shape, generator=random)) / 2)
            if problem:
                return f"for {batch} pictures of {height} x {width}: {problem}"
        return None

    @torch.no_grad()
    def compare(self, model: onnx.ModelProto, pictures: Tensor) -> str | None:
        names, inputs = [output.name for output in model.graph.output], {"images": pictures.numpy()}
        body = model if self.tail is None else onnx_check.part_before(model, [ROWS])
        found = onnx_check.run(body, inputs)
        expected, tolerance = self.reference(pictures)
        problem = differences(found, dict(zip(names if self.tail is None else [ROWS], expected)), tolerance)
        if problem or self.tail is None:
            return problem
        rows = torch.from_numpy(found[ROWS])
        if isinstance(self.tail, ListTail):
            return differences(onnx_check.run(model, inputs), {names[0]: self.tail(rows)})
        node = next(node for node in model.graph.node if node.op_type in PLUGINS)
        before = onnx_check.run(onnx_check.part_before(model, node.input), inputs)
        values = [torch.from_numpy(before[name]) for name in node.input]
        problem = differences(before, dict(zip(node.input, self.tail.split(rows))))
        if problem:
            return problem
        found = plugin_outputs(model, node, before)
        expected = ordered([value.numpy() for value in self.tail.suppress(*values)])
        return onnx_check.differences(
            dict(zip(names, ordered([found[name] for name in names]))), dict(zip(names, expected)), TOLERANCE
        )

    def reference(self, pictures: Tensor) -> tuple[list[Tensor], float]:
        """Maps or rows, and how far from them single precision may be: TOLERANCE, or four times as far as PyTorch's
        is."""
        values = []
        for model, x in ((self.original, pictures), (self.exact, pictures.double())):
            values.append(model(x) if self.raw else [model.rows(x)])
        single, exact = values
        noise = max(float((a - b).abs().max() / b.abs().max().clamp(min=1)) for a, b in zip(single, exact))
        return [value.float() for value in exact], max(TOLERANCE, min(4 * noise, MAX_TOLERANCE))


def differences(found: onnx_check.Arrays, expected: dict[str, Tensor], tolerance: float = TOLERANCE) -> str | None:
    """onnx_check.differences, absolute where an output's range is below 1, as that of scores is."""
    return onnx_check.differences(found, {name: value.numpy() for name, value in expected.items()}, tolerance, 1.0)


def export(model: Yolov7, args: argparse.Namespace) -> None:
    """Writes args.output, checked. Fuses the model and settles its size. Raises onnx_check.ExportError, OSError,
    ValueError."""
    _check_arguments(args)
    original = copy.deepcopy(model).eval()
    module = Exported(model.fuse(), args).eval()
    if args.half_weights:
        original = module.model.half().float()
    proto = trace(module, args)
    describe(proto, module.model, args)
    if args.half_weights:
        onnx_check.halve_weights(proto)
    onnx_check.put_in_place(proto, args.output, Checker(original, module, args))


def main(args: argparse.Namespace) -> None:
    """What the command line asks for."""
    _check_arguments(args)
    model = read_model(args)
    export(model, args)
    classes = f"{len(model.names)} classes" if len(model.names) != 1 else "1 class"
    print(f"{args.output}: {model.family}, {classes}, checked against PyTorch with ONNX Runtime")
