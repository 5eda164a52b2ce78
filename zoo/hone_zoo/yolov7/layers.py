"""Reads the tables of layers.txt. Needs nothing but Python."""

import math
from dataclasses import dataclass
from pathlib import Path

STRIDES = (8, 16, 32)  # of the output maps
_NUMBERS = {"conv": 3, "repconv": 3, "maxpool": 2, "upsample": 0, "concat": 0, "sppcspc": 1, "detect": 0}


@dataclass(frozen=True)
class Layer:
    index: int
    kind: str
    numbers: tuple[int, ...]
    inputs: tuple[int, ...]  # layer numbers; -1 only for the first layer: the picture


@dataclass(frozen=True)
class Table:
    name: str
    activation: tuple[str, ...]  # ("silu",) or ("leaky", slope)
    anchors: tuple  # [map][3] -> (width, height) in pixels
    layers: tuple[Layer, ...]


def channels(count: int, width: float = 1) -> int:
    """Channels of a layer in a model whose width is scaled: a multiple of 8."""
    return count if width == 1 else math.ceil(count * width / 8) * 8


def _parse_layer(words: list[str]) -> Layer:
    index, kind = int(words[0]), words[1]
    count = _NUMBERS[kind]
    numbers = [int(word) for word in words[2 : 2 + count]]
    sources = [int(word) for word in words[2 + count :]]
    return Layer(index, kind, tuple(numbers), tuple(index + source if source < 0 else source for source in sources))


def _parse_table(lines: list[list[str]]) -> Table:
    values: dict[str, list[str]] = {words[0]: words[1:] for words in lines if words[0].isalpha()}
    maps = " ".join(values["anchors"]).split("/")
    anchors = tuple(tuple(tuple(map(float, anchor.split(","))) for anchor in level.split()) for level in maps)
    layers = tuple(_parse_layer(words) for words in lines if words[0].isdigit())
    return Table(values["model"][0], tuple(values["activation"]), anchors, layers)


def read_tables() -> dict[str, Table]:
    """Name -> table of each model."""
    groups: list[list[list[str]]] = []
    for line in (Path(__file__).parent / "layers.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if words and words[0] == "model":
            groups.append([])
        if words:
            groups[-1].append(words)
    return {table.name: table for table in map(_parse_table, groups)}
