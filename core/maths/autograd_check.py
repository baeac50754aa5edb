"""The same gradients from torch's autograd."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from core.maths.expression import parse

_TORCH: dict[str, Callable[..., Tensor]] = {
    "+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "**": torch.pow, "neg": torch.neg, "exp": torch.exp,
    "log": torch.log, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "relu": torch.relu, "sqrt": torch.sqrt, "max": torch.maximum,
}  # fmt: skip


def autograd(text: str, variables: Mapping[str, float]) -> dict[str, float]:
    """The gradient of a formula by each of its variables, in float64."""
    expression = parse(text)
    leaves = {
        name: torch.tensor(variables[name], dtype=torch.float64, requires_grad=True) for name in expression.variables
    }
    values: list[Tensor] = []
    for node in expression.nodes:
        if node.operation == "variable":
            values.append(leaves[node.name])
        elif node.operation == "constant":
            values.append(torch.tensor(node.constant, dtype=torch.float64))
        else:
            values.append(_TORCH[node.operation](*(values[i] for i in node.inputs)))
    if leaves:
        values[-1].backward()
    return {name: 0.0 if leaf.grad is None else float(leaf.grad) for name, leaf in leaves.items()}
