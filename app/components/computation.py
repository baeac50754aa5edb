"""A formula as a graph of operations: typed, drawn, and walked forward and backward."""

from dataclasses import dataclass
from typing import Any

import networkx as nx
import pandas as pd
import streamlit as st

from app.components.address import choice, log_number, number
from app.components.graph import Box, Line, State, show_graph
from app.components.lesson import predict_first
from app.figures.backpropagation import difference_error
from app.language import _, explain, mark
from content.layout import Drawing, draw
from core.errors import UserError
from core.maths.backpropagation import OPERATIONS, Step, finite_difference, steps
from core.maths.expression import MOST_LETTERS, Expression, parse
from core.runs import client

PRESETS: dict[str, tuple[str, str, dict[str, float]]] = {
    "neuron": (mark("A neuron and its loss"), "(sigmoid(w1*x1 + w2*x2 + b) - y)**2",
               {"w1": 0.5, "x1": 1.0, "w2": -1.0, "x2": 2.0, "b": 0.5, "y": 1.0}),
    "net": (mark("A 2-2-1 network"),
            "(v1*tanh(a1*x1 + b1*x2 + c1) + v2*tanh(a2*x1 + b2*x2 + c2) + c - y)**2",
            {"v1": 1.0, "a1": 0.5, "x1": 1.0, "b1": -0.5, "x2": 0.5, "c1": 0.1, "v2": -1.0, "a2": 0.3, "b2": 0.8,
             "c2": -0.2, "c": 0.0, "y": 1.0}),
    "twice": (mark("A variable used twice"), "x*y + sin(x)", {"x": 0.5, "y": 3.0}),
    "softplus": (mark("The loss of one logit"), "log(1 + exp(z)) - y*z", {"z": 1.0, "y": 1.0}),
}  # fmt: skip
EDGE = 10.0  # of the sliders
KINDS = {"constant": mark("fixed number"), "variable": mark("variable"), "operation": mark("operation")}


@dataclass(frozen=True)
class Computation:
    """A formula with the values of its variables, and all of its steps."""

    text: str
    expression: Expression
    variables: dict[str, float]
    steps: list[Step]

    @property
    def gradients(self) -> dict[str, float]:
        last = self.steps[-1].gradients
        return {name: last.get(place, 0.0) for name, place in self.expression.variables.items()}


def formula() -> str:
    """The formula of the link, its field and the examples. What cannot be read is answered under the field."""
    with st.container(horizontal=True):
        for key, (words, _text, _values) in PRESETS.items():
            st.button(_(words), key=f"preset-{key}", on_click=_load, args=(key,))
    st.session_state["expr"] = st.query_params.get("expr", PRESETS["neuron"][1])[: MOST_LETTERS + 1]
    st.text_input(_("Formula"), key="expr", max_chars=MOST_LETTERS + 1, on_change=_typed)
    text = str(st.session_state["expr"])
    try:
        parse(text)
    except UserError as error:
        st.error(explain(error), icon=":material/error:")
        text = st.session_state.get("good-formula", PRESETS["neuron"][1])
        st.caption(_("Below is still the last formula that could be read."))
    st.session_state["good-formula"] = text
    return text


def values(text: str) -> dict[str, float]:
    """A slider for each variable; in the link."""
    given = next((values for _words, known, values in PRESETS.values() if known == text), {})
    names = list(parse(text).variables)
    found = {}
    columns = st.columns(min(4, max(1, len(names))))
    for place, name in enumerate(names):
        with columns[place % len(columns)]:
            label = name.replace("_", r"\_")
            found[name] = number(label, f"v.{name}", given.get(name, 1.0), -EDGE, EDGE, step=0.1)
    return found


def computed(text: str, variables: dict[str, float]) -> Computation | None:
    """All steps; where these values cannot be computed a sentence, and the last values that could be."""
    expression = parse(text)
    try:
        found = Computation(text, expression, variables, steps(expression, variables))
    except UserError as error:
        st.error(explain(error), icon=":material/error:")
        last = st.session_state.get("good-computation")
        if last is None or last[0] != text:
            return None
        st.caption(_("Below are still the last values that could be computed."))
        return Computation(text, expression, last[1], steps(expression, last[1]))
    st.session_state["good-computation"] = (text, variables)
    return found


def walk(computation: Computation) -> None:
    """The graph at one step, with what happens in it."""
    last = len(computation.steps)
    given = st.query_params.get("k", "")
    if given.isdecimal() and len(given) < 5 and int(given) > last:
        st.query_params["k"] = str(last)  # the formula has become shorter
    k = int(number(_("Which step"), "k", 0, 0, last, step=1))
    with st.container(horizontal=True):
        for name, label, place in (
            ("first", _("To the start"), 0), ("back", _("Back"), k - 1), ("next", _("Next"), k + 1),
            ("seed", _("Before the way back"), _seed(computation)), ("last", _("To the end"), last),
        ):  # fmt: skip
            st.button(label, key=f"go-{name}", on_click=_go, args=(max(0, min(place, last)),))
    step = computation.steps[k - 1] if k else None
    _graph(computation, step)
    if step is None:
        st.markdown(_("Only the variables are known. Press *Next*: each operation computes its value from its inputs."))
    else:
        _say(computation, step)


