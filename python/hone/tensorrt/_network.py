"""What an OnnxParser read: INetworkDefinition, its layers and tensors."""

import re
from collections.abc import Sequence

import hone

from . import _generation
from ._api import Api
from ._types import DataType, Dims, LayerType, TensorFormat, TensorLocation

# LayerType of ONNX's operators; an operator that isn't here is a PLUGIN_V2.
_OPS = {
    LayerType.CONVOLUTION: "Conv", LayerType.DECONVOLUTION: "ConvTranspose", LayerType.CAST: "Cast",
    LayerType.ACTIVATION: "Relu LeakyRelu Sigmoid Tanh Elu Selu Softsign Softplus Clip HardSigmoid Gelu",
    LayerType.POOLING: "MaxPool AveragePool LpPool", LayerType.LRN: "LRN", LayerType.SCALE: "BatchNormalization",
    LayerType.SOFTMAX: "Softmax", LayerType.CONCATENATION: "Concat", LayerType.PADDING: "Pad",
    LayerType.ELEMENTWISE: "Add Sub Mul Div Pow Max Min And Or Xor Equal Greater Less Mod",
    LayerType.UNARY: "Exp Log Sqrt Reciprocal Abs Neg Sin Cos Floor Ceil Round Erf Not Sign",
    LayerType.SHUFFLE: "Reshape Transpose Flatten", LayerType.TOPK: "TopK",
    LayerType.SQUEEZE: "Squeeze", LayerType.UNSQUEEZE: "Unsqueeze",
    LayerType.REDUCE: "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd GlobalAveragePool GlobalMaxPool",
    LayerType.GATHER: "Gather GatherElements GatherND", LayerType.MATRIX_MULTIPLY: "MatMul Gemm",
    LayerType.CONSTANT: "Constant", LayerType.IDENTITY: "Identity", LayerType.SLICE: "Slice Split",
    LayerType.SHAPE: "Shape", LayerType.PARAMETRIC_RELU: "PRelu", LayerType.RESIZE: "Resize Upsample",
    LayerType.SELECT: "Where", LayerType.FILL: "ConstantOfShape Range", LayerType.EINSUM: "Einsum",
    LayerType.QUANTIZE: "QuantizeLinear", LayerType.DEQUANTIZE: "DequantizeLinear", LayerType.ONE_HOT: "OneHot",
    LayerType.SCATTER: "ScatterND ScatterElements", LayerType.NON_ZERO: "NonZero", LayerType.CUMULATIVE: "CumSum",
    LayerType.GRID_SAMPLE: "GridSample", LayerType.NMS: "NonMaxSuppression",
    LayerType.NORMALIZATION: "LayerNormalization InstanceNormalization GroupNormalization",
}
_TYPES = {op: kind for kind, ops in _OPS.items() for op in ops.split()}


class ITensor(Api):
    """A tensor of a network. Setting an input's shape fixes its dimensions."""

    location = TensorLocation.DEVICE
    is_execution_tensor = True
    dynamic_range = None  # has no effect: INT8 isn't computed

    def __init__(self, network: "INetworkDefinition", name: str, dtype: str, shape: Sequence[int],
                 is_shape_value: bool = False) -> None:
        self._network, self._name, self._is_shape_value = network, name, is_shape_value
        self._model_shape, self._shape = tuple(shape), Dims(shape)
        self._dtype = _generation.presented(dtype, _generation.from_environment() or 10)[0]

    name = property(lambda self: self._name)
    is_network_input = property(lambda self: any(self is tensor for tensor in self._network._inputs))
    is_network_output = property(lambda self: any(self is tensor for tensor in self._network._outputs))
    is_shape_tensor = property(lambda self: self._is_shape_value)

    @property
    def shape(self) -> Dims:
        return Dims(self._shape)

    @shape.setter
    def shape(self, shape: Sequence[int]) -> None:
        dims, model = Dims(shape), self._model_shape
        if not self.is_network_input or len(dims) != len(model) or any(
                fixed >= 0 and dim != fixed for dim, fixed in zip(dims, model)):
            raise ValueError(f"tensor '{self.name}': shape {dims} doesn't fit the model's {model}; only an input's -1 "
                             "may be given")
        self._shape = dims
        self._network._infer_outputs()

    @property
    def dtype(self) -> DataType:
        return self._dtype

    @dtype.setter
    def dtype(self, dtype: DataType) -> None:
        if dtype != self._dtype:
            raise ValueError(f"tensor '{self.name}' is {self._dtype} in the model and can't be bound as {dtype!s}: put "
                             "a Cast into the ONNX model")

    @property
    def allowed_formats(self) -> int:
        return 1 << TensorFormat.LINEAR

    @allowed_formats.setter
    def allowed_formats(self, formats: int) -> None:
        if not formats >> TensorFormat.LINEAR & 1:
            raise ValueError(f"tensor '{self.name}': all tensors are bound as TensorFormat.LINEAR, which the formats "
                             f"{formats:#x} leave out")

    def set_dynamic_range(self, min: float, max: float) -> bool:  # noqa: A002
        self.dynamic_range = min, max
        return True


