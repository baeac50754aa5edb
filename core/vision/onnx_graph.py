"""A picture network as a graph of ONNX, written node by node, and run by onnxruntime where it is installed.

On a CPU onnxruntime takes a fraction of torch's time for one picture: it merges a convolution with its normalisation
and activation, and lays weights and pictures out for the processor once (`tests/bench/LOG.md`). The graph is written
here in some milliseconds; torch's own exporter takes six seconds for the same.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from core.vision.network import Normalisation

OPSET = 18
Run = Callable[[Tensor], tuple[Tensor, Tensor]]  # pictures (B,C,S,S) → features (B,F,h,w), logits (B,K)


def session(trunk: nn.Module, head: nn.Module, side: int) -> Run | None:
    """`trunk`, which makes features of pictures, and `head`, which makes logits of them, on all of torch's threads.

    None where onnx and onnxruntime are not installed. Raises `NotImplementedError` for a layer not known here.
    """
    try:
        import onnxruntime  # noqa: PLC0415
    except ImportError:
        return None
    graph = graph_bytes(trunk, head, side)
    if graph is None:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    engine = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def run(images: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = engine.run(["features", "logits"], {"images": images.contiguous().numpy()})
        return torch.from_numpy(features), torch.from_numpy(logits)

    return run


def graph_bytes(trunk: nn.Module, head: nn.Module, side: int) -> bytes | None:
    """The two as one ONNX model: "images" (B,3,side,side) → "features", "logits". None where onnx is not installed."""
    try:
        import onnx  # noqa: PLC0415
    except ImportError:
        return None
    writer = _Writer(onnx.helper, onnx.numpy_helper)
    features = writer.module(trunk, "images")
    logits = writer.module(head, features)
    writer.node("Identity", [features], "features")
    writer.node("Identity", [logits], "logits")
    kind = onnx.TensorProto.FLOAT
    inputs = [onnx.helper.make_tensor_value_info("images", kind, ["B", 3, side, side])]
    outputs = [
        onnx.helper.make_tensor_value_info("features", kind, ["B", "F", "h", "w"]),
        onnx.helper.make_tensor_value_info("logits", kind, ["B", "K"]),
    ]
    graph = onnx.helper.make_graph(writer.nodes, "classifier", inputs, outputs, writer.weights)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=9)
    return bytes(model.SerializeToString())


class _Layers(fx.Tracer):
    """Follows a picture through a network down to the layers that are nodes here."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Normalisation) or super().is_leaf_module(m, module_qualified_name)


class _Writer:
    """Nodes and weights of a graph; every value has a name."""

    def __init__(self, make: Any, pack: Any) -> None:
        self.make, self.pack = make, pack
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def module(self, network: nn.Module, given: str) -> str:
        """Write all of `network`, in evaluation mode, for the value of that name; the name of what it gives."""
        layers = dict(network.named_modules())
        names: dict[fx.Node, str] = {}
        for step in _Layers().trace(network).nodes:
            values = [names[value] for value in step.args if isinstance(value, fx.Node)]
            match step.op:
                case "placeholder":
                    names[step] = given
                case "call_module":
                    names[step] = self.layer(layers[str(step.target)], values[0])
                case "call_function" if step.target in (operator.add, operator.iadd) and len(values) == 2:
                    names[step] = self.node("Add", values)
                case "output":
                    return values[0]
                case _:
                    raise NotImplementedError(f"{step.op} {step.target}")
        raise AssertionError("a traced network has an output")

    def layer(self, layer: nn.Module, x: str) -> str:
        """Write one layer for value `x`; the name of what it gives. Raises `NotImplementedError`."""
        match layer:
            case nn.Conv2d(padding=(int(above), int(left))):
                weights = [self.weight(value) for value in (layer.weight, layer.bias) if value is not None]
                return self.node(
                    "Conv", [x, *weights], strides=layer.stride, dilations=layer.dilation, group=layer.groups,
                    pads=[above, left, above, left],
                )  # fmt: skip
            case nn.ZeroPad2d(padding=(left, right, above, below)):
                return self.node("Pad", [x, self.weight(torch.tensor([0, 0, above, left, 0, 0, below, right]))])
            case nn.BatchNorm2d():
                parts = [layer.weight, layer.bias, layer.running_mean, layer.running_var]
                return self.node("BatchNormalization", [x, *map(self.weight, parts)], epsilon=layer.eps)
            case Normalisation():
                return self.node("Div", [self.node("Sub", [x, self.weight(layer.mean)]), self.weight(layer.std)])
            case nn.ReLU6():
                return self.node("Clip", [x, self.weight(torch.tensor(0.0)), self.weight(torch.tensor(6.0))])
            case nn.ReLU():
                return self.node("Relu", [x])
            case nn.MaxPool2d(kernel_size=int(size), stride=int(step), padding=int(margin), dilation=1):
                return self.node("MaxPool", [x], kernel_shape=[size] * 2, strides=[step] * 2, pads=[margin] * 4)
            case nn.AdaptiveAvgPool2d(output_size=1 | (1, 1)):
                return self.node("GlobalAveragePool", [x])
            case nn.Flatten(start_dim=1):
                return self.node("Flatten", [x])
            case nn.Linear():
                return self.node("Gemm", [x, self.weight(layer.weight), self.weight(layer.bias)], transB=1)
            case nn.Identity() | nn.Dropout():
                return x
        raise NotImplementedError(type(layer).__name__)

    def node(self, kind: str, inputs: list[str], output: str = "", **settings: Any) -> str:
        name = output or f"v{len(self.nodes)}"
        self.nodes.append(self.make.make_node(kind, inputs, [name], **settings))
        return name

    def weight(self, value: Tensor | None) -> str:
        assert value is not None
        name = f"w{len(self.weights)}"
        array = np.ascontiguousarray(value.detach().numpy())
        self.weights.append(self.pack.from_array(array, name))
        return name