def check(computation: Computation) -> None:
    """The gradients beside those of autograd and of finite differences."""
    ours = computation.gradients
    if not ours:
        st.info(_("This formula has no variable, so there is nothing to differentiate by."))
        return
    try:
        theirs = _autograd(computation.text, tuple(sorted(computation.variables.items())))
        h = log_number("h", "h", 1e-5, 1e-14, 1.0)
        differences = {name: _difference(computation, name, h) for name in ours}
    except UserError as error:
        st.error(explain(error))
        return
    rows = [
        {
            _("Variable"): name,
            _("Value"): computation.variables[name],
            _("Gradient"): ours[name],
            "autograd": theirs[name],
            _("Difference from autograd"): abs(ours[name] - theirs[name]),
            _("Finite difference"): differences[name],
        }
        for name in ours
    ]
    number_format = st.column_config.NumberColumn(format="%.6g")
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, column_config=dict.fromkeys(list(rows[0])[1:], number_format)
    )
    worst = max(abs(ours[name] - theirs[name]) for name in ours)
    st.markdown(
        _("The largest difference from torch's autograd is {worst:.2g}. A finite difference needs the formula twice "
          "for each variable: {count} times here. Going back needs every edge once, {edges} of them, for all variables "
          "together.").format(
            worst=worst, count=2 * len(ours), edges=sum(step.kind == "backward" for step in computation.steps))
    )  # fmt: skip
    name = choice(st.selectbox, _("Finite difference by"), "by", {name: name for name in ours})
    axis = [10.0 ** (-power / 2) for power in range(29)]
    errors = {h: abs(d - ours[name]) for h in axis if (d := _difference(computation, name, h)) is not None}
    now = differences[name]
    if now is not None:
        st.plotly_chart(
            difference_error(list(errors), list(errors.values()), (h, abs(now - ours[name])), {"error": _("Error")}),
            key="difference", alt=_("Error of the finite difference"),
        )  # fmt: skip
        best = min(errors, key=errors.__getitem__)
        st.markdown(
            _("Nearest at h = {best:.1g}. A larger h cuts the corner of the curve; a smaller one subtracts two numbers "
              "that agree in almost all of their 16 digits.").format(best=best)
        )  # fmt: skip


def question(computation: Computation) -> None:
    """Which variable pulls hardest?"""
    gradients = computation.gradients
    strongest = sorted(gradients, key=lambda name: -abs(gradients[name]))[:4]
    if len(strongest) < 2:
        return
    right = strongest[0]
    predict_first(
        "steepest-" + "-".join(sorted(strongest)),
        _("A small change of which variable changes the result most?"),
        {name: name.replace("_", r"\_") for name in sorted(strongest)},
        right,
        _("The gradient by {name} is {value:.4g}, the next is {next:.4g} by {other}.").format(
            name=right.replace("_", r"\_"), value=gradients[right], next=gradients[strongest[1]],
            other=strongest[1].replace("_", r"\_")),
    )  # fmt: skip


def _graph(computation: Computation, step: Step | None) -> None:
    drawing = _drawn(computation.text)
    boxes, states = [], {}
    for place, node in enumerate(computation.expression.nodes):
        own = "f" if place == len(computation.expression.nodes) - 1 else f"u{place}"
        shown = f"{own} · {node.operation}"
        label = {"variable": node.name, "constant": f"{node.constant:g}"}.get(node.operation, shown)
        kind = _(KINDS.get(node.operation, KINDS["operation"]))
        style = {"variable": 2, "constant": 5}.get(node.operation, 0)
        boxes.append(Box(str(place), *drawing.positions[str(place)], label, kind, style))
        states[str(place)] = _state(computation, place, step)
    lines = [
        Line(str(start), str(place), drawing.routes[str(start), str(place)])
        for place, node in enumerate(computation.expression.nodes)
        for start in dict.fromkeys(node.inputs)
    ]
    way = [] if step is None or step.kind != "backward" else [str(step.to), str(step.node)]
    rows = max(2.0, drawing.height + 1)
    show_graph(
        boxes, lines, key="computation", name=_("The formula as a graph"), path=way, states=states, unit=(190, 76),
        height=int(min(520, 90 + 62 * rows)),
    )  # fmt: skip


