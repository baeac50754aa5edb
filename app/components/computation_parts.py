"""The two parts of the page on backpropagation: the walk along every edge, and the check of what it found."""

import math
from typing import Any

import networkx as nx
import streamlit as st

from app.components.address import choice, log_number
from app.components.chart import show_chart
from app.components.computation import Computation
from app.components.graph import Box, Line, State, show_graph
from app.components.order import aside, later
from app.components.page import show_error
from app.components.stepper import go_to, stepper
from app.figures.backpropagation import difference_error
from app.language import _, mark
from app.text import literal
from content.layout import Drawing, draw
from core.errors import UserError
from core.maths.backpropagation import OPERATIONS, Step, finite_difference, forward, written
from core.maths.expression import parse
from core.runs import client

KINDS = {"constant": mark("fixed number"), "variable": mark("variable"), "operation": mark("operation")}
NUDGE = 0.01
FIGURES = st.column_config.NumberColumn(format="%.6g")


def walk(computation: Computation) -> None:
    """The graph at one step, with what happens in it."""
    seed = next(k for k, step in enumerate(computation.steps, 1) if step.kind == "seed")
    with aside():
        k = stepper(0, len(computation.steps), [("seed", _("Before the way back"), seed)])
    step = computation.steps[k - 1] if k else None
    pressed = _graph(computation, k)
    if pressed is not None and (after := _next_at(computation, pressed, k)) != k:
        go_to(after)
        st.rerun()
    st.caption(_("Press a node to go to the next step at which something happens to it."))
    if step is None:
        st.markdown(_("Only the variables are known. Press *Next*: each operation computes its value from its inputs."))
        return
    _say(computation, step, k)
    _edges(computation, k)
    if k == len(computation.steps):
        _meaning(computation)


def check(computation: Computation) -> None:
    """The gradients beside those of autograd and of finite differences."""
    ours = computation.gradients
    if not ours:
        st.info(_("This formula has no variable, so there is nothing to differentiate by."))
        return
    with aside():
        h = log_number("h", "h", 1e-5, 1e-14, 1.0)
    differences = {name: _difference(computation, name, h) for name in ours}
    try:
        theirs = _autograd(computation.text, tuple(sorted(computation.variables.items())))
    except UserError as error:
        show_error(error)
        return
    later(_side_by_side, computation, theirs, differences)
    with aside():
        name = choice(st.selectbox, _("Finite difference by"), "by", {name: name for name in ours})
    _by_distance(computation, name, h, differences[name])


def _side_by_side(
    computation: Computation, theirs: list[float | None], differences: dict[str, float | None]
) -> None:
    """Tables of our gradients, autograd's (of every node) and finite differences (of every variable)."""
    places = computation.expression.variables.values()
    by_node = computation.steps[-1].gradients
    table = _compared(computation, list(places), by_node, theirs)
    st.dataframe(
        {_("Variable"): table.pop("node"), **table, _("Finite difference"): list(differences.values())},
        hide_index=True, column_config=dict.fromkeys([*table, _("Finite difference")], FIGURES),
    )  # fmt: skip
    inner = [place for place, node in enumerate(computation.expression.nodes) if node.inputs and place in by_node]
    panel = st.expander(_("Every operation against autograd"), key="operations", bind="query-params")
    if panel.open:
        table = _compared(computation, inner, by_node, theirs)
        panel.dataframe({_("Node"): table.pop("node"), **table}, hide_index=True,
                        column_config=dict.fromkeys(table, FIGURES))  # fmt: skip
    worst = max(abs(by_node.get(place, 0.0) - (by or 0.0)) for place, by in enumerate(theirs))
    st.markdown(
        _("The largest difference from torch's autograd at any node is {worst:.2g}. A finite difference needs the "
          "formula twice for each variable: {count} times here. Going back needs every edge once, {edges} of them, for "
          "all variables together.").format(
            worst=worst, count=2 * len(differences),
            edges=sum(step.kind == "backward" for step in computation.steps))
    )  # fmt: skip


def _compared(
    computation: Computation, places: list[int], by_node: Any, theirs: list[float | None]
) -> dict[str, list[Any]]:
    """Value, gradient, autograd's and the difference of these nodes, as columns."""
    values = computation.steps[-1].values
    ours = [by_node.get(place, 0.0) for place in places]
    return {
        "node": [computation.name(place) for place in places],
        _("Value"): [values[place] for place in places],
        _("Gradient"): ours,
        "autograd": [theirs[place] for place in places],
        _("Difference from autograd"): [abs(by - (theirs[p] or 0.0)) for by, p in zip(ours, places, strict=True)],
    }


