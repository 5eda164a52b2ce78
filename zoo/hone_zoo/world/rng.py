"""Counter-based random numbers: the value depends on (seed, scene index, draw number) only, never on the batch."""

from __future__ import annotations

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(value: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


class Rng:
    """Draws [scenes, n] arrays; row i is the stream of scene `indices[i]` under `seed`."""

    def __init__(self, seed: int, indices: np.ndarray) -> None:
        start = _mix(np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))
        self._key = _mix(start + (np.asarray(indices).astype(np.uint64) + np.uint64(1)) * _GOLDEN)
        self._drawn = 0

    def uniform(self, n: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        counter = np.arange(self._drawn + 1, self._drawn + n + 1, dtype=np.uint64)
        self._drawn += n
        bits = _mix(self._key[:, None] + counter[None, :] * _GOLDEN)
        return low + (high - low) * ((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53)

    def normal(self, n: int, mean: float = 0.0, sigma: float = 1.0, limit: float = 2.5) -> np.ndarray:
        """Normal numbers, clipped at `limit` sigmas."""
        radius = np.sqrt(-2.0 * np.log(1.0 - self.uniform(n)))
        value = radius * np.cos(2.0 * np.pi * self.uniform(n))
        return mean + sigma * np.clip(value, -limit, limit)

    def choice(self, n: int, weights: list[float]) -> np.ndarray:
        """Indices 0..len(weights)-1 drawn with these weights."""
        edges = np.cumsum(np.asarray(weights, dtype=np.float64))
        return np.searchsorted(edges[:-1] / edges[-1], self.uniform(n), side="right")

    def chance(self, n: int, probability) -> np.ndarray:
        return self.uniform(n) < probability