class ILayer(Api):
    """A layer after fusion. Its precision may be set, and has no effect: FP32 is computed."""

    precision = DataType.FLOAT
    precision_is_set = False

    def __init__(self, network: "INetworkDefinition", info: hone.LayerInfo) -> None:
        self._network, self._info = network, info

    name = property(lambda self: self._info.name)
    type = property(lambda self: _TYPES.get(self._info.op, LayerType.PLUGIN_V2))
    num_outputs = property(lambda self: len(self._info.outputs))

    def get_output(self, index: int) -> ITensor | None:
        if not 0 <= index < self.num_outputs:
            return None
        name, dtype, dims = re.fullmatch(r"(.*) (\w+)\[(.*)\]", self._info.outputs[index], re.S).groups()
        return self._network._output(name) or ITensor(self._network, name, dtype, _parsed(dims))

    def set_output_type(self, index: int, dtype: DataType) -> None:
        pass

    reset_precision = reset_output_type = lambda self, *_: None


def _parsed(dims: str) -> list[int]:
    """The dimensions of "N,3,floordiv(H, 2)": (-1, 3, -1)."""
    while (flat := re.sub(r"\([^()]*\)", "", dims)) != dims:
        dims = flat
    return [int(dim) if dim.strip().isdecimal() else -1 for dim in dims.split(",")] if dims else []


class INetworkDefinition(Api):
    """What an OnnxParser read. Layers can't be added."""

    name = ""
    has_implicit_batch_dimension = False
    has_explicit_precision = False

    def __init__(self, flags: int = 0) -> None:
        self._flags = flags
        self._model: bytes | str | None = None
        self._base_dir = ""
        self._engine: hone.Engine | None = None
        self._inputs: list[ITensor] = []
        self._outputs: list[ITensor] = []
        self._layers: list[ILayer] = []

    num_inputs = property(lambda self: len(self._inputs))
    num_outputs = property(lambda self: len(self._outputs))
    num_layers = property(lambda self: len(self._layers))
    flags = property(lambda self: self._flags)

    def get_input(self, index: int) -> ITensor | None:
        return self._inputs[index] if 0 <= index < len(self._inputs) else None

    def get_output(self, index: int) -> ITensor | None:
        return self._outputs[index] if 0 <= index < len(self._outputs) else None

    def get_layer(self, index: int) -> ILayer | None:
        return self._layers[index] if 0 <= index < len(self._layers) else None

    def get_flag(self, flag: int) -> bool:
        return bool(self._flags >> int(flag) & 1)

    def mark_output(self, tensor: ITensor) -> None:
        """Nothing, for an output of the model. Raises RuntimeError for any other tensor."""
        if not tensor.is_network_output:
            raise RuntimeError(f"mark_output: '{tensor.name}' is no output of the ONNX model; add it to the model's "
                               "graph.output")

    def _output(self, name: str) -> ITensor | None:
        return next((tensor for tensor in self._outputs if tensor.name == name), None)

    def _take(self, model: bytes | str, base_dir: str) -> None:
        engine = hone.build(model, tune=False, base_dir=base_dir)
        self._model, self._base_dir, self._engine = model, base_dir, engine
        tensors = [ITensor(self, binding.name, binding.dtype, binding.shape, binding.is_shape_value)
                   for binding in engine.bindings]
        self._inputs, self._outputs = tensors[: len(engine.inputs)], tensors[len(engine.inputs) :]
        self._layers = [ILayer(self, layer) for layer in engine.layers()]

    def _given(self) -> dict[str, list[int]]:
        """Shapes of the inputs whose open dimensions were given, all or some."""
        return {tensor.name: list(tensor.shape) for tensor in self._inputs if tensor.shape != tensor._model_shape}

    def _infer_outputs(self) -> None:
        shapes = inferred_shapes(self._engine, self._given())
        for tensor in self._outputs:
            tensor._shape = Dims(shapes.get(tensor.name, tensor._model_shape))


def inferred_shapes(engine: hone.Engine, given: dict[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """Shapes of the outputs where these shapes of inputs decide them; else nothing."""
    context = engine.create_context()
    try:
        for name, dims in given.items():
            if -1 not in dims:
                context.set_input_shape(name, list(dims))
        if context.missing_inputs():
            return {}
        context.prepare()
        return {binding.name: context.shape(binding.name) for binding in engine.outputs}
    except hone.Error:
        return {}
