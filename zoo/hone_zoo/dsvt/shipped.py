"""A DSVT detector made of its exported parts: what lies between them in PyTorch, the parts in ONNX Runtime."""

import json
from pathlib import Path
from typing import Sequence

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from .config import config_from
from .decode import Detections, decode
from .export import PARTS
from .pillars import Pillarizer
from .transformer import InputLayer


class ShippedDetector:
    """Detects with the files `folder`/PART.onnx; the configuration comes from their metadata. Runs on the CPU."""

    def __init__(self, folder: Path):
        missing = [name for name in PARTS if not (folder / f"{name}.onnx").is_file()]
        if missing:
            raise ValueError(f"{folder} lacks {', '.join(f'{name}.onnx' for name in missing)}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.parts = {
            name: onnxruntime.InferenceSession(folder / f"{name}.onnx", options, ["CPUExecutionProvider"])
            for name in PARTS
        }
        metadata = self.parts["blocks"].get_modelmeta().custom_metadata_map
        self.config = config_from(json.loads(metadata["hone.config"]))
        self.pillarizer, self.input_layer = Pillarizer(self.config), InputLayer(self.config)

    def run(self, name: str, *inputs: Tensor) -> dict[str, np.ndarray]:
        """The outputs of a part by name; inputs in its order."""
        part = self.parts[name]
        feed = {meta.name: np.ascontiguousarray(value.numpy()) for meta, value in zip(part.get_inputs(), inputs)}
        return dict(zip((meta.name for meta in part.get_outputs()), part.run(None, feed)))

    def maps(self, cloud: Tensor) -> dict[str, Tensor]:
        """The head's maps [1, channels, ny, nx] of a cloud [P, C] float32."""

        def only(name: str, *inputs: Tensor) -> Tensor:
            (value,) = self.run(name, *inputs).values()
            return torch.from_numpy(value)

        pillars = self.pillarizer(cloud, torch.zeros(len(cloud), dtype=torch.int64))
        coords = pillars.coords.int()
        sets, _ = self.input_layer.partitions(pillars.coords)
        features = only("vfe", pillars.points, pillars.index, coords)
        position = only("position_embedding", coords)
        refined = only("blocks", features, *(part.inds for part in sets), *(part.mask for part in sets), position)
        wide = only("backbone_2d", only("map_to_bev", refined, coords))
        return {name: torch.from_numpy(value) for name, value in self.run("head", wide).items()}

    @torch.no_grad()
    def detect(self, clouds: Sequence[Tensor]) -> list[Detections]:
        """Detections of each cloud [P, C] float32."""
        return [decode(self.maps(cloud), self.config)[0] for cloud in clouds]
