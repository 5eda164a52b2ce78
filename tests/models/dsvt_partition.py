"""Window and set partition of DSVT (Wang et al., "DSVT: Dynamic Sparse Voxel Transformer with Rotated Sets", 2023).

For tests: it makes valid inputs of the exported blocks from any set of occupied pillars.
"""

import numpy as np

SET_SIZE = 36
WINDOWS = ((12, 12), (24, 24))  # base window, and the one of the shifted partition
SHIFTS = ((0, 0), (6, 6))


def partition(y, x, shift):
    """Returns (inds, mask), both [2, sets, SET_SIZE], for occupied pillars at integer (y, x).

    Axis 0 orders each window's pillars with x fastest, axis 1 with y fastest. `mask` is true at slots that repeat
    the pillar before them.
    """
    window_y, window_x = WINDOWS[shift]
    offset_y, offset_x = SHIFTS[shift]
    win_y, in_y = np.divmod(y + offset_y, window_y)
    win_x, in_x = np.divmod(x + offset_x, window_x)
    windows_y = win_y.max() + 1
    window = win_x * windows_y + win_y
    inds = [[], []]
    for axis, key in enumerate((in_y * window_x + in_x, in_x * window_y + in_y)):
        order = np.lexsort((key, window))
        _, starts, counts = np.unique(window[order], return_index=True, return_counts=True)
        for start, n in zip(starts, counts):
            sets = -(-n // SET_SIZE)
            ranks = np.arange(sets * SET_SIZE) * n // (sets * SET_SIZE)
            inds[axis].append(order[start + ranks].reshape(sets, SET_SIZE))
    inds = np.stack([np.concatenate(sets) for sets in inds]).astype(np.int64)
    mask = np.zeros(inds.shape, dtype=bool)
    mask[:, :, 1:] = inds[:, :, 1:] == inds[:, :, :-1]
    return inds, mask


def random_inputs(rng, pillars, grid=96, channels=192, blocks=2):
    """Inputs of the exported blocks for `pillars` occupied cells of a random cloud on a grid x grid map."""
    cells = rng.choice(grid * grid, size=pillars, replace=False)
    y, x = np.divmod(np.sort(cells), grid)
    inputs = {
        "src": rng.standard_normal((pillars, channels), dtype=np.float32),
        "pos_embed_tensor": 0.2 * rng.standard_normal((blocks, 2, pillars, channels), dtype=np.float32),
    }
    for shift in (0, 1):
        inds, mask = partition(y, x, shift)
        assert mask[0].sum() == inds[0].size - pillars and mask[1].sum() == inds[1].size - pillars
        inputs[f"set_voxel_inds_tensor_shift_{shift}"] = inds
        inputs[f"set_voxel_masks_tensor_shift_{shift}"] = mask
    return inputs