def _by_distance(computation: Computation, name: str, h: float, now: float | None) -> None:
    """How the error of the finite difference depends on h."""
    exact = computation.gradients[name]
    axis = [10.0 ** (-power / 2) for power in range(29)]
    errors = {h: abs(d - exact) for h in axis if (d := _difference(computation, name, h)) is not None}
    if now is None or not errors:
        st.info(_("The formula has no value at a distance of h = {h:g}: take a smaller h.").format(h=h))
        return
    show_chart(
        difference_error(list(errors), list(errors.values()), (h, abs(now - exact)), {"error": _("Error")}),
        key="difference", alt=_("Error of the finite difference"),
    )  # fmt: skip
    best = min(errors, key=errors.__getitem__)
    st.markdown(
        _("Nearest at h = {best:.1g}. A larger h cuts the corner of the curve; a smaller one subtracts two numbers "
          "that agree in almost all of their 16 digits.").format(best=best)
    )  # fmt: skip


def _next_at(computation: Computation, place: int, k: int) -> int:
    """The next step after `k` at which a node gets its value or a part of its gradient; after the last the first."""
    steps = [number for number, step in enumerate(computation.steps, 1) if _where(step) == place]
    return next((number for number in steps if number > k), steps[0] if steps else k)


def _where(step: Step) -> int:
    """The node at which something happens."""
    return step.to if step.kind == "backward" else step.node


def _graph(computation: Computation, k: int) -> int | None:
    """The graph as it is known after `k` steps; each edge that has carried a gradient back shows its slope.

    Returns the node that was pressed just now.
    """
    nodes = computation.expression.nodes
    step = computation.steps[k - 1] if k else None
    drawing = _drawn(computation.text)
    boxes, states = [], {}
    for place, node in enumerate(nodes):
        label = computation.name(place)
        if node.inputs:
            label += " = " + written(node.operation, [computation.name(i) for i in node.inputs])
        kind = _(KINDS.get(node.operation, KINDS["operation"]))
        style = {"variable": 2, "constant": 5}.get(node.operation, 0)
        boxes.append(Box(str(place), *drawing.positions[str(place)], label, kind, style))
        states[str(place)] = _state(computation, place, step)
    lines = [
        Line(str(start), str(place), drawing.routes[str(start), str(place)])
        for place, node in enumerate(nodes)
        for start in dict.fromkeys(node.inputs)
    ]
    slopes: dict[tuple[str, str], str] = {}
    for back in computation.steps[:k]:
        if back.kind == "backward":
            edge = str(back.to), str(back.node)
            slopes[edge] = f"{slopes[edge]}, × {back.local:.3g}" if edge in slopes else f"× {back.local:.3g}"
    picked = show_graph(
        boxes, lines, key="computation", name=_("The formula as a graph"), path=_way(computation, step), states=states,
        chosen="" if step is None else str(_where(step)), line_labels=slopes, unit=(190, 76),
        height=int(min(520, 90 + 62 * max(2.0, drawing.height + 1))),
    )  # fmt: skip
    return None if picked is None else int(picked)


def _way(computation: Computation, step: Step | None) -> list[str]:
    """The nodes along the edges of this step: into an operation, or back along one edge."""
    if step is None or step.kind == "seed":
        return []
    if step.kind == "backward":
        return [str(step.to), str(step.node)]
    inputs = computation.expression.nodes[step.node].inputs
    return [str(inputs[0]), str(step.node), *map(str, inputs[1:])]


def _state(computation: Computation, place: int, step: Step | None) -> State:
    """What is known of a node: its value, and its gradient so far."""
    node = computation.expression.nodes[place]
    known = computation.steps[0].values if step is None else step.values
    here = step is not None and _where(step) == place
    if (step is None and node.inputs) or place not in known:
        return State("waiting", _("not yet"))
    figure = f"{known[place]:.4g}"
    if step is not None and place in step.gradients:
        figure += f" · ∂ {step.gradients[place]:.4g}"
        return State("running" if here else "done", _("value and gradient"), figure)
    return State("running" if here else "done", _("value"), figure)


