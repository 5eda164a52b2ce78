"""DSVT in slow, plain NumPy and Python, written from its description: what the tests compare with.

Weights are taken from a checkpoint's tensors by their published names.
"""

import math
from fractions import Fraction

import numpy as np


def pillars(points, config):
    """{(x, y): list of point indices} in ascending order of (x, y); float32 binning."""
    low, high = np.float32(config.points.range[:3]), np.float32(config.points.range[3:])
    size = np.float32(config.pillars.size)
    cells = {}
    for i, point in enumerate(points):
        if not np.all((point[:2] >= low[:2]) & (point[:2] <= high[:2])):
            continue
        cell = [int(math.floor((p - l) / s)) for p, l, s in zip(point[:3], low, size)]
        if all(0 <= c < g for c, g in zip(cell, config.grid())):
            cells.setdefault(tuple(cell[:2]), []).append(i)
    return {cell: cells[cell] for cell in sorted(cells)}


def partition(cells, window, shift, set_size):
    """inds [2, S, T] and mask [2, S, T] of pillars at `cells` [(x, y)], in their order."""
    windows = {}
    for i, (x, y) in enumerate(cells):
        x, y = x + shift[0], y + shift[1]
        windows.setdefault((x // window[0], y // window[1]), []).append((x % window[0], y % window[1], i))
    inds = [[], []]
    for axis, key in enumerate((lambda v: (v[1], v[0]), lambda v: (v[0], v[1]))):
        for number in sorted(windows):
            members = sorted(windows[number], key=key)
            sets = math.ceil(Fraction(len(members), set_size))
            for j in range(sets):
                ranks = [(j * set_size + k) * len(members) // (sets * set_size) for k in range(set_size)]
                inds[axis].append([members[r][2] for r in ranks])
    inds = np.array(inds, dtype=np.int64).reshape(2, -1, set_size)
    mask = np.zeros(inds.shape, dtype=bool)
    mask[:, :, 1:] = inds[:, :, 1:] == inds[:, :, :-1]
    return inds, mask


def batch_norm(x, state, name, eps):
    scale = state[f"{name}.weight"] / np.sqrt(state[f"{name}.running_var"] + eps)
    return (x - state[f"{name}.running_mean"]) * scale + state[f"{name}.bias"]


def layer_norm(x, state, name):
    centred = x - x.mean(-1, keepdims=True)
    return (
        centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * state[f"{name}.weight"] + state[f"{name}.bias"]
    )


def linear(x, state, name):
    return x @ state[f"{name}.weight"].T + state.get(f"{name}.bias", 0)


def vfe(points, cells, config, state):
    """Features [N, width] of the pillars {(x, y): point indices}."""
    low, size = np.array(config.points.range[:3]), np.array(config.pillars.size)
    result = []
    for (x, y), members in cells.items():
        own = points[members].astype(np.float64)
        centre = np.array([x, y, 0]) * size + size / 2 + low
        features = np.concatenate([own, own[:, :3] - own[:, :3].mean(0), own[:, :3] - centre], 1)
        for i in (0, 1):
            name = f"vfe.pfn_layers.{i}"
            features = np.maximum(batch_norm(linear(features, state, f"{name}.linear"), state, f"{name}.norm", 1e-3), 0)
            largest = features.max(0)
            features = np.concatenate([features, np.broadcast_to(largest, features.shape)], 1)
        result.append(largest)
    return np.array(result)


def position_embedding(cells, block, shift, config, state):
    """[N, width] of partition `shift`'s places in the windows."""
    window, offset = config.transformer.windows()[shift], config.transformer.shifts[shift]
    places = [[(c + o) % w - w / 2 for c, o, w in zip(cell, offset, window)] for cell in cells]
    name = f"backbone_3d.input_layer.posembed_layers.0.{block}.{shift}.position_embedding_head"
    hidden = batch_norm(linear(np.array(places), state, f"{name}.0"), state, f"{name}.1", 1e-5)
    return linear(np.maximum(hidden, 0), state, f"{name}.3")


def attention(x, position, sets, heads, state, name):
    """[N, width]: each set's distinct pillars attend to each other; no padding, no mask."""
    width = x.shape[1]
    q, k, v = (
        (x + (position if part < 2 else 0)) @ state[f"{name}.in_proj_weight"][part * width : (part + 1) * width].T
        + state[f"{name}.in_proj_bias"][part * width : (part + 1) * width]
        for part in range(3)
    )
    result = np.full_like(x, np.nan)
    for members in sets:
        members = np.unique(members)
        for h in range(heads):
            columns = slice(h * width // heads, (h + 1) * width // heads)
            logits = q[members, columns] @ k[members, columns].T / math.sqrt(width / heads)
            weights = np.exp(logits - logits.max(1, keepdims=True))
            result[members, columns] = weights / weights.sum(1, keepdims=True) @ v[members, columns]
    return linear(result, state, f"{name}.out_proj")


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def transformer(x, cells, config, state):
    """Features [N, width] after all blocks."""
    settings = config.transformer
    partitions = [
        partition(cells, window, shift, settings.set_size)[0]
        for window, shift in zip(settings.windows(), settings.shifts)
    ]
    for b in range(settings.blocks):
        y = x
        for i in (0, 1):
            name = f"backbone_3d.stage_0.{b}.encoder_list.{i}"
            position = position_embedding(cells, b, i, config, state)
            inner = f"{name}.win_attn"
            attended = attention(y, position, partitions[b % 2][i], settings.heads, state, f"{inner}.self_attn")
            one = layer_norm(y + attended, state, f"{inner}.norm1")
            fed = linear(gelu(linear(one, state, f"{inner}.linear1")), state, f"{inner}.linear2")
            y = layer_norm(y + layer_norm(one + fed, state, f"{inner}.norm2"), state, f"{name}.norm")
        x = layer_norm(x + y, state, f"backbone_3d.residual_norm_stage_0.{b}")
    return x


def clip_area(a, b):
    """Area that two convex polygons (corners, counterclockwise) share, by clipping one at the other's sides."""
    for (x0, y0), (x1, y1) in zip(b, b[1:] + b[:1]):
        side = [(x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) for x, y in a]
        clipped = []
        for i in range(len(a)):
            j = (i + 1) % len(a)
            if side[i] >= 0:
                clipped.append(a[i])
            if (side[i] > 0) != (side[j] > 0) and side[i] != side[j]:
                t = side[i] / (side[i] - side[j])
                clipped.append(tuple(p + t * (q - p) for p, q in zip(a[i], a[j])))
        a = clipped
        if len(a) < 3:
            return 0.0
    return 0.5 * sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(a, a[1:] + a[:1]))


def corners(box):
    x, y, _, length, width, _, yaw = box
    c, s = math.cos(yaw), math.sin(yaw)
    signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))
    return [(x + (u * length * c - v * width * s) / 2, y + (u * length * s + v * width * c) / 2) for u, v in signs]


def iou_bev(a, b):
    common = clip_area(corners(a), corners(b))
    return common / (a[3] * a[4] + b[3] * b[4] - common)


def nms(boxes, scores, threshold):
    """Indices kept."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(iou_bev(boxes[i], boxes[k]) <= threshold for k in kept):
            kept.append(i)
    return kept


def decode(maps, config):
    """[(box, score, class)] of one frame's maps {name: [C, H, W]} before suppression, by falling heat."""
    classes, height, width = maps["hm"].shape
    settings = config.decode
    cells = []
    for c in range(classes):
        mine = [(1 / (1 + math.exp(-maps["hm"][c, y, x])), c, y, x) for y in range(height) for x in range(width)]
        cells += sorted(mine, reverse=True)[: settings.top]
    result = []
    for heat, c, y, x in sorted(cells, reverse=True)[: settings.top]:
        centre_x = (x + maps["center"][0, y, x]) * config.pillars.size[0] + config.points.range[0]
        centre_y = (y + maps["center"][1, y, x]) * config.pillars.size[1] + config.points.range[1]
        centre = [centre_x, centre_y, maps["center_z"][0, y, x]]
        yaw = math.atan2(maps["rot"][1, y, x], maps["rot"][0, y, x])
        limits = settings.centre_range
        inside = all(low <= v <= high for v, low, high in zip(centre, limits[:3], limits[3:]))
        if inside and heat > settings.score_threshold:
            iou = min(max((maps["iou"][0, y, x] + 1) / 2, 0), 1)
            power = settings.iou_powers[c]
            size = [math.exp(v) for v in maps["dim"][:, y, x]]
            result.append(([*centre, *size, yaw], heat ** (1 - power) * iou**power, c))
    return result
