"""Names shared by the whole world: object kinds, label classes, materials."""

from __future__ import annotations

CLASSES = ("Car", "Pedestrian", "Cyclist", "Van", "Truck")
"""Label classes in the order of their ids; -1 marks an object without a label."""

KINDS = (
    "car",
    "van",
    "truck",
    "pedestrian",
    "cyclist",
    "bicycle",
    "block",
    "house",
    "wall",
    "fence",
    "hedge",
    "tree",
    "conifer",
    "bush",
    "pole",
    "lamp",
    "sign",
    "bin",
    "cabinet",
    "cone",
    "mound",
    "bench",
)
KIND = {name: number for number, name in enumerate(KINDS)}

MATERIALS = (
    "paint",
    "glass",
    "tyre",
    "trim",
    "cargo",
    "cloth",
    "trousers",
    "skin",
    "hair",
    "bark",
    "leaf",
    "facade",
    "roof",
    "brick",
    "wood",
    "metal",
    "plain",
    "sign",
    "grass",
    "asphalt",
    "paving",
    "kerb",
    "mark",
    "lamp",
    "plate",
    "window",
)
MATERIAL = {name: number for number, name in enumerate(MATERIALS)}

# Mean and spread of the LiDAR reflectance (0..1) of each material at normal incidence. Paint depends on its colour.
REFLECTANCE = {
    "paint": (0.30, 0.10),
    "glass": (0.05, 0.05),
    "tyre": (0.06, 0.04),
    "trim": (0.10, 0.08),
    "cargo": (0.40, 0.10),
    "cloth": (0.34, 0.12),
    "trousers": (0.26, 0.12),
    "skin": (0.40, 0.06),
    "hair": (0.20, 0.10),
    "bark": (0.30, 0.10),
    "leaf": (0.34, 0.17),
    "facade": (0.42, 0.06),
    "roof": (0.32, 0.08),
    "brick": (0.34, 0.08),
    "wood": (0.36, 0.10),
    "metal": (0.30, 0.18),
    "plain": (0.34, 0.10),
    "sign": (0.90, 0.10),
    "grass": (0.34, 0.09),
    "asphalt": (0.28, 0.05),
    "paving": (0.33, 0.06),
    "kerb": (0.38, 0.06),
    "mark": (0.48, 0.08),
    "lamp": (0.75, 0.25),
    "plate": (0.95, 0.06),
    "window": (0.12, 0.10),
}
