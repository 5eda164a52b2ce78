"""Training pictures made on the GPU from a pool of pictures in its memory: mosaics of four, scaled, flipped, mixed and
with other colours. No loop over pictures."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

GREY = 114 / 255
TILES = 4
MIN_PIXELS = 4  # of a box' sides
MIN_LEFT = 0.25  # of a box' area, where its tile cuts it


@dataclass(frozen=True)
class Options:
    """Chances and ranges. `scale`: of a tile against its picture, drawn evenly in the logarithm."""

    size: tuple[int, int] = (640, 640)  # height, width
    mosaic: float = 0.9
    scale: tuple[float, float] = (0.5, 1.6)
    flip: float = 0.5
    mixup: float = 0.05
    hue: float = 0.015
    saturation: float = 0.7
    value: float = 0.4


class Augmenter:
    """Makes batches of a pool: "images" uint8 [N, h, w, 3] and "boxes" float32 [M, 6+] (picture, class, x0, y0, x1, y1,
    ...), both on the device where batches are wanted."""

    def __init__(self, pool: dict[str, Tensor], options: Options, seed: int) -> None:
        self.images, self.options = pool["images"], options
        self.device = self.images.device
        self.random = torch.Generator(self.device).manual_seed(seed)
        self.boxes, self.labels = self._tables(pool["boxes"])

    def _tables(self, boxes: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes [N, K, 4] and classes [N, K] (-1: none) of each picture."""
        picture = boxes[:, 0].long()
        order = picture.argsort(stable=True)
        counts = torch.bincount(picture, minlength=len(self.images))
        place = torch.arange(len(order), device=self.device) - (counts.cumsum(0) - counts)[picture[order]]
        most = max(1, int(counts.max())) if len(boxes) else 1
        table = torch.zeros(len(self.images), most, 4, device=self.device)
        labels = torch.full((len(self.images), most), -1.0, device=self.device)
        table[picture[order], place], labels[picture[order], place] = boxes[order, 2:6], boxes[order, 1]
        return table, labels

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.random, device=self.device) * (high - low) + low

    def batch(self, count: int, mosaic: float | None = None) -> tuple[Tensor, Tensor]:
        """Pictures [count, 3, H, W] in 0 to 1 and targets [T, 6]: picture, class, cx, cy, w, h in pixels. `mosaic`
        overrides the chance of four tiles instead of one."""
        options = self.options
        height, width = options.size
        single = self._uniform(0, 1, count) >= (options.mosaic if mosaic is None else mosaic)
        middle = self._uniform(0.3, 0.7, count, 2) * torch.tensor([width, height], device=self.device)
        middle[single] = torch.tensor([width, height], dtype=middle.dtype, device=self.device)
        chosen = torch.randint(len(self.images), (count, TILES), generator=self.random, device=self.device)
        canvas = torch.full((count, 3, height, width), GREY, device=self.device)
        targets = []
        for tile in range(TILES):
            right, below = tile % 2, tile // 2
            zero, end = torch.zeros_like(middle), torch.tensor([width, height], device=self.device).expand_as(middle)
            picks = torch.tensor([right, below], dtype=torch.bool, device=self.device)
            low, high = torch.where(picks, middle, zero), torch.where(picks, end, middle)
            targets.append(self._place(canvas, chosen[:, tile], low, high))
        return self._finish(canvas, torch.cat(targets))

    def _place(self, canvas: Tensor, chosen: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Draws a piece of each chosen picture into the rectangle low..high (x, y) of its canvas; returns its
        targets."""
        count, (bottom, side) = len(chosen), self.images.shape[1:3]
        smallest, largest = (math.log(limit) for limit in self.options.scale)
        scale = self._uniform(smallest, largest, count, 1).exp()
        room = torch.tensor([side, bottom], device=self.device) - (high - low) / scale  # of the window in the picture
        origin = room * self._uniform(0, 1, count, 2)
        flip = self._uniform(0, 1, count, 1) < self.options.flip
        self._draw(canvas, chosen, low, high, scale, origin, flip)
        boxes, labels = self.boxes[chosen], self.labels[chosen]
        flipped = torch.stack([side - boxes[..., 2], boxes[..., 1], side - boxes[..., 0], boxes[..., 3]], -1)
        boxes = torch.where(flip[..., None], flipped, boxes)
        whole = (boxes - origin.repeat(1, 2)[:, None]) * scale[..., None] + low.repeat(1, 2)[:, None]
        cut = torch.minimum(torch.maximum(whole, low.repeat(1, 2)[:, None]), high.repeat(1, 2)[:, None])
        area, left = ((b[..., 2:] - b[..., :2]).prod(-1) for b in (whole, cut))
        big = (cut[..., 2:] - cut[..., :2] >= MIN_PIXELS).all(-1)
        picture, row = ((labels >= 0) & big & (left > MIN_LEFT * area)).nonzero(as_tuple=True)
        kept = cut[picture, row]
        middle, size = (kept[:, :2] + kept[:, 2:]) / 2, kept[:, 2:] - kept[:, :2]
        return torch.cat([picture[:, None].float(), labels[picture, row][:, None], middle, size], 1)

    def _draw(
        self, canvas: Tensor, chosen: Tensor, low: Tensor, high: Tensor, scale: Tensor, origin: Tensor, flip: Tensor
    ) -> None:
        height, width = canvas.shape[2:]
        bottom, side = self.images.shape[1:3]
        axes = []
        for axis, (length, extent) in enumerate(((width, side), (height, bottom))):
            place = torch.arange(length, device=self.device) + 0.5
            inside = (place >= low[:, axis : axis + 1]) & (place < high[:, axis : axis + 1])
            source = (place - low[:, axis : axis + 1]) / scale + origin[:, axis : axis + 1]
            inside &= (source > 0) & (source < extent)
            if axis == 0:
                source = torch.where(flip, extent - source, source)
            axes.append((source / extent * 2 - 1, inside))
        (x, x_inside), (y, y_inside) = axes
        grid = torch.stack([x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], -1)
        pictures = self.images[chosen].permute(0, 3, 1, 2).float() / 255
        drawn = functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
        inside = (x_inside[:, None, None] & y_inside[:, None, :, None]).expand_as(drawn)
        canvas.copy_(torch.where(inside, drawn, canvas))

    def _finish(self, pictures: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Mixes some pictures with their neighbours and changes colours."""
        count, options = len(pictures), self.options
        mixed = self._uniform(0, 1, count) < options.mixup
        share = torch.where(mixed, self._uniform(0.4, 0.6, count), torch.zeros(count, device=self.device))[
            :, None, None, None
        ]
        pictures = pictures * (1 - share) + pictures.roll(-1, 0) * share
        ahead = targets.clone()
        ahead[:, 0] = (ahead[:, 0] - 1) % count
        targets = torch.cat([targets, ahead[mixed[ahead[:, 0].long()]]])
        pictures = torch.einsum("bij,bjhw->bihw", self._colours(count), pictures)
        return pictures.clamp(0, 1), targets

    def _colours(self, count: int) -> Tensor:
        """Matrices [count, 3, 3] that turn hue around the grey axis and change saturation and value."""
        options = self.options
        angle = self._uniform(-options.hue, options.hue, count) * 2 * math.pi
        saturation = self._uniform(1 - options.saturation, 1 + options.saturation, count)[:, None, None]
        value = self._uniform(1 - options.value, 1 + options.value, count)[:, None, None]
        cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
        one, grey = torch.eye(3, device=self.device), torch.full((3, 3), 1 / 3, device=self.device)
        turn = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=self.device) / math.sqrt(3)
        rotated = cos * one + sin * turn + (1 - cos) * grey
        luma = torch.tensor([0.299, 0.587, 0.114], device=self.device).expand(3, 3)
        return value * (saturation * rotated + (1 - saturation) * (luma @ rotated))


def letterbox(images: Tensor, size: tuple[int, int]) -> tuple[Tensor, float, tuple[int, int]]:
    """Pictures uint8 [B, h, w, 3] as float [B, 3, H, W], scaled to fit and centred on grey; with the scale and the
    offset (x, y)."""
    height, width = size
    scale = min(height / images.shape[1], width / images.shape[2])
    inner = round(images.shape[1] * scale), round(images.shape[2] * scale)
    pictures = images.permute(0, 3, 1, 2).float() / 255
    pictures = functional.interpolate(pictures, inner, mode="bilinear", align_corners=False)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    pads = (left, width - inner[1] - left, top, height - inner[0] - top)
    return functional.pad(pictures, pads, value=GREY), scale, (left, top)