def _state(computation: Computation, place: int, step: Step | None) -> State:
    """What is known of a node: its value, and its gradient so far."""
    node = computation.expression.nodes[place]
    known = computation.steps[0].values if step is None else step.values
    here = step is not None and (step.to if step.kind == "backward" else step.node) == place
    if (step is None and node.inputs) or place not in known:
        return State("waiting", _("not yet"))
    figure = f"{known[place]:.4g}"
    if step is not None and place in step.gradients:
        figure += f" · ∂ {step.gradients[place]:.4g}"
        return State("running" if here else "done", _("value and gradient"), figure)
    return State("running" if here else "done", _("value"), figure)


def _say(computation: Computation, step: Step) -> None:
    """The formula of a step with its numbers."""
    node = computation.expression.nodes[step.node]
    inputs = [step.values[i] for i in node.inputs]
    if step.kind == "seed":
        st.latex(rf"f={step.values[step.node]:.5g}\qquad\frac{{\partial f}}{{\partial f}}=1")
        st.markdown(_("All values are there. The way back begins with the result itself, whose gradient is 1."))
        return
    operation = OPERATIONS[node.operation]
    names = dict(zip("ab", (_name(computation, i) for i in node.inputs), strict=False))
    if step.kind == "forward":
        numbers = dict(zip("ab", (_bracketed(value) for value in inputs), strict=False))
        st.latex(
            rf"{_name(computation, step.node)}={operation.latex.format(**names)}={operation.latex.format(**numbers)}"
            rf"={step.values[step.node]:.5g}"
        )
        return
    total = step.gradients[step.to]
    before = total - step.contribution
    child, parent = _name(computation, step.to), _name(computation, step.node)
    st.latex(rf"\frac{{\partial {parent}}}{{\partial {child}}}={operation.rules[step.input]}={step.local:.5g}"
             rf"\qquad a={inputs[0]:.4g}" + (rf",\;b={inputs[1]:.4g}" if len(inputs) > 1 else ""))  # fmt: skip
    st.latex(
        rf"\frac{{\partial f}}{{\partial {child}}}\mathrel{{+}}=\frac{{\partial f}}{{\partial {parent}}}\cdot"
        rf"\frac{{\partial {parent}}}{{\partial {child}}}={step.upstream:.5g}\cdot{_bracketed(step.local)}"
        rf"={step.contribution:.5g}"
    )
    earlier = any(other.kind == "backward" and other.to == step.to for other in
                  computation.steps[: computation.steps.index(step)])  # fmt: skip
    if earlier:
        st.markdown(
            _("It is used more than once, so the parts add up: {before:.5g} + {part:.5g} = {total:.5g}.").format(
                before=before, part=step.contribution, total=total)
        )  # fmt: skip


def _name(computation: Computation, place: int) -> str:
    node = computation.expression.nodes[place]
    if node.operation == "variable":
        return r"\mathrm{" + node.name.replace("_", r"\_") + "}"
    if node.operation == "constant":
        return f"{node.constant:g}"
    return "f" if place == len(computation.expression.nodes) - 1 else f"u_{{{place}}}"


def _bracketed(value: float) -> str:
    return f"({value:.5g})" if value < 0 else f"{value:.5g}"


def _seed(computation: Computation) -> int:
    return next(k for k, step in enumerate(computation.steps, 1) if step.kind == "seed")


def _difference(computation: Computation, name: str, h: float) -> float | None:
    try:
        return finite_difference(computation.expression, computation.variables, name, h)
    except UserError:
        return None  # so far away the formula has no value


def _go(k: int) -> None:
    st.query_params["k"] = str(k)


def _typed() -> None:
    st.query_params["expr"] = st.session_state["expr"]
    st.query_params.pop("k", None)


def _load(preset: str) -> None:
    st.query_params["expr"] = PRESETS[preset][1]
    for name in [name for name in st.query_params if name == "k" or name.startswith("v.")]:
        del st.query_params[name]


@st.cache_data(max_entries=200, show_spinner=False)
def _autograd(text: str, variables: tuple[tuple[str, float], ...]) -> dict[str, float]:
    found: dict[str, float] = client.call("core.maths.autograd_check:autograd", text=text, variables=dict(variables))
    return found


@st.cache_resource(max_entries=100)
def _drawn(text: str) -> Drawing:
    """Where every node stands: an operation right of its inputs, an input just left of its first use."""
    nodes = parse(text).nodes
    graph, layers = nx.DiGraph(), dict[int, int]()
    for place, node in enumerate(nodes):
        layers[place] = 1 + max((layers[i] for i in node.inputs), default=-1)
    for place, node in enumerate(nodes):
        if not node.inputs:
            uses = [layers[k] for k, other in enumerate(nodes) if place in other.inputs]
            layers[place] = min(uses, default=1) - 1
    for place, node in enumerate(nodes):
        graph.add_node(str(place), layer=layers[place])
        graph.add_edges_from((str(i), str(place)) for i in node.inputs)
    return draw(graph)


def parts() -> dict[str, Any]:
    """The parts of the page: name in the link → words and what shows it."""
    return {"walk": (_("Forward and backward"), walk), "check": (_("Check the gradients"), check)}
