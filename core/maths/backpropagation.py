"""Backpropagation on a small graph, one edge at a time.

The chain rule says what an edge carries back: the gradient at its end times the local derivative. A node that is used
several times adds up what comes back (Rumelhart, Hinton, Williams, Nature 323, 1986).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import UserError
from core.maths.expression import Expression


class NoSlopeError(Exception):
    """There is a value here but no slope: a corner, a vertical tangent, or the end of a curve."""


@dataclass(frozen=True)
class Operation:
    """What an operation computes of its inputs a, b; its slope by each of them; and each slope as LaTeX.

    Raises `ZeroDivisionError`, `ValueError` (not a real number) or `OverflowError` where there is no value, and
    `NoSlopeError` where there is one, but no slope.
    """

    value: Callable[..., float]
    slopes: tuple[Callable[..., float], ...]  # of the inputs
    rules: tuple[str, ...]
    latex: str


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


def _power(a: float, b: float) -> float:
    if a == 0 and b < 0:
        raise ZeroDivisionError
    return math.pow(a, b)


def _power_by_base(a: float, b: float) -> float:
    if a == 0 and 0 < b < 1:
        raise NoSlopeError
    return b * math.pow(a, b - 1) if b else 0.0


def _power_by_exponent(a: float, b: float) -> float:
    """Below 0 only whole exponents have a value, and 0 ** b jumps at b = 0."""
    if a < 0 or (a == 0 and b == 0):
        raise NoSlopeError
    return math.pow(a, b) * math.log(a) if a else 0.0


def _step(a: float) -> float:
    """The slope of relu: 1 right of 0, 0 left of it; at 0 is a corner."""
    if a == 0:
        raise NoSlopeError
    return float(a > 0)


def _root_slope(a: float) -> float:
    if a == 0:
        raise NoSlopeError
    return 0.5 / math.sqrt(a)


OPERATIONS = {
    "+": Operation(lambda a, b: a + b, (lambda a, b: 1.0, lambda a, b: 1.0), ("1", "1"), "{a}+{b}"),
    "-": Operation(lambda a, b: a - b, (lambda a, b: 1.0, lambda a, b: -1.0), ("1", "-1"), "{a}-{b}"),
    "*": Operation(lambda a, b: a * b, (lambda a, b: b, lambda a, b: a), ("b", "a"), r"{a}\cdot {b}"),
    "/": Operation(
        lambda a, b: a / b, (lambda a, b: 1 / b, lambda a, b: -(a / b) / b), ("1/b", "-a/b^2"), r"\frac{{{a}}}{{{b}}}"
    ),
    "**": Operation(
        _power, (_power_by_base, _power_by_exponent), (r"b\,a^{b-1}", r"a^b\ln a"), "({a})^{{{b}}}",
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
    "relu": Operation(lambda a: max(a, 0.0), (_step,), (r"[a>0]",), r"\mathrm{{relu}}({a})"),
    "abs": Operation(abs, (lambda a: 2 * _step(a) - 1,), (r"\mathrm{sign}\,a",), r"|{a}|"),
    "sqrt": Operation(math.sqrt, (_root_slope,), (r"\tfrac1{2\sqrt a}",), r"\sqrt{{{a}}}"),
    "max": Operation(
        max, (lambda a, b: _step(a - b), lambda a, b: _step(b - a)), (r"[a>b]", r"[b>a]"), r"\max({a},{b})"
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
            values.append(_value(node.operation, [values[i] for i in node.inputs]))
    return values


def steps(expression: Expression, variables: Mapping[str, float]) -> list[Step]:
    """Every step: forward through the operations, then back along every edge that leads to a variable.

    Raises `UserError` where a value or a slope cannot be computed, or a gradient becomes too large a number.
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
            local = _slope(node.operation, place, inputs)
            total = gradients.get(to, 0.0) + gradients[k] * local
            if not math.isfinite(total):
                raise UserError(
                    "On the way back the gradient at {name} becomes too large a number; take smaller values.",
                    name=expression.nodes[to].name or f"u{to}",
                )
            gradients = {**gradients, to: total}
            found.append(Step("backward", k, known, gradients, place, to, gradients[k], local))
    return found


def finite_difference(expression: Expression, variables: Mapping[str, float], name: str, h: float) -> float:
    """(f(x + h) - f(x - h)) / 2h for one variable: too large an h cuts corners, too small a one loses digits.

    Raises `UserError` where the formula has no value at one of the two places.
    """
    up = forward(expression, {**variables, name: variables[name] + h})[-1]
    down = forward(expression, {**variables, name: variables[name] - h})[-1]
    return (up - down) / (2 * h)


def written(operation: str, inputs: Sequence[str]) -> str:
    """An operation with its inputs, as one would type it: ``2 / (-3)``, ``log(-2)``, ``u1 + u2``."""
    if operation.isalpha() and operation != "neg":
        return f"{operation}({', '.join(inputs)})"
    inputs = [f"({text})" if text.startswith("-") else text for text in inputs]
    return f"-{inputs[0]}" if operation == "neg" else f" {operation} ".join(inputs)


def _on_the_way_to_a_variable(expression: Expression) -> list[bool]:
    """Whether each node depends on a variable; constants need no gradient."""
    found: list[bool] = []
    for node in expression.nodes:
        found.append(node.operation == "variable" or any(found[i] for i in node.inputs))
    return found


def _value(operation: str, inputs: list[float]) -> float:
    formula = written(operation, [f"{value:.4g}" for value in inputs])
    try:
        value = float(OPERATIONS[operation].value(*inputs))
    except ZeroDivisionError:
        raise UserError(
            "{formula} cannot be computed: nothing can be divided by zero. Change a value.", formula=formula
        ) from None
    except ValueError:
        raise UserError("{formula} is not a real number. Change a value.", formula=formula) from None
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise UserError("{formula} is too large a number. Change a value.", formula=formula)
    return value


def _slope(operation: str, place: int, inputs: list[float]) -> float:
    formula = written(operation, [f"{value:.4g}" for value in inputs])
    try:
        slope = float(OPERATIONS[operation].slopes[place](*inputs))
    except NoSlopeError:
        raise UserError(
            "{formula} has a value but no slope: the curve has a corner there, stands upright or ends. "
            "Move a value a little.",
            formula=formula,
        ) from None
    except (OverflowError, ZeroDivisionError):
        slope = math.inf
    if not math.isfinite(slope):
        raise UserError("The slope of {formula} is too large a number. Change a value.", formula=formula)
    return slope
