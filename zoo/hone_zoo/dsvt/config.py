"""Configuration of a DSVT pillar detector: everything that isn't a weight, from a TOML file."""

import dataclasses
import pathlib
import tomllib
import typing
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).parent / "configs"
GEOMETRIES = ("geometric", "dsvt")


@dataclass(frozen=True)
class Points:
    features: list[str]
    range: list[float]


@dataclass(frozen=True)
class Pillars:
    size: list[float]
    filters: list[int]


@dataclass(frozen=True)
class Transformer:
    width: int
    heads: int
    feedforward: int
    blocks: int
    set_size: int
    window: list[int]
    hybrid_factor: list[int]
    shifts: list[list[int]]

    def windows(self) -> list[list[int]]:
        """Window sizes (x, y, z) in pillars of the two partitions."""
        return [list(self.window), [w * f for w, f in zip(self.window, self.hybrid_factor)]]


@dataclass(frozen=True)
class Backbone2d:
    layers: list[int]
    strides: list[int]
    filters: list[int]
    upsample_strides: list[int]
    upsample_filters: list[int]


@dataclass(frozen=True)
class Head:
    shared_channels: int
    iou: bool


@dataclass(frozen=True)
class Decode:
    score_threshold: float
    top: int
    centre_range: list[float]
    iou_powers: list[float]
    nms_thresholds: list[float]
    nms_before: int
    nms_after: int
    nms_geometry: str


@dataclass(frozen=True)
class Targets:
    overlap: float
    min_radius: int


@dataclass(frozen=True)
class Loss:
    heat: float
    box: float
    iou: float
    iou_regression: float


@dataclass(frozen=True)
class Training:
    batch: int
    learning_rate: float
    weight_decay: float
    warm_up: float
    gradient_norm: float
    rotation: float
    scaling: list[float]
    flip_x: bool
    flip_y: bool


@dataclass(frozen=True)
class Config:
    """A detector's configuration; the sections are those of the files in configs/."""

    classes: list[str]
    points: Points
    pillars: Pillars
    transformer: Transformer
    backbone_2d: Backbone2d
    head: Head
    decode: Decode
    targets: Targets
    loss: Loss
    training: Training

    def grid(self) -> list[int]:
        """Number of pillars along x, y, z."""
        low, high = self.points.range[:3], self.points.range[3:]
        return [round((h - l) / s) for l, h, s in zip(low, high, self.pillars.size)]


def load_config(name: str | pathlib.Path) -> Config:
    """Reads a configuration: `waymo`, `kitti_a`, `kitti_b` or the path of a .toml file. ValueError says all faults."""
    path = pathlib.Path(name)
    if path.suffix != ".toml":
        path = FOLDER / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise ValueError(f"there is no configuration {name}: give one of {known}, or a .toml file")
    try:
        return config_from(tomllib.loads(path.read_text()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def config_from(table: dict) -> Config:
    """The configuration of nested tables as in the files. ValueError names every wrong key at once."""
    faults: list[str] = []
    config = _build(Config, table, "", faults)
    if not faults:
        faults = _contradictions(config)
    if faults:
        raise ValueError("; ".join(faults))
    return config


def _build(kind: type, table: dict, section: str, faults: list[str]):
    hints = typing.get_type_hints(kind)
    faults += [f"{section}{key} isn't known" for key in table if key not in hints]
    values = {}
    for key, hint in hints.items():
        if key not in table:
            faults.append(f"{section}{key} is missing")
        elif dataclasses.is_dataclass(hint):
            values[key] = _build(hint, table[key], f"{section}{key}.", faults)
        elif _fits(table[key], hint):
            values[key] = table[key]
        else:
            faults.append(f"{section}{key} is {table[key]!r}, not a {getattr(hint, '__name__', hint)}")
    return kind(**values) if len(values) == len(hints) else None


def _fits(value, hint) -> bool:
    if typing.get_origin(hint) is list:
        return isinstance(value, list) and all(_fits(item, typing.get_args(hint)[0]) for item in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is hint


def _contradictions(config: Config) -> list[str]:
    classes, transformer, bev = len(config.classes), config.transformer, config.backbone_2d
    lengths = {
        "points.range": (config.points.range, 6),
        "pillars.size": (config.pillars.size, 3),
        "pillars.filters": (config.pillars.filters, 2),
        "transformer.window": (transformer.window, 3),
        "transformer.hybrid_factor": (transformer.hybrid_factor, 3),
        "transformer.shifts": (transformer.shifts, 2),
        "decode.centre_range": (config.decode.centre_range, 6),
        "decode.iou_powers": (config.decode.iou_powers, classes),
        "decode.nms_thresholds": (config.decode.nms_thresholds, classes),
        "training.scaling": (config.training.scaling, 2),
    }
    for field in dataclasses.fields(Backbone2d):
        lengths[f"backbone_2d.{field.name}"] = (getattr(bev, field.name), len(bev.layers))
    faults = [f"{name} has {len(v)} elements, not {n}" for name, (v, n) in lengths.items() if len(v) != n]
    if faults:
        return faults
    faults += [f"transformer.shifts[{i}] isn't x, y, z" for i, s in enumerate(transformer.shifts) if len(s) != 3]
    if config.pillars.filters[-1] != transformer.width:
        faults.append(
            f"pillars.filters ends with {config.pillars.filters[-1]}, not transformer.width {transformer.width}"
        )
    if transformer.width % transformer.heads:
        faults.append(f"transformer.width {transformer.width} isn't a multiple of heads {transformer.heads}")
    if config.decode.nms_geometry not in GEOMETRIES:
        faults.append(f"decode.nms_geometry is {config.decode.nms_geometry!r}: give one of {', '.join(GEOMETRIES)}")
    return faults + _grid_faults(config)


def _grid_faults(config: Config) -> list[str]:
    nx, ny, nz = config.grid()
    faults = []
    if min(nx, ny) < 1 or nz != 1:
        faults.append(f"points.range and pillars.size give a grid of {nx} x {ny} x {nz}; pillars need z = 1")
    scale = 1
    for i, (stride, up) in enumerate(zip(config.backbone_2d.strides, config.backbone_2d.upsample_strides)):
        scale *= stride
        if scale != up:
            faults.append(f"backbone_2d: level {i} has stride {scale} in all but is upsampled by {up}")
    if nx % scale or ny % scale:
        faults.append(f"the grid {nx} x {ny} isn't a multiple of backbone_2d's stride {scale}: change points.range")
    return faults
