"""A session of ONNX Runtime: names, types and shapes of inputs and outputs, some or all outputs.

    ort_session.py MODEL INPUTS.npz RESULT.npz
"""

import sys

import numpy as np
import onnxruntime as ort

options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
providers = ["CPUExecutionProvider"]
if "CUDAExecutionProvider" in ort.get_available_providers():
    providers.insert(0, "CUDAExecutionProvider")
session = ort.InferenceSession(sys.argv[1], sess_options=options, providers=providers)
print(ort.__version__, ort.get_device(), session.get_providers())

feeds = dict(np.load(sys.argv[2]))
for argument in session.get_inputs():
    print("input", argument.name, argument.type, argument.shape)
    assert argument.type.startswith("tensor(")
    for size, given in zip(argument.shape, feeds[argument.name].shape):
        assert size == given if isinstance(size, int) else isinstance(size, (str, type(None))), argument.shape
names = [output.name for output in session.get_outputs()]
values = session.run(None, feeds)
assert isinstance(values, list) and len(values) == len(names)
(last,) = session.run([names[-1]], feeds)
assert np.array_equal(last, values[-1])

failures = 0
for wrong in ({}, {**feeds, "no_such_input": np.zeros(1, np.float32)}):
    try:
        session.run(None, wrong)
    except Exception as error:
        failures += 1
        print(type(error).__name__, str(error).splitlines()[0])
try:
    session.run(["no_such_output"], feeds)
except Exception as error:
    failures += 1
    print(type(error).__name__, str(error).splitlines()[0])
assert failures == 3, failures
np.savez(sys.argv[3], **dict(zip(names, values)))
