"""The transformer blocks of DSVT (Wang et al., 2023) as a torch module with a checkpoint's names, and their export.

Needs torch 1.13 or later. Everything around the blocks (voxels, sets, the map, the head) stays outside, as in the
original export.
"""

import inspect

import torch
from torch import nn

SET_SIZE = 36
INPUTS = ("src", "set_voxel_inds_tensor_shift_0", "set_voxel_inds_tensor_shift_1", "set_voxel_masks_tensor_shift_0",
          "set_voxel_masks_tensor_shift_1", "pos_embed_tensor")
DYNAMIC_AXES = {"src": {0: "voxel_number"}, "pos_embed_tensor": {2: "voxel_number"},
                **{f"set_voxel_{kind}_tensor_shift_{shift}": {1: f"set_number_shift_{shift}"}
                   for kind in ("inds", "masks") for shift in (0, 1)}}


class SetAttention(nn.Module):
    """Attention inside each set, then a feed-forward layer on every voxel."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x, pos, inds, mask):
        """x, pos [N,width]; inds [sets,36]: voxels; mask [sets,36]: true where a slot repeats the one before."""
        value = x[inds]
        query = value + pos[inds]
        attended = self.self_attn(query, query, value, key_padding_mask=mask, need_weights=False)[0]
        back = torch.zeros_like(x)
        back[inds.reshape(-1)] = attended.reshape(-1, x.shape[1])
        x = self.norm1(x + back)
        return self.norm2(x + self.linear2(nn.functional.gelu(self.linear1(x))))


class Layer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.win_attn = SetAttention(width, heads, hidden)
        self.norm = nn.LayerNorm(width)

    def forward(self, x, pos, inds, mask):
        return self.norm(self.win_attn(x, pos, inds, mask) + x)


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.encoder_list = nn.ModuleList(Layer(width, heads, hidden) for _ in range(2))


class Blocks(nn.Module):
    """Blocks use the two partitions in turn, their two layers a partition's two orders."""

    def __init__(self, blocks, width, hidden, heads=8):
        super().__init__()
        self.stage_0 = nn.ModuleList(Block(width, heads, hidden) for _ in range(blocks))
        self.residual_norm_stage_0 = nn.ModuleList(nn.LayerNorm(width) for _ in range(blocks))

    def forward(self, src, inds_0, inds_1, masks_0, masks_1, pos):
        x = src
        for number, block in enumerate(self.stage_0):
            inds, masks = ((inds_0, masks_0), (inds_1, masks_1))[number % 2]
            y = x
            for axis, layer in enumerate(block.encoder_list):
                y = layer(y, pos[number, axis], inds[axis], masks[axis])
            x = self.residual_norm_stage_0[number](x + y)
        return x


def from_checkpoint(path):
    """The blocks with the weights of a checkpoint of the whole detector, or of the blocks alone."""
    state = torch.load(path, map_location="cpu", **_if_known(torch.load, weights_only=True))
    state = state.get("model_state", state)
    state = {name.removeprefix("backbone_3d."): value for name, value in state.items()}
    state = {name: value for name, value in state.items() if name.startswith(("stage_0.", "residual_norm_stage_0."))}
    blocks = 1 + max(int(name.split(".")[1]) for name in state)
    hidden, width = state["stage_0.0.encoder_list.0.win_attn.linear1.weight"].shape
    model = Blocks(blocks, width, hidden).eval()
    model.load_state_dict(state)
    return model


def export(model, path):
    """Writes the ONNX file with the names, the opset and the dynamic axes that DSVT's users know."""
    blocks, width = len(model.stage_0), model.residual_norm_stage_0[0].normalized_shape[0]
    voxels, sets = 50, (3, 2)
    inds = [torch.arange(2 * count * SET_SIZE).reshape(2, count, SET_SIZE) % voxels for count in sets]
    masks = [torch.zeros(2, count, SET_SIZE, dtype=torch.bool) for count in sets]
    sample = (torch.randn(voxels, width), *inds, *masks, torch.randn(blocks, 2, voxels, width))
    with torch.no_grad():
        torch.onnx.export(model, sample, path, input_names=list(INPUTS), output_names=["output"], opset_version=14,
                          dynamic_axes={**DYNAMIC_AXES, "output": {0: "voxel_number"}},
                          **_if_known(torch.onnx.export, dynamo=False))


def _if_known(function, **options):
    """The options that this torch's function has."""
    known = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in known}
