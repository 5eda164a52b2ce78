"""YOLOv7 with EfficientNMS in a predictor of the 8.x age: flat buffers in dictionaries, the size from the engine.

    efficient_nms_pycuda.py -e ENGINE -i PICTURE.npy -o RESULT.npz
"""

import getopt
import sys

import numpy as np
import pycuda.autoinit  # noqa: F401
import pycuda.driver as cuda
import tensorrt as trt


class Predictor(object):
    def __init__(self, path):
        log = trt.Logger(trt.Logger.WARNING)
        log.min_severity = trt.Logger.Severity.ERROR
        trt.init_libnvinfer_plugins(log, "")
        with open(path, "rb") as stored:
            engine = trt.Runtime(log).deserialize_cuda_engine(stored.read())
        self.context = engine.create_execution_context()
        self.size = engine.get_binding_shape(0)[2:]
        self.stream = cuda.Stream()
        self.memory = []
        for name in engine:
            flat = cuda.pagelocked_empty(trt.volume(engine.get_binding_shape(name)),
                                         trt.nptype(engine.get_binding_dtype(name)))
            self.memory.append({"host": flat, "device": cuda.mem_alloc(flat.nbytes),
                                "input": engine.binding_is_input(name)})
        self.pointers = [int(m["device"]) for m in self.memory]

    def __call__(self, picture):
        """Numbers, boxes, scores and classes, flat."""
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32) / 255.0
        assert planes.shape[1:] == tuple(self.size), (planes.shape, self.size)
        self.memory[0]["host"] = planes.ravel()  # pageable memory in place of the page-locked array
        cuda.memcpy_htod_async(self.memory[0]["device"], self.memory[0]["host"], self.stream)
        self.context.execute_async_v2(bindings=self.pointers, stream_handle=self.stream.handle)
        outputs = [m for m in self.memory if not m["input"]]
        for m in outputs:
            cuda.memcpy_dtoh_async(m["host"], m["device"], self.stream)
        self.stream.synchronize()
        return [m["host"] for m in outputs]


options = dict(getopt.getopt(sys.argv[1:], "e:i:o:")[0])
number, boxes, scores, classes = Predictor(options["-e"])(np.load(options["-i"]))
boxes = boxes.reshape(-1, 4)
for i in np.argsort(-scores[: number[0]])[:5]:
    print("class %d, score %.3f, at %s" % (classes[i], scores[i], boxes[i].round(1)))
outputs = {"num_dets": number, "det_boxes": boxes, "det_scores": scores, "det_classes": classes}
np.savez(options["-o"], **{name: value[None] for name, value in outputs.items()})