def _say(computation: Computation, step: Step, k: int) -> None:
    """The formula of a step with its numbers."""
    node = computation.expression.nodes[step.node]
    inputs = [step.values[i] for i in node.inputs]
    if step.kind == "seed":
        st.latex(rf"f={step.values[step.node]:.5g}\qquad\frac{{\partial f}}{{\partial f}}=1")
        st.markdown(_("All values are there. The way back begins with the result itself, whose gradient is 1."))
        return
    operation = OPERATIONS[node.operation]
    names = dict(zip("ab", (_latex(computation, i) for i in node.inputs), strict=False))
    if step.kind == "forward":
        shown = _bracketed if node.operation in "+-*" else "{:.5g}".format  # the others bring brackets of their own
        numbers = dict(zip("ab", map(shown, inputs), strict=False))
        st.latex(
            rf"{_latex(computation, step.node)}={operation.latex.format(**names)}={operation.latex.format(**numbers)}"
            rf"={step.values[step.node]:.5g}"
        )
        return
    child, parent = _latex(computation, step.to), _latex(computation, step.node)
    rule = operation.rules[step.input]
    slope = rf"\frac{{\partial {parent}}}{{\partial {child}}}={rule}"
    if rule not in ("1", "-1"):
        slope += rf"={step.local:.5g}\qquad a={inputs[0]:.4g}" + (rf",\;b={inputs[1]:.4g}" if inputs[1:] else "")
    st.latex(slope)
    st.latex(
        rf"\frac{{\partial f}}{{\partial {child}}}\mathrel{{+}}=\frac{{\partial f}}{{\partial {parent}}}\cdot"
        rf"\frac{{\partial {parent}}}{{\partial {child}}}={_bracketed(step.upstream)}\cdot{_bracketed(step.local)}"
        rf"={step.contribution:.5g}"
    )
    before = computation.steps[k - 2].gradients.get(step.to)
    if before is not None:
        st.markdown(
            _("It is used more than once, so the parts add up: {before:.5g} + {part} = {total:.5g}.").format(
                before=before, part=_bracketed(step.contribution), total=step.gradients[step.to])
        )  # fmt: skip


def _edges(computation: Computation, k: int) -> None:
    """A table of the way back so far, an edge a row; made when it is opened."""
    gone = [step for step in computation.steps[:k] if step.kind == "backward"]
    if not gone:
        return
    title = _("Edges gone back along: {count}").format(count=len(gone))
    panel = st.expander(title, key="edges", bind="query-params")
    if not panel.open:
        return
    table = {
        _("From"): [computation.name(step.node) for step in gone],
        _("To"): [computation.name(step.to) for step in gone],
        _("Gradient at its end"): [step.upstream for step in gone],
        _("× its slope"): [step.local for step in gone],
        _("= what it carries"): [step.contribution for step in gone],
        _("Added up so far"): [step.gradients[step.to] for step in gone],
    }
    panel.dataframe(table, hide_index=True, column_config=dict.fromkeys(list(table)[2:], FIGURES))


def _meaning(computation: Computation) -> None:
    """What a gradient is good for, with the numbers on the screen."""
    gradients = computation.gradients
    if not gradients:
        return
    name = max(gradients, key=lambda name: abs(gradients[name]))
    now = computation.steps[-1].values[len(computation.expression.nodes) - 1]
    try:
        then = forward(computation.expression,
                       {**computation.variables, name: computation.variables[name] + NUDGE})[-1]  # fmt: skip
    except UserError:
        return
    st.markdown(
        _("All gradients are there. That by {name} is {gradient:.5g}: if {name} grows by {nudge:g}, the result should "
          "change by about {expected:.4g}. Computed anew it changes by {change:.4g}, from {now:.5g} to "
          "{then:.5g}.").format(
            name=literal(name), gradient=gradients[name], nudge=NUDGE, expected=gradients[name] * NUDGE,
            change=then - now, now=now, then=then)
    )  # fmt: skip


def _latex(computation: Computation, place: int) -> str:
    name = computation.name(place)
    if computation.expression.nodes[place].operation == "variable":
        return r"\mathrm{" + name.replace("_", r"\_") + "}"
    return f"u_{{{place}}}" if name == f"u{place}" else name


def _bracketed(value: float) -> str:
    return f"({value:.5g})" if value < 0 else f"{value:.5g}"


def _difference(computation: Computation, name: str, h: float) -> float | None:
    """None where the formula has no value at that distance, or the difference is too large a number."""
    try:
        found = finite_difference(computation.expression, computation.variables, name, h)
    except UserError:
        return None
    return found if math.isfinite(found) else None


@st.cache_data(max_entries=200, show_spinner=False)
def _autograd(text: str, variables: tuple[tuple[str, float], ...]) -> list[float | None]:
    found: list[float | None] = client.call(
        "core.maths.autograd_check:autograd", text=text, variables=dict(variables)
    )
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
