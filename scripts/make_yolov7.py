"""Writes YOLOv7 and YOLOv7-tiny as ONNX files, in every form that YOLOv7's own exporter gives, with random weights.

    python scripts/make_yolov7.py yolov7.onnx
    python scripts/make_yolov7.py tiny.onnx --model yolov7-tiny --form end2end --size 320 256 --dynamic-batch
    python scripts/make_yolov7.py small.onnx --width 0.125 --classes 3     # a small file for tests

The layers come from zoo/hone_zoo/yolov7/layers.txt. Opset 12, input "images" [B,3,H,W]; names, types and the operators of the heads
are the exporter's. Forms:

    raw          the convolutions' outputs [B,3,H,W,5+classes] of each map, before the sigmoid
    grid         one "output" [B,N,5+classes]: cx, cy, w, h, objectness, classes
    end2end      num_dets, det_boxes, det_scores, det_classes by TRT::EfficientNMS_TRT
    include-nms  the same names by EfficientNMS_TRT as the exporter's --include-nms adds it: default domain, corners
    batched-nms  num_detections, nmsed_boxes, nmsed_scores, nmsed_classes by BatchedNMSDynamic_TRT
    max-wh       "output" [n,7]: picture, x0, y0, x1, y1, class, score by NonMaxSuppression

Weights are drawn so that a signal neither dies nor explodes: each convolution's inputs are measured on a few random
pictures, and its weights scaled for outputs of about size 1. The same seed gives the same model. Needs onnx and numpy.
"""

import argparse
import pathlib
import sys

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "zoo"))
from hone_zoo.yolov7.layers import STRIDES, channels, read_tables  # noqa: E402

FORMS = ("raw", "grid", "end2end", "include-nms", "batched-nms", "max-wh")
OPSET = 12
PROBE_SIZE = 96  # of the pictures on which weights are scaled
# SiLU's mean square gain is 0.36 for a normal signal of size 1 and rises to 0.5 for a large one, so that other pictures'
# signals would grow from layer to layer; with sqrt(0.36 / 0.5) they don't.
SIGNAL = 0.84
FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64


def conv2d(x, weight, stride, mode):
    """[B,C,H,W] by [O,C,k,k]; `mode` is NumPy's name for how the border is padded."""
    kernel = weight.shape[2]
    pad = kernel // 2
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode=mode)
    windows = sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]
    pictures, channels, height, width = windows.shape[:4]
    columns = windows.transpose(1, 4, 5, 0, 2, 3).reshape(channels * kernel * kernel, -1)
    out = weight.reshape(len(weight), -1) @ columns
    return out.reshape(len(weight), pictures, height, width).swapaxes(0, 1)


def maxpool2d(x, kernel, stride, pad):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=-np.inf)
    return sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride].max((-1, -2))


