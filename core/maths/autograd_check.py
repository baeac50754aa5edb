"""The same gradients from torch's autograd."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from core.maths.expression import parse

_TORCH: dict[str, Callable[..., Tensor]] = {
    "+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "**": torch.pow, "neg": torch.neg, "exp": torch.exp,
    "log": torch.log, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "relu": torch.relu, "abs": torch.abs, "sqrt": torch.sqrt, "max": torch.maximum,
}  # fmt: skip


def autograd(text: str, variables: Mapping[str, float]) -> list[float | None]:
    """The gradient of a formula by each of its nodes, in float64; None where torch keeps none: at fixed numbers."""
    values: list[Tensor] = []
    for node in parse(text).nodes:
        if node.operation == "variable":
            values.append(torch.tensor(float(variables[node.name]), dtype=torch.float64, requires_grad=True))
        elif node.operation == "constant":
            values.append(torch.tensor(node.constant, dtype=torch.float64))
        else:
            values.append(_TORCH[node.operation](*(values[i] for i in node.inputs)))
    wanted = [value for value in values if value.requires_grad]
    for value in wanted:
        value.retain_grad()  # torch keeps the gradients of leaves only, unless it is asked
    if wanted:
        values[-1].backward()
    return [None if value.grad is None else float(value.grad) for value in values]
