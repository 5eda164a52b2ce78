"""What exports of YOLOv7 end with: modules from decoded rows [B, N, 5 + classes] to detections. Under the exporter each
becomes the operators that YOLOv7's own exporter writes; run by PyTorch they give what those operators give."""

from typing import Any

import torch
from torch import Tensor, nn

from hone_zoo.yolov7.nms import batched_nms, corners, efficient_nms, onnx_nms


def boxes_and_scores(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes [B, N, 4] as cx, cy, w, h, and a score [B, N, classes] for each class. With one class the objectness is the
    score."""
    boxes, objectness, classes = rows[..., :4], rows[..., 4:5], rows[..., 5:]
    return boxes, objectness if classes.shape[-1] == 1 else classes * objectness


def _blank(boxes: Tensor, topk: int, label: torch.dtype) -> tuple[Tensor, ...]:
    """Outputs of a plugin as to type and shape, for the exporter."""
    batch = boxes.shape[0]
    count = torch.zeros(batch, 1, dtype=torch.int32)
    return count, boxes.new_zeros(batch, topk, 4), boxes.new_zeros(batch, topk), torch.zeros(batch, topk, dtype=label)


def _typed(outputs: Any, boxes: Any, topk: int, label: torch.dtype) -> Any:
    """The same for the graph's values."""
    for value, sizes, dtype in zip(
        outputs, ([1], [topk, 4], [topk], [topk]), (torch.int32, torch.float32, torch.float32, label)
    ):
        value.setType(boxes.type().with_dtype(dtype).with_sizes([None, *sizes]))
    return outputs


class _EfficientNms(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, boxes: Tensor, scores: Tensor, conf: float, iou: float, topk: int) -> tuple[Tensor, ...]:
        if torch.onnx.is_in_onnx_export():
            return _blank(boxes, topk, torch.int32)
        return efficient_nms(boxes, scores, conf, iou, topk)

    @staticmethod
    def symbolic(g: Any, boxes: Any, scores: Any, conf: float, iou: float, topk: int) -> Any:
        # The first two are lists in the original exporter's files, too.
        outputs = g.op(
            "TRT::EfficientNMS_TRT",
            boxes,
            scores,
            background_class_i=[-1],
            box_coding_i=[1],
            iou_threshold_f=iou,
            max_output_boxes_i=topk,
            plugin_version_s="1",
            score_activation_i=0,
            score_threshold_f=conf,
            outputs=4,
        )
        return _typed(outputs, boxes, topk, torch.int32)


class _BatchedNms(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, boxes: Tensor, scores: Tensor, conf: float, iou: float, topk: int, classes: int
    ) -> tuple[Tensor, ...]:
        if torch.onnx.is_in_onnx_export():
            return _blank(boxes, topk, torch.float32)
        return batched_nms(boxes, scores, conf, iou, topk)

    @staticmethod
    def symbolic(g: Any, boxes: Any, scores: Any, conf: float, iou: float, topk: int, classes: int) -> Any:
        outputs = g.op(
            "TRT::BatchedNMSDynamic_TRT",
            boxes,
            scores,
            shareLocation_i=1,
            backgroundLabelId_i=-1,
            numClasses_i=classes,
            topK_i=4096,
            keepTopK_i=topk,
            scoreThreshold_f=conf,
            iouThreshold_f=iou,
            isNormalized_i=0,
            clipBoxes_i=0,
            plugin_version_s="1",
            outputs=4,
        )
        return _typed(outputs, boxes, topk, torch.float32)


class _OnnxNms(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, boxes: Tensor, scores: Tensor, topk: Tensor, iou: Tensor, conf: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return torch.zeros(5, 3, dtype=torch.int64)
        return onnx_nms(boxes, scores, int(topk), float(iou), float(conf))

    @staticmethod
    def symbolic(g: Any, boxes: Any, scores: Any, topk: Any, iou: Any, conf: Any) -> Any:
        return g.op("NonMaxSuppression", boxes, scores, topk, iou, conf)


class PluginTail(nn.Module):
    """Suppression by a TensorRT plugin; its inputs are split(rows)."""

    def __init__(self, kind: str, classes: int, conf: float, iou: float, topk: int) -> None:
        super().__init__()
        self.batched, self.classes, self.settings = kind == "batched", classes, (conf, iou, topk)

    def split(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        boxes, scores = boxes_and_scores(rows)
        return (corners(boxes).unsqueeze(2), scores) if self.batched else (boxes, scores)

    def suppress(self, boxes: Tensor, scores: Tensor) -> tuple[Tensor, ...]:
        if self.batched:
            return _BatchedNms.apply(boxes, scores, *self.settings, self.classes)
        return _EfficientNms.apply(boxes, scores, *self.settings)

    def forward(self, rows: Tensor) -> tuple[Tensor, ...]:
        return self.suppress(*self.split(rows))


class ListTail(nn.Module):
    """Suppression by ONNX's NonMaxSuppression: the best class of each row, classes moved `max_wh` pixels apart. Gives
    [n, 7] of all pictures: picture, x0, y0, x1, y1, class, score."""

    def __init__(self, max_wh: float, conf: float, iou: float, topk: int) -> None:
        super().__init__()
        self.max_wh = max_wh
        self.register_buffer("topk", torch.tensor([topk]))
        self.register_buffer("iou", torch.tensor([iou]))
        self.register_buffer("conf", torch.tensor([conf]))
        matrix = [[1.0, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]]  # to corners
        self.register_buffer("matrix", torch.tensor(matrix))

    def best(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Corner boxes [B, N, 4], class [B, N, 1] and score [B, N, 1] of each row."""
        boxes, scores = boxes_and_scores(rows)
        best, label = scores.max(2, keepdim=True)
        return boxes @ self.matrix, label, best

    def split(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """NonMaxSuppression's first two inputs."""
        boxes, label, best = self.best(rows)
        return boxes + label.float() * self.max_wh, best.transpose(1, 2).contiguous()

    def collect(self, rows: Tensor, chosen: Tensor) -> Tensor:
        boxes, label, best = self.best(rows)
        picture, row = chosen[:, 0], chosen[:, 2]
        columns = [picture.unsqueeze(1).float(), boxes[picture, row], label[picture, row].float(), best[picture, row]]
        return torch.cat(columns, 1)

    def forward(self, rows: Tensor) -> Tensor:
        return self.collect(rows, _OnnxNms.apply(*self.split(rows), self.topk, self.iou, self.conf))