def probe_pictures(random):
    """White noise, which excites a network the most, and patches of plain colors."""
    noise = random.random((1, 3, PROBE_SIZE, PROBE_SIZE), np.float32)
    patches = random.random((1, 3, 6, 6), np.float32).repeat(PROBE_SIZE // 6, 2).repeat(PROBE_SIZE // 6, 3)
    return np.concatenate([noise, patches])


class Graph:
    """Nodes and weights so far, and for each value of the backbone what it is on the probe pictures: first as if pictures
    went on beyond their borders, since small ones would be all border, then as it really is."""

    BORDERS = "edge", "constant"

    def __init__(self, seed):
        self.nodes, self.weights, self.outputs = [], [], []
        self.random = np.random.default_rng(seed)
        self.probe = {"images": [probe_pictures(self.random)] * 2}
        self.names = set()

    def node(self, op, inputs, name, outputs=1, domain="", **attributes):
        """Adds a node and returns its output, or the list of them."""
        results = [name] if outputs == 1 else [f"{name}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, results, name=f"{op}_{len(self.nodes)}", domain=domain, **attributes))
        return results[0] if outputs == 1 else results

    def weight(self, name, value):
        if name not in self.names:
            self.names.add(name)
            self.weights.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def ints(self, *values):
        return self.weight("ints_" + "_".join(map(str, values)).replace("-", "m"), np.array(values, np.int64))

    def index(self, value):
        return self.weight(f"index_{value}", np.array(value, np.int64))

    def conv(self, x, name, channels, kernel=1, stride=1):
        """A convolution whose outputs have the size SIGNAL on the probe: the second moment, means and all. Taking means out
        would make a deep network chaotic, and rounding errors grow."""
        size = np.sqrt(kernel * kernel * (self.probe[x][0] ** 2).mean((0, 2, 3)).sum()) / SIGNAL
        offset = 0.3 * self.random.standard_normal(channels, np.float32)
        return self.scaled_conv(x, name, (channels, kernel, stride), size, offset)

    def head_conv(self, x, name, bias):
        """A 1x1 convolution whose outputs vary by 1.5 around `bias` from place to place."""
        real = self.probe[x][1]
        size = np.sqrt(real.var((0, 2, 3)).sum()) / 1.5
        return self.scaled_conv(x, name, (len(bias), 1, 1), size, bias, real.mean((0, 2, 3)))

    def scaled_conv(self, x, name, form, size, offset, middle=None):
        """Random weights divided by `size`; offsets hold where the input is `middle` (not given: zero)."""
        channels, kernel, stride = form
        weight = self.random.standard_normal((channels, self.probe[x][0].shape[1], kernel, kernel), np.float32)
        # Rounded, so that another machine's last bits don't make another model.
        weight *= np.float32(2.0 ** (-np.round(4 * np.log2(max(size, 1e-6))) / 4))
        if middle is not None:
            offset = offset - np.round(weight[:, :, 0, 0] @ middle * 64) / 64
        offset = offset.astype(np.float32)
        out = self.node("Conv", [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", offset)], f"{name}.out",
                        dilations=[1, 1], group=1, kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4, strides=[stride] * 2)
        self.probe[out] = [conv2d(v, weight, stride, mode) + offset[:, None, None] for v, mode in zip(self.probe[x], self.BORDERS)]
        return out

    def activate(self, x, activation):
        if activation[0] == "silu":
            gate = self.node("Sigmoid", [x], f"{x}.sigmoid")
            out = self.node("Mul", [x, gate], f"{x}.silu")
            self.probe[out] = [v / (1 + np.exp(-v)) for v in self.probe[x]]
        else:
            alpha = float(activation[1])
            out = self.node("LeakyRelu", [x], f"{x}.leaky", alpha=alpha)
            self.probe[out] = [np.where(v > 0, v, alpha * v) for v in self.probe[x]]
        return out

    def maxpool(self, x, name, kernel, stride):
        pad = kernel // 2 if stride == 1 else 0
        out = self.node("MaxPool", [x], name, ceil_mode=0, kernel_shape=[kernel] * 2, pads=[pad] * 4, strides=[stride] * 2)
        self.probe[out] = [maxpool2d(v, kernel, stride, pad) for v in self.probe[x]]
        return out

    def upsample(self, x, name):
        scales = self.weight("upsample_scales", np.array([1, 1, 2, 2], np.float32))
        nothing = self.weight("upsample_roi", np.zeros(0, np.float32))
        out = self.node("Resize", [x, nothing, scales], name, coordinate_transformation_mode="asymmetric", cubic_coeff_a=-0.75,
                        mode="nearest", nearest_mode="floor")
        self.probe[out] = [v.repeat(2, 2).repeat(2, 3) for v in self.probe[x]]
        return out

    def concat(self, xs, name, axis=1):
        out = self.node("Concat", xs, name, axis=axis)
        if all(x in self.probe for x in xs):
            self.probe[out] = [np.concatenate(vs, axis) for vs in zip(*(self.probe[x] for x in xs))]
        return out

    def shape_of(self, x, axis):
        """One dimension as a scalar."""
        return self.node("Gather", [self.node("Shape", [x], f"{x}.shape{axis}"), self.index(axis)], f"{x}.dim{axis}", axis=0)

    def slice(self, x, name, axis, start, end):
        return self.node("Slice", [x, self.ints(start), self.ints(end), self.ints(axis), self.ints(1)], name)


class Model:
    def __init__(self, args):
        self.args = args
        self.network = read_tables()[args.model]
        self.graph = Graph(args.seed)
        self.columns = 5 + args.classes
        self.rows = sum(3 * (args.size[0] // s) * (args.size[1] // s) for s in STRIDES)
        self.batch = "batch" if args.dynamic_batch or args.dynamic else args.batch
        self.sides = ["height", "width"] if args.dynamic else list(args.size)

    def conv(self, x, name, count, kernel, stride=1):
        out = self.graph.conv(x, name, channels(count, self.args.width), kernel, stride)
        return self.graph.activate(out, self.network.activation)

    def sppcspc(self, x, name, count):
        g = self.graph
        y = self.conv(x, f"{name}.cv1.conv", count, 1)
        y = self.conv(self.conv(y, f"{name}.cv3.conv", count, 3), f"{name}.cv4.conv", count, 1)
        pools = [g.maxpool(y, f"{name}.m.{i}", kernel, 1) for i, kernel in enumerate((5, 9, 13))]
        y = g.concat([y, *pools], f"{name}.pools")
        y = self.conv(self.conv(y, f"{name}.cv5.conv", count, 1), f"{name}.cv6.conv", count, 3)
        z = self.conv(x, f"{name}.cv2.conv", count, 1)
        return self.conv(g.concat([y, z], f"{name}.both"), f"{name}.cv7.conv", count, 1)

    def backbone(self):
        """The inputs of the detection head."""
        values = {-1: "images"}
        for layer in self.network.layers:
            name, xs = f"model.{layer.index}", [values[i] for i in layer.inputs]
            if layer.kind == "detect":
                return name, xs
            values[layer.index] = self.layer(layer, name, xs)
        raise ValueError("the table has no detect layer")

    def layer(self, layer, name, xs):
        if layer.kind in ("conv", "repconv"):
            return self.conv(xs[0], f"{name}.{'conv' if layer.kind == 'conv' else 'rbr_reparam'}", *layer.numbers)
        if layer.kind == "maxpool":
            return self.graph.maxpool(xs[0], f"{name}.out", *layer.numbers)
        if layer.kind == "upsample":
            return self.graph.upsample(xs[0], f"{name}.out")
        if layer.kind == "concat":
            return self.graph.concat(xs, f"{name}.out")
        return self.sppcspc(xs[0], name, *layer.numbers)

    def detect_maps(self):
        """[B,3,H,W,columns] of each level."""
        name, xs = self.backbone()
        return [self.detect_map(x, f"{name}.m.{i}", STRIDES[i]) for i, x in enumerate(xs)]

    def detect_map(self, x, name, stride):
        g = self.graph
        # Some boxes are sure of themselves, most aren't.
        x = g.head_conv(x, name, np.tile(np.array([0] * 4 + [-3] + [-1] * self.args.classes, np.float32), 3))
        if self.args.dynamic:
            sides = [self.unsqueezed(g.shape_of(x, axis), f"{name}.side{axis}") for axis in (2, 3)]
            shape = g.concat([self.batch_size(x), g.ints(3), g.ints(self.columns), *sides], f"{name}.target", 0)
        elif self.args.dynamic_batch:
            rest = g.ints(3, self.columns, self.args.size[0] // stride, self.args.size[1] // stride)
            shape = g.concat([self.batch_size(x), rest], f"{name}.target", 0)
        else:
            shape = g.ints(self.args.batch, 3, self.columns, self.args.size[0] // stride, self.args.size[1] // stride)
        x = g.node("Reshape", [x, shape], f"{name}.reshaped")
        return g.node("Transpose", [x], f"{name}.map", perm=[0, 1, 3, 4, 2])

    def unsqueezed(self, x, name):
        return self.graph.node("Unsqueeze", [x], name, axes=[0])

    def batch_size(self, x):
        return self.unsqueezed(self.graph.shape_of(x, 0), f"{x}.batch")

    def cells(self, x, name, level):
        """[1,1,H,W,2]: column and row of each cell."""
        g, stride = self.graph, STRIDES[level]
        if not self.args.dynamic:
            ys, xs = np.mgrid[: self.args.size[0] // stride, : self.args.size[1] // stride]
            return g.weight(f"{name}.cells", np.stack([xs, ys], -1)[None, None].astype(np.float32))
        planes = []
        shape = g.slice(g.node("Shape", [x], f"{name}.shape"), f"{name}.sides", 0, 2, 4)
        full = g.concat([g.ints(1, 1), shape, g.ints(1)], f"{name}.full", 0)
        for axis, form in ((3, (1, 1, 1, -1, 1)), (2, (1, 1, -1, 1, 1))):
            line = g.node("Range", [g.index(0), g.shape_of(x, axis), g.index(1)], f"{name}.line{axis}")
            line = g.node("Reshape", [line, g.ints(*form)], f"{name}.placed{axis}")
            planes.append(g.node("Expand", [line, full], f"{name}.plane{axis}"))
        return g.node("Cast", [g.concat(planes, f"{name}.planes", 4)], f"{name}.cells", to=FLOAT)

    def rows_of(self, x, level):
        """One map's rows, [B, 3*H*W, columns], boxes in input pixels."""
        g, name, stride = self.graph, f"grid.{level}", STRIDES[level]
        cells = self.cells(x, name, level)
        x = g.node("Sigmoid", [x], f"{name}.sigmoid")
        xy, wh, rest = g.node("Split", [x], f"{name}.part", 3, axis=4, split=[2, 2, self.args.classes + 1])
        start = g.node("Mul", [g.node("Sub", [cells, g.weight("half", np.array(0.5, np.float32))], f"{name}.from"),
                               g.weight(f"{name}.stride", np.array(stride, np.float32))], f"{name}.start")
        xy = g.node("Mul", [xy, g.weight(f"{name}.step", np.array(2 * stride, np.float32))], f"{name}.moved")
        xy = g.node("Add", [xy, start], f"{name}.xy")
        anchors = (4 * np.array(self.network.anchors[level])).astype(np.float32).reshape(1, 3, 1, 1, 2)
        wh = g.node("Pow", [wh, g.weight("two", np.array(2, np.float32))], f"{name}.square")
        wh = g.node("Mul", [wh, g.weight(f"{name}.anchors", anchors)], f"{name}.wh")
        x = g.concat([xy, wh, rest], f"{name}.all", 4)
        if self.batch != "batch":
            shape = g.ints(self.args.batch, -1, self.columns)
        else:
            shape = g.concat([self.batch_size(x), g.ints(-1, self.columns)], f"{name}.target", 0)
        return g.node("Reshape", [x, shape], f"{name}.rows")

    def output(self, value, name, dtype, shape):
        self.graph.nodes[self.maker(value)].output[:] = [name]
        self.graph.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def maker(self, value):
        """Which node makes a value; nobody else reads graph outputs here, so it can be renamed."""
        return next(i for i, node in enumerate(self.graph.nodes) if value in node.output)

    def build(self):
        maps = self.detect_maps()
        if self.args.form == "raw":
            for i, x in enumerate(maps):
                sides = ["", ""] if self.args.dynamic else [side // STRIDES[i] for side in self.args.size]
                self.output(x, "output" if i == 0 else f"output{i + 1}", FLOAT, [self.batch, 3, *sides, self.columns])
            return
        rows = self.graph.concat([self.rows_of(x, i) for i, x in enumerate(maps)], "rows", 1)
        tail = {"grid": self.grid, "max-wh": self.max_wh, "batched-nms": self.batched_nms}
        tail.get(self.args.form, self.efficient_nms)(rows)

    def grid(self, rows):
        self.output(rows, "output", FLOAT, [self.batch, "" if self.args.dynamic else self.rows, self.columns])

    def boxes_and_scores(self, rows):
        g = self.graph
        boxes = g.slice(rows, "boxes", 2, 0, 4)
        objectness = g.slice(rows, "objectness", 2, 4, 5)
        if self.args.classes == 1:
            return boxes, objectness
        return boxes, g.node("Mul", [g.slice(rows, "classes", 2, 5, 2**63 - 1), objectness], "scores")

    def corners(self, boxes):
        matrix = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]], np.float32)
        return self.graph.node("MatMul", [boxes, self.graph.weight("to_corners", matrix)], "corners")

    def efficient_nms(self, rows):
        args = self.args
        boxes, scores = self.boxes_and_scores(rows)
        if args.form == "end2end":  # the exporter writes two of the numbers as lists
            special = {"domain": "TRT", "background_class": [-1], "box_coding": [1]}
        else:
            boxes = self.corners(boxes)
            special = {"background_class": -1, "box_coding": 0}
        self.graph.node("EfficientNMS_TRT", [boxes, scores], "nms", 4, iou_threshold=args.iou, max_output_boxes=args.topk,
                        plugin_version="1", score_activation=0, score_threshold=args.conf, **special)
        self.nms_outputs(("num_dets", "det_boxes", "det_scores", "det_classes"), INT32)

    def batched_nms(self, rows):
        args, g = self.args, self.graph
        boxes, scores = self.boxes_and_scores(rows)
        boxes = g.node("Unsqueeze", [self.corners(boxes)], "shared", axes=[2])
        g.node("BatchedNMSDynamic_TRT", [boxes, scores], "nms", 4, shareLocation=1, backgroundLabelId=-1, numClasses=args.classes,
               topK=4096, keepTopK=args.topk, scoreThreshold=args.conf, iouThreshold=args.iou, isNormalized=0, clipBoxes=0,
               plugin_version="1")
        self.nms_outputs(("num_detections", "nmsed_boxes", "nmsed_scores", "nmsed_classes"), FLOAT)

    def nms_outputs(self, names, class_type):
        self.graph.nodes[-1].output[:] = names
        shapes = [self.batch, 1], [self.batch, self.args.topk, 4], [self.batch, self.args.topk], [self.batch, self.args.topk]
        for name, dtype, shape in zip(names, (INT32, FLOAT, FLOAT, class_type), shapes):
            self.graph.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def max_wh(self, rows):
        args, g = self.args, self.graph
        boxes, scores = self.boxes_and_scores(rows)
        boxes = self.corners(boxes)
        best = g.node("ReduceMax", [scores], "best", axes=[2], keepdims=1)
        category = g.node("Cast", [g.node("ArgMax", [scores], "category_index", axis=2, keepdims=1)], "category", to=FLOAT)
        offset = g.node("Mul", [category, g.weight("max_wh", np.array(args.max_wh, np.float32))], "offset")
        moved = g.node("Add", [boxes, offset], "moved")
        chosen = g.node("NonMaxSuppression",
                        [moved, g.node("Transpose", [best], "best_rows", perm=[0, 2, 1]), g.ints(args.topk),
                         g.weight("iou", np.array([args.iou], np.float32)), g.weight("conf", np.array([args.conf], np.float32))],
                        "chosen")
        picture = g.node("Gather", [chosen, g.index(0)], "picture", axis=1)
        box = g.node("Gather", [chosen, g.index(2)], "box", axis=1)
        row = g.node("Add", [g.node("Mul", [picture, g.shape_of(rows, 1)], "picture_start"), box], "row")
        columns = [g.node("Cast", [g.node("Unsqueeze", [picture], "picture_column", axes=[1])], "picture_float", to=FLOAT)]
        for value, width in ((boxes, 4), (category, 1), (best, 1)):
            flat = g.node("Reshape", [value, g.ints(-1, width)], f"{value}.flat")
            columns.append(g.node("Gather", [flat, row], f"{value}.chosen", axis=0))
        self.output(g.concat(columns, "list", 1), "output", FLOAT, ["detections", 7])

    def proto(self):
        self.build()
        picture = helper.make_tensor_value_info("images", FLOAT, [self.batch, 3, *self.sides])
        graph = helper.make_graph(self.graph.nodes, self.args.model, [picture], self.graph.outputs, self.graph.weights)
        opsets = [helper.make_opsetid("", OPSET)] + ([helper.make_opsetid("TRT", 1)] if self.args.form == "end2end" else [])
        model = helper.make_model(graph, opset_imports=opsets, ir_version=7, producer_name="hone make_yolov7")
        if self.args.metadata:
            names = {i: f"thing {i}" for i in range(self.args.classes)}
            helper.set_model_props(model, {"hone.family": self.args.model, "names": repr(names), "stride": "32"})
        return model


def parse_args(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("output", type=pathlib.Path)
    parser.add_argument("--model", choices=("yolov7", "yolov7-tiny"), default="yolov7")
    parser.add_argument("--form", choices=FORMS, default="raw")
    parser.add_argument("--size", type=int, nargs="+", default=[640], metavar="N", help="height and width, or one for both")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--dynamic-batch", action="store_true")
    parser.add_argument("--dynamic", action="store_true", help="batch, height and width; not with suppression inside")
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--width", type=float, default=1, help="factor for the channels: less than 1 gives a smaller file")
    parser.add_argument("--topk", type=int, default=100)
    parser.add_argument("--conf", type=float, default=0.25)
    parser.add_argument("--iou", type=float, default=0.45)
    parser.add_argument("--max-wh", type=float, default=640)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--metadata", action="store_true", help="store family, class names and stride in the file")
    args = parser.parse_args(arguments)
    args.size = (args.size * 2)[:2]
    if any(side <= 0 or side % STRIDES[-1] for side in args.size):
        parser.error(f"--size: multiples of {STRIDES[-1]} are needed")
    if args.dynamic and args.form not in ("raw", "grid"):
        parser.error(f"--dynamic doesn't go with --form {args.form}, as in the original exporter")
    return args


def main():
    args = parse_args()
    onnx.save(Model(args).proto(), args.output)


if __name__ == "__main__":
    main()
