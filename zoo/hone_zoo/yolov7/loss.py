"""YOLOv7's training loss with its lead assignment: candidates by anchor shape and neighbouring cells, chosen by SimOTA
(Ge et al., "YOLOX", 2021), for all pictures of a batch at once."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from hone_zoo.yolov7.layers import STRIDES
from hone_zoo.yolov7.model import ANCHORS, Detect

ANCHOR_RATIO = 4.0  # how much a side may differ from an anchor's
BALANCE = (4.0, 1.0, 0.4)  # of the objectness of the maps
MAX_K = 10  # boxes whose overlaps decide how many predictions an object gets
IOU_WEIGHT = 3.0  # in the cost
EPSILON = 1e-7


@dataclass(frozen=True)
class Gains:
    """Weights of the loss' parts. `classes` holds for 80 classes and `objectness` for 640 x 640 pixels, as
    published."""

    box: float = 0.05
    classes: float = 0.5
    objectness: float = 1.0


@dataclass(frozen=True)
class Grid:
    """For each row of a picture: its map, stride [N, 1], cell [N, 2] (x, y) and anchor [N, 2]; and the maps' heights
    and widths."""

    level: Tensor
    stride: Tensor
    cell: Tensor
    anchor: Tensor
    sizes: list[tuple[int, int]]


@dataclass(frozen=True)
class Assignment:
    """Which predictions are to find which object: three lists of equal length."""

    picture: Tensor
    cell: Tensor  # index into the rows of a picture
    target: Tensor  # index into the targets


def ciou(a: Tensor, b: Tensor) -> Tensor:
    """Complete IoU (Zheng et al., 2020) of boxes [n, 4] given as cx, cy, w, h."""
    half_a, half_b = a[:, 2:] / 2, b[:, 2:] / 2
    low, high = torch.maximum(a[:, :2] - half_a, b[:, :2] - half_b), torch.minimum(a[:, :2] + half_a, b[:, :2] + half_b)
    common = (high - low).clamp(min=0).prod(1)
    iou = common / (a[:, 2:].prod(1) + b[:, 2:].prod(1) - common + EPSILON)
    around = torch.maximum(a[:, :2] + half_a, b[:, :2] + half_b) - torch.minimum(a[:, :2] - half_a, b[:, :2] - half_b)
    distance = ((a[:, :2] - b[:, :2]) ** 2).sum(1) / ((around**2).sum(1) + EPSILON)
    angles = [torch.atan(boxes[:, 2] / (boxes[:, 3] + EPSILON)) for boxes in (a, b)]
    shape = 4 / torch.pi**2 * (angles[0] - angles[1]) ** 2
    with torch.no_grad():
        weight = shape / (1 - iou + shape + EPSILON)
    return iou - distance - weight * shape


class Loss:
    """Loss of raw maps against targets [T, 6]: picture, class, cx, cy, w, h in pixels."""

    def __init__(self, head: Detect, gains: Gains = Gains()) -> None:
        self.head, self.gains, self.classes = head, gains, head.columns - 5
        self.anchors = head.anchor_grid.view(len(STRIDES), ANCHORS, 2).float()
        self._last: Grid | None = None

    def __call__(self, maps: list[Tensor], targets: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, summed over the batch's pictures, and its parts (means over pictures, detached)."""
        rows = torch.cat([x.flatten(1, 3) for x in maps], 1).float()
        grid = self._grid([tuple(x.shape[2:4]) for x in maps])
        chosen = self.assign(rows.detach(), grid, targets)
        objectness = torch.zeros_like(rows[..., 4])
        parts = {"box": rows.sum() * 0, "classes": rows.sum() * 0}
        if len(chosen.cell):
            picked = rows[chosen.picture, chosen.cell]
            level = grid.level[chosen.cell]
            share = (
                1 / torch.bincount(level, minlength=len(maps)).clamp(min=1)[level]
            )  # each map's mean counts the same
            overlap = ciou(self._decode(picked, grid, chosen.cell), targets[chosen.target, 2:])
            parts["box"] = ((1 - overlap) * share).sum() * self.gains.box
            objectness[chosen.picture, chosen.cell] = overlap.detach().clamp(min=0)
            if self.classes > 1:
                wanted = functional.one_hot(targets[chosen.target, 1].long(), self.classes).float()
                values = functional.binary_cross_entropy_with_logits(picked[:, 5:], wanted, reduction="none").mean(1)
                parts["classes"] = (values * share).sum() * self.gains.classes * self.classes / 80
        parts["objectness"] = self._objectness(rows[..., 4], objectness, maps)
        loss = sum(parts.values()) * len(rows)
        return loss, {name: part.detach() for name, part in parts.items()}

    def _objectness(self, logits: Tensor, wanted: Tensor, maps: list[Tensor]) -> Tensor:
        sizes = [x.shape[1] * x.shape[2] * x.shape[3] for x in maps]
        pixels = maps[0].shape[2] * maps[0].shape[3] * STRIDES[0] ** 2
        total = logits.sum() * 0
        for value, target, balance in zip(logits.split(sizes, 1), wanted.split(sizes, 1), BALANCE):
            total = total + balance * functional.binary_cross_entropy_with_logits(value, target)
        return total * self.gains.objectness * pixels / 640**2

    def _grid(self, sizes: list[tuple[int, int]]) -> Grid:
        if self._last is not None and self._last.sizes == sizes:
            return self._last
        parts: list[list[Tensor]] = []
        for i, (height, width) in enumerate(sizes):
            lines = [torch.arange(n, device=self.anchors.device) for n in (ANCHORS, height, width)]
            anchor, y, x = (index.flatten() for index in torch.meshgrid(*lines, indexing="ij"))
            stride = torch.full((len(x), 1), float(STRIDES[i]), device=x.device)
            parts.append([torch.full_like(x, i), stride, torch.stack([x, y], 1), self.anchors[i][anchor]])
        self._last = Grid(*(torch.cat(values) for values in zip(*parts)), sizes)
        return self._last

    @staticmethod
    def _decode(rows: Tensor, grid: Grid, cells: Tensor) -> Tensor:
        """Boxes (cx, cy, w, h in pixels) of rows that lie in the cells given."""
        value = rows[..., :4].sigmoid() * 2
        xy = (value[..., :2] - 0.5 + grid.cell[cells]) * grid.stride[cells]
        return torch.cat([xy, value[..., 2:] ** 2 * grid.anchor[cells]], -1)

    def candidates(self, grid: Grid, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Target and cell of each candidate: where an anchor's sides are within ANCHOR_RATIO of the target's, the cell
        with its centre and the two cells nearest to that."""
        found, start = [], 0
        neighbours = targets.new_tensor([[0, 0], [-0.5, 0], [0, -0.5], [0.5, 0], [0, 0.5]])
        for i, (stride, (height, width)) in enumerate(zip(STRIDES, grid.sizes)):
            ratio = targets[:, None, 4:] / self.anchors[i]
            fits = torch.maximum(ratio, 1 / ratio).amax(2) < ANCHOR_RATIO  # [T, anchors]
            centre = targets[:, 2:4] / stride
            rest = centre.new_tensor([width, height]) - centre
            near = [(side % 1 < 0.5) & (side > 1) for side in (centre, rest)]  # left and above, right and below
            use = torch.cat([torch.ones_like(near[0][:, :1]), *near], 1)  # [T, 5]
            place = (centre[:, None] + neighbours).long()
            x, y = place[..., 0].clamp(0, width - 1), place[..., 1].clamp(0, height - 1)
            target, anchor, way = (fits[:, :, None] & use[:, None]).nonzero(as_tuple=True)
            found.append((target, start + (anchor * height + y[target, way]) * width + x[target, way]))
            start += ANCHORS * height * width
        return torch.cat([target for target, _ in found]), torch.cat([cell for _, cell in found])

    @torch.no_grad()
    def assign(self, rows: Tensor, grid: Grid, targets: Tensor) -> Assignment:
        """SimOTA among the candidates: each target takes the k cheapest candidates of its picture, k being the sum of
        its ten best overlaps; a candidate taken twice goes to the target for which it is cheaper."""
        target, cell = self.candidates(grid, targets)
        picture = targets[:, 0].long()
        if not len(target):
            return Assignment(target, cell, target)
        cells, filled = _padded(picture[target], cell, len(rows))  # [B, C]
        objects, real = _padded(picture, torch.arange(len(targets), device=rows.device), len(rows))  # [B, G]
        picked = rows.gather(1, cells[..., None].expand(-1, -1, rows.shape[2]))
        boxes = self._decode(picked, grid, cells)
        pair = real[:, :, None] & filled[:, None]
        overlap = _pairwise_iou(targets[objects, 2:], boxes) * pair
        score = (picked[..., 5:].sigmoid() * picked[..., 4:5].sigmoid()).sqrt().clamp(EPSILON, 1 - EPSILON)
        against, label = torch.log1p(-score), targets[objects, 1].long()
        gain = (score.log() - against).transpose(1, 2).gather(1, label[..., None].expand(-1, -1, cells.shape[1]))
        cost = -against.sum(2)[:, None] - gain - IOU_WEIGHT * torch.log(overlap + 1e-8)
        cost = cost.masked_fill(~pair, torch.inf)
        count = min(MAX_K, cells.shape[1])
        k = overlap.topk(count, 2).values.sum(2).int().clamp(min=1)
        cheapest = cost.topk(count, 2, largest=False)
        take = (torch.arange(count, device=rows.device) < k[..., None]) & cheapest.values.isfinite()
        taken = torch.zeros_like(pair).scatter_(2, cheapest.indices, take)
        twice = taken.sum(1, keepdim=True) > 1
        best = torch.zeros_like(taken).scatter_(1, cost.argmin(1, keepdim=True), True)
        b, g, c = torch.where(twice, best, taken).nonzero(as_tuple=True)
        return Assignment(b, cells[b, c], objects[b, g])


def _padded(picture: Tensor, values: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """Values of each picture as rows [B, n], and which places are filled; the others hold 0."""
    order = picture.argsort(stable=True)
    counts = torch.bincount(picture, minlength=batch)
    starts = counts.cumsum(0) - counts
    place = torch.arange(len(order), device=values.device) - starts[picture[order]]
    table = values.new_zeros(batch, int(counts.max()))
    filled = torch.zeros_like(table, dtype=torch.bool)
    table[picture[order], place], filled[picture[order], place] = values[order], True
    return table, filled


def _pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """[B, G, C] of boxes [B, G, 4] and [B, C, 4] given as cx, cy, w, h."""
    low = torch.maximum((a[..., :2] - a[..., 2:] / 2)[:, :, None], (b[..., :2] - b[..., 2:] / 2)[:, None])
    high = torch.minimum((a[..., :2] + a[..., 2:] / 2)[:, :, None], (b[..., :2] + b[..., 2:] / 2)[:, None])
    common = (high - low).clamp(min=0).prod(3)
    return common / (a[..., 2:].prod(2)[:, :, None] + b[..., 2:].prod(2)[:, None] - common + EPSILON)
