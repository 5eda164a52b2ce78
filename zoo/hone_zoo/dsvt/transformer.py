"""DSVT's 3-D backbone for pillars: input layer (partitions, position embeddings) and blocks of set attention.

Module names are those of the published checkpoints.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import Config, Transformer
from .partition import Sets, set_partition, window_partition


class SetAttention(nn.Module):
    """Multi-head attention within sets, then a feed-forward network; both added to their input and normalised."""

    def __init__(self, config: Transformer):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(config.width, config.heads, batch_first=True)
        self.linear1 = nn.Linear(config.width, config.feedforward)
        self.linear2 = nn.Linear(config.feedforward, config.width)
        self.norm1 = nn.LayerNorm(config.width)
        self.norm2 = nn.LayerNorm(config.width)

    def every_slot(self, x: Tensor, position: Tensor, inds: Tensor, mask: Tensor) -> Tensor:
        """The published form: all slots are projected, and all written back, as repeated slots agree.

        Asking for the weights keeps ONNX files to the explicit products and softmax of the published exporter."""
        value = x[inds]
        query = value + position[inds]
        attended = self.self_attn(query, query, value, key_padding_mask=mask, need_weights=True)[0]
        spread = torch.zeros_like(x)
        spread[inds] = attended
        return spread

    def each_voxel(self, x: Tensor, position: Tensor, inds: Tensor, mask: Tensor, first: Tensor) -> Tensor:
        """The same with fewer products: voxels are projected before they are gathered, and after slots are picked."""
        attention, width = self.self_attn, x.shape[1]
        heads = attention.num_heads
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        query_key = F.linear(x + position, weight[: 2 * width], bias[: 2 * width])
        value = F.linear(x, weight[2 * width :], bias[2 * width :])
        # [S, heads, T, width / heads] each
        q, k = query_key[inds].unflatten(-1, (2, heads, -1)).permute(2, 0, 3, 1, 4)
        v = value[inds].unflatten(-1, (heads, -1)).transpose(1, 2)
        logits = q @ k.transpose(2, 3) / math.sqrt(width / heads)
        weights = logits.masked_fill(mask[:, None, None], float("-inf")).softmax(-1)
        attended = (weights.to(v.dtype) @ v).transpose(1, 2).reshape(-1, width)
        return attention.out_proj(attended[first])

    def forward(self, x: Tensor, position: Tensor, inds: Tensor, mask: Tensor, first: Tensor | None) -> Tensor:
        """x, position [N, width]; inds, mask [S, T]; first [N], or None for the published form."""
        if first is None:
            spread = self.every_slot(x, position, inds, mask)
        else:
            spread = self.each_voxel(x, position, inds, mask, first)
        x = self.norm1(x + spread)
        return self.norm2(x + self.linear2(F.gelu(self.linear1(x))))


class EncoderLayer(nn.Module):
    def __init__(self, config: Transformer):
        super().__init__()
        self.win_attn = SetAttention(config)
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, position: Tensor, inds: Tensor, mask: Tensor, first: Tensor | None) -> Tensor:
        return self.norm(x + self.win_attn(x, position, inds, mask, first))


class Block(nn.Module):
    """Two layers: over the sets sorted by y, then over those sorted by x."""

    def __init__(self, config: Transformer):
        super().__init__()
        self.encoder_list = nn.ModuleList(EncoderLayer(config) for _ in range(2))

    def forward(self, x: Tensor, position: Tensor, inds: Tensor, mask: Tensor, first: Tensor | None = None) -> Tensor:
        """x [N, width]; position [2, N, width]; inds, mask [2, S, T]; first [2, N] or None."""
        for i, layer in enumerate(self.encoder_list):
            x = layer(x, position[i], inds[i], mask[i], None if first is None else first[i])
        return x


class PositionEmbedding(nn.Module):
    def __init__(self, width_in: int, width: int):
        super().__init__()
        self.position_embedding_head = nn.Sequential(
            nn.Linear(width_in, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.position_embedding_head(x)


class InputLayer(nn.Module):
    """Sets of both partitions, and a position embedding for each block and layer.

    The embedding of layer i takes the places in the windows of partition i, while block b attends over the sets of
    partition b mod 2. The published code and weights have it so.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.grid = config.grid()
        self.config = config.transformer
        width_in = 2 if self.config.window[2] == 1 else 3
        blocks = [
            nn.ModuleList(PositionEmbedding(width_in, self.config.width) for _ in range(2))
            for _ in range(self.config.blocks)
        ]
        self.posembed_layers = nn.ModuleList([nn.ModuleList(blocks)])

    def places(self, coords: Tensor) -> list[Tensor]:
        """Places [N, 2 or 3] float32 relative to the windows' middles, of both partitions, of coords [N, 4]."""
        places = []
        for window, shift in zip(self.config.windows(), self.config.shifts):
            _, place = window_partition(coords, self.grid, window, shift)
            used = 2 if window[2] == 1 else 3
            middle = torch.tensor(window[:used], dtype=torch.float32, device=coords.device) / 2
            places.append(place[:, :used].float() - middle)
        return places

    def partitions(self, coords: Tensor) -> tuple[list[Sets], list[Tensor]]:
        """Sets and places of both partitions, of coords [N, 4] (frame, z, y, x), integer."""
        sets = []
        for window, shift in zip(self.config.windows(), self.config.shifts):
            number, place = window_partition(coords, self.grid, window, shift)
            sets.append(set_partition(number, place, window, self.config.set_size))
        return sets, self.places(coords)

    def embed(self, places: list[Tensor]) -> Tensor:
        """Embeddings [blocks, 2, N, width] of places."""
        embeddings = [torch.stack([mlp(place) for mlp, place in zip(pair, places)]) for pair in self.posembed_layers[0]]
        return torch.stack(embeddings)

    def forward(self, coords: Tensor) -> tuple[list[Sets], Tensor]:
        """Sets of both partitions and the embeddings [blocks, 2, N, width] of pillars [N, 4] (frame, z, y, x)."""
        sets, places = self.partitions(coords)
        return sets, self.embed(places)


class DSVT(nn.Module):
    """Features [N, width] of pillars, refined by all blocks."""

    def __init__(self, config: Config):
        super().__init__()
        transformer = config.transformer
        self.input_layer = InputLayer(config)
        self.stage_0 = nn.ModuleList(Block(transformer) for _ in range(transformer.blocks))
        self.residual_norm_stage_0 = nn.ModuleList(nn.LayerNorm(transformer.width) for _ in range(transformer.blocks))

    def blocks(self, x: Tensor, sets: list[Sets], position: Tensor) -> Tensor:
        """x [N, width] after all blocks; position [blocks, 2, N, width]."""
        for b, (block, norm) in enumerate(zip(self.stage_0, self.residual_norm_stage_0)):
            x = norm(x + block(x, position[b], *sets[b % 2]))
        return x

    def forward(self, x: Tensor, coords: Tensor) -> Tensor:
        """x [N, width] float32 of pillars at coords [N, 4] (frame, z, y, x)."""
        if len(x) == 0:
            return x
        sets, position = self.input_layer(coords)
        return self.blocks(x, sets, position)
