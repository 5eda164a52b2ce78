"""DSVT pillar, a LiDAR detector (Wang et al., "DSVT: Dynamic Sparse Voxel Transformer with Rotated Sets", 2023)."""

from .config import Config, load_config
from .decode import Detections
from .model import Detector, load_weights, make_detector, parameter_count, random_detector

__all__ = [
    "Config",
    "Detections",
    "Detector",
    "load_config",
    "load_weights",
    "make_detector",
    "parameter_count",
    "random_detector",
]
