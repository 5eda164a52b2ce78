"""A street world with a LiDAR and a camera in KITTI's formats, made from a seed."""

from .kinds import CLASSES
from .pool import camera_pool, lidar_pool

__all__ = ["CLASSES", "camera_pool", "lidar_pool"]
