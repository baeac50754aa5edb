"""Backpropagation on a small graph, one edge at a time.

The chain rule says what an edge carries back: the gradient at its end times the local derivative. A node that is used
several times adds up what comes back (Rumelhart, Hinton, Williams, Nature 323, 1986).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.errors import UserError
from core.maths.expression import Expression


@dataclass(frozen=True)
class Operation:
    """What an operation computes of its inputs a, b; its slope by each of them; and each slope as LaTeX."""

    value: Callable[..., float]
    slopes: tuple[Callable[..., float], ...]  # of the inputs
    rules: tuple[str, ...]
    latex: str


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


OPERATIONS = {
    "+": Operation(lambda a, b: a + b, (lambda a, b: 1.0, lambda a, b: 1.0), ("1", "1"), "{a}+{b}"),
    "-": Operation(lambda a, b: a - b, (lambda a, b: 1.0, lambda a, b: -1.0), ("1", "-1"), "{a}-{b}"),
    "*": Operation(lambda a, b: a * b, (lambda a, b: b, lambda a, b: a), ("b", "a"), r"{a}\cdot {b}"),
    "/": Operation(
        lambda a, b: a / b, (lambda a, b: 1 / b, lambda a, b: -a / b**2), ("1/b", "-a/b^2"), r"\frac{{{a}}}{{{b}}}"
    ),
    "**": Operation(
        math.pow,
        (lambda a, b: b * math.pow(a, b - 1) if b else 0.0, lambda a, b: math.pow(a, b) * math.log(a) if a else 0.0),
        (r"b\,a^{b-1}", r"a^b\ln a"),
        "({a})^{{{b}}}",
    ),
    "neg": Operation(lambda a: -a, (lambda a: -1.0,), ("-1",), "-({a})"),
    "exp": Operation(math.exp, (math.exp,), ("e^a",), "e^{{{a}}}"),
    "log": Operation(math.log, (lambda a: 1 / a,), ("1/a",), r"\ln({a})"),
    "sin": Operation(math.sin, (math.cos,), (r"\cos a",), r"\sin({a})"),
    "cos": Operation(math.cos, (lambda a: -math.sin(a),), (r"-\sin a",), r"\cos({a})"),
    "tanh": Operation(math.tanh, (lambda a: 1 - math.tanh(a) ** 2,), (r"1-\tanh^2a",), r"\tanh({a})"),
    "sigmoid": Operation(
        sigmoid, (lambda a: sigmoid(a) * (1 - sigmoid(a)),), (r"\sigma(a)(1-\sigma(a))",), r"\sigma({a})"
    ),
    "relu": Operation(
        lambda a: max(a, 0.0), (lambda a: 1.0 if a > 0 else 0.0,), (r"[a>0]",), r"\mathrm{{relu}}({a})"
    ),
    "sqrt": Operation(math.sqrt, (lambda a: 0.5 / math.sqrt(a),), (r"\tfrac1{2\sqrt a}",), r"\sqrt{{{a}}}"),
    "max": Operation(
        max,
        (lambda a, b: (1 + (a > b) - (a < b)) / 2, lambda a, b: (1 + (b > a) - (b < a)) / 2),
        (r"[a>b]", r"[b>a]"),
        r"\max({a},{b})",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """What happens at one moment, and what is known after it.

    "forward": node `node` gets its value. "seed": the result's gradient by itself is 1. "backward": the edge from
    input number `input` of `node` carries `upstream` × `local` back to the node `to`, where it is added up.
    """

    kind: str
    node: int
    values: Mapping[int, float]
    gradients: Mapping[int, float]
    input: int = 0
    to: int = 0
    upstream: float = 0.0
    local: float = 0.0

    @property
    def contribution(self) -> float:
        return self.upstream * self.local


def forward(expression: Expression, variables: Mapping[str, float]) -> list[float]:
    """The value of every node. Raises `UserError` where one cannot be computed."""
    values: list[float] = []
    for node in expression.nodes:
        if node.operation == "variable":
            values.append(float(variables[node.name]))
        elif node.operation == "constant":
            values.append(node.constant)
        else:
            values.append(_computed(node.operation, OPERATIONS[node.operation].value, [values[i] for i in node.inputs]))
    return values


def steps(expression: Expression, variables: Mapping[str, float]) -> list[Step]:
    """Every step: forward through the operations, then back along every edge that leads to a variable.

    Raises `UserError` where a value or a slope cannot be computed.
    """
    values = forward(expression, variables)
    learns = _on_the_way_to_a_variable(expression)
    known = {k: value for k, value in enumerate(values) if not expression.nodes[k].inputs}
    found: list[Step] = []
    for k, node in enumerate(expression.nodes):
        if node.inputs:
            known = {**known, k: values[k]}
            found.append(Step("forward", k, known, {}))
    last = len(expression.nodes) - 1
    gradients = {last: 1.0}
    found.append(Step("seed", last, known, gradients))
    for k in range(last, -1, -1):
        node = expression.nodes[k]
        if k not in gradients:
            continue
        inputs = [values[i] for i in node.inputs]
        for place, to in enumerate(node.inputs):
            if not learns[to]:
                continue
            local = _computed(node.operation, OPERATIONS[node.operation].slopes[place], inputs)
            gradients = {**gradients, to: gradients.get(to, 0.0) + gradients[k] * local}
            found.append(Step("backward", k, known, gradients, place, to, gradients[k], local))
    return found


def finite_difference(expression: Expression, variables: Mapping[str, float], name: str, h: float) -> float:
    """(f(x + h) - f(x - h)) / 2h for one variable: too large an h cuts corners, too small a one loses digits."""
    up = forward(expression, {**variables, name: variables[name] + h})[-1]
    down = forward(expression, {**variables, name: variables[name] - h})[-1]
    return (up - down) / (2 * h)


def _on_the_way_to_a_variable(expression: Expression) -> list[bool]:
    """Whether each node depends on a variable; constants need no gradient."""
    found: list[bool] = []
    for node in expression.nodes:
        found.append(node.operation == "variable" or any(found[i] for i in node.inputs))
    return found


def _computed(name: str, function: Callable[..., float], inputs: list[float]) -> float:
    shown = ", ".join(f"{value:.4g}" for value in inputs)
    try:
        value = float(function(*inputs))
    except ZeroDivisionError:
        raise UserError("{name} of {inputs} divides by zero.", name=name, inputs=shown) from None
    except ValueError:
        raise UserError("{name} of {inputs} is not a real number.", name=name, inputs=shown) from None
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise UserError("{name} of {inputs} is too large a number.", name=name, inputs=shown)
    return value
