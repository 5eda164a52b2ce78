"""YOLOv7 with TensorRT 7 and pycuda, the way its users write it: load an engine, detect, draw, measure.

    trtexec --onnx=yolov7-tiny.onnx --saveEngine=yolov7-tiny.engine --explicitBatch
    python yolov7_tensorrt7.py yolov7-tiny.engine street.jpg --output boxes.png

Runs on NVIDIA's TensorRT 7 and 8, and on Hone: python -m hone.tensorrt yolov7_tensorrt7.py ... The engine ends in
BatchedNMS or EfficientNMS: a count, boxes, scores and classes of each picture. Needs numpy and OpenCV.
"""

import argparse
import time

import cv2
import numpy as np
import pycuda.autoinit  # noqa: F401
import pycuda.driver as cuda
import tensorrt as trt

GRAY = 114


class Detector:
    def __init__(self, path):
        logger = trt.Logger(trt.Logger.WARNING)
        trt.init_libnvinfer_plugins(None, "")
        with open(path, "rb") as file, trt.Runtime(logger) as runtime:
            self.engine = runtime.deserialize_cuda_engine(file.read())
        if self.engine is None:
            raise SystemExit(f"{path} could not be loaded")
        self.context = self.engine.create_execution_context()
        self.inputs, self.outputs, self.allocations = [], [], []
        for index in range(self.engine.num_bindings):
            self.add_binding(index)

    def add_binding(self, index):
        name = self.engine.get_binding_name(index)
        dtype = np.dtype(trt.nptype(self.engine.get_binding_dtype(index)))
        shape = self.context.get_binding_shape(index)
        if self.engine.binding_is_input(index) and shape[0] < 0:
            assert self.engine.num_optimization_profiles > 0
            _, _, largest = self.engine.get_profile_shape(0, name)
            self.context.set_binding_shape(index, largest)
            shape = self.context.get_binding_shape(index)
        shape = tuple(shape)
        self.allocations.append(cuda.mem_alloc(dtype.itemsize * max(trt.volume(shape), 1)))
        binding = {"index": index, "name": name, "dtype": dtype, "shape": shape}
        if self.engine.binding_is_input(index):
            self.inputs.append(binding)
        else:
            self.outputs.append({**binding, "host": np.zeros(shape, dtype)})

    def describe(self):
        print(f"device memory {self.engine.device_memory_size} bytes, max batch {self.engine.max_batch_size}, "
              f"{self.engine.num_bindings} bindings, {self.engine.num_layers} layers")
        for binding in self.inputs + self.outputs:
            print(f"  {binding['index']} {binding['name']} {binding['dtype']} {binding['shape']}")

    def infer(self, pictures):
        """Pictures [B,H,W,3] as floats; returns the outputs' arrays, which the next call overwrites."""
        data = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2).astype(self.inputs[0]["dtype"]))
        cuda.memcpy_htod(self.allocations[self.inputs[0]["index"]], data)
        if not self.context.execute_v2(self.allocations):
            raise SystemExit("the engine did not run")
        for output in self.outputs:
            cuda.memcpy_dtoh(output["host"], self.allocations[output["index"]])
        return [output["host"] for output in self.outputs]


def letterbox(picture, height, width):
    """The picture scaled to fit and centred on gray, and how to get back: scale, left, top."""
    scale = min(height / picture.shape[0], width / picture.shape[1])
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = np.full((height, width, 3), GRAY, np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return canvas, scale, left, top


def draw(picture, detections, scale, left, top):
    count, boxes, scores, classes = (output[0] for output in detections)
    for box, score, label in zip(boxes[: int(count[0])], scores, classes):
        x0, y0, x1, y1 = ((box - [left, top, left, top]) / scale).round().astype(int).tolist()
        hue = np.uint8([[[int(label) * 47 % 180, 220, 230]]])
        color = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].tolist()
        cv2.rectangle(picture, (x0, y0), (x1, y1), color, 2)
        corner = max(x0, 0) + 3, max(y0, 0) + 14
        cv2.putText(picture, f"{int(label)} {score:.2f}", corner, cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)
        print(f"  class {int(label)}, score {score:.3f}, box {x0} {y0} {x1} {y1}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("engine")
    parser.add_argument("picture")
    parser.add_argument("--output", default="boxes.png", help="the picture with its boxes")
    parser.add_argument("--save", help="an .npz file for the network's input and outputs")
    parser.add_argument("--runs", type=int, default=200)
    args = parser.parse_args()

    detector = Detector(args.engine)
    detector.describe()
    picture = cv2.imread(args.picture)
    if picture is None:
        raise SystemExit(f"{args.picture} is no picture that OpenCV reads")
    batch, _, height, width = detector.inputs[0]["shape"]
    boxed, scale, left, top = letterbox(picture, height, width)
    pictures = np.repeat(cv2.cvtColor(boxed, cv2.COLOR_BGR2RGB)[None].astype(np.float32) / 255, batch, 0)

    detections = detector.infer(pictures)
    print(f"{int(detections[0][0, 0])} detections in {args.picture}")
    draw(picture, detections, scale, left, top)
    cv2.imwrite(args.output, picture)
    if args.save:
        arrays = {output["name"]: output["host"] for output in detector.outputs}
        np.savez(args.save, **{detector.inputs[0]["name"]: pictures.transpose(0, 3, 1, 2)}, **arrays)

    for _ in range(20):
        detector.infer(pictures)
    start = time.perf_counter()
    for _ in range(args.runs):
        detector.infer(pictures)
    print(f"{(time.perf_counter() - start) / args.runs * 1e3:.3f} ms a run, mean of {args.runs} with both copies")


if __name__ == "__main__":
    main()
