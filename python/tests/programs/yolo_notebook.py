"""YOLOv7 in the manner of a notebook: named tuples in an OrderedDict, torch buffers, EfficientNMS outputs.

    yolo_notebook.py ENGINE PICTURE.npy RESULT.npz
"""

import sys
import time
from collections import OrderedDict, namedtuple

import numpy as np
import tensorrt as trt
import torch

weights, picture, result = sys.argv[1:]
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
Binding = namedtuple("Binding", "name dtype shape data ptr")

logger = trt.Logger(trt.Logger.INFO)
trt.init_libnvinfer_plugins(logger, namespace="")
with open(weights, "rb") as f, trt.Runtime(logger) as runtime:
    model = runtime.deserialize_cuda_engine(f.read())
bindings = OrderedDict()
for i in range(model.num_bindings):
    name, shape = model.get_binding_name(i), tuple(model.get_binding_shape(i))
    dtype = trt.nptype(model.get_binding_dtype(i))
    data = torch.from_numpy(np.zeros(shape, np.dtype(dtype))).to(device)
    bindings[name] = Binding(name, dtype, shape, data, int(data.data_ptr()))
addresses = OrderedDict((b.name, b.ptr) for b in bindings.values())
context = model.create_execution_context()

# %% The picture, scaled by nearest neighbours into the middle of a grey one
image = np.load(picture)
rows, columns = bindings["images"].shape[2:]
scale = min(rows / image.shape[0], columns / image.shape[1])
height, width = int(image.shape[0] * scale), int(image.shape[1] * scale)
ys = np.minimum(np.arange(height) / scale, image.shape[0] - 1).astype(int)
xs = np.minimum(np.arange(width) / scale, image.shape[1] - 1).astype(int)
top, left = (rows - height) // 2, (columns - width) // 2
grey = np.full((rows, columns, 3), 114, np.uint8)
grey[top : top + height, left : left + width] = image[np.ix_(ys, xs)]
images = torch.from_numpy(np.ascontiguousarray(grey.transpose(2, 0, 1)[None]).astype(np.float32)).to(device)
images /= 255

# %% Warm up, then the picture
for _ in range(3):
    noise = torch.randn(bindings["images"].shape).to(device)
    addresses["images"] = int(noise.data_ptr())
    context.execute_v2(list(addresses.values()))
start = time.perf_counter()
addresses["images"] = int(images.data_ptr())
context.execute_v2(list(addresses.values()))
print(f"{(time.perf_counter() - start) * 1e3:.2f} ms")

# %% Objects in the picture's own pixels
outputs = {name: b.data for name, b in bindings.items() if name != "images"}
count = outputs["num_dets"][0][0]
boxes = outputs["det_boxes"][0, :count].clone()
boxes -= torch.tensor([left, top, left, top], dtype=boxes.dtype, device=boxes.device)
boxes /= scale
for box, score, label in zip(boxes, outputs["det_scores"][0, :count], outputs["det_classes"][0, :count]):
    print(f"class {int(label)} {float(score):.3f}", box.round().int().tolist())
np.savez(result, images=images.cpu().numpy(), **{name: data.cpu().numpy() for name, data in outputs.items()})
