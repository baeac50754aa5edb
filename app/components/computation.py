"""A formula that a person types, its values, and all that is computed of it; what is wrong leaves the last good one."""

from dataclasses import dataclass

import streamlit as st

from app.components.address import number
from app.components.lesson import predict_first
from app.components.page import show_error
from app.components.stepper import begin_again
from app.language import _, mark
from app.text import literal
from core.errors import UserError
from core.maths.backpropagation import Step, steps
from core.maths.expression import MOST_LETTERS, Expression, parse

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
EDGE, IN_A_ROW = 10.0, 4  # of the sliders
GOOD = "good-computation"  # text and values of the last formula that could be computed


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

    def name(self, place: int) -> str:
        """What a node is called: a variable by its name, a number by itself, the result f, all else u and a number."""
        node = self.expression.nodes[place]
        if node.operation == "variable":
            return node.name
        if node.operation == "constant":
            return f"{node.constant:g}"
        return "f" if place == len(self.expression.nodes) - 1 else f"u{place}"


def computed() -> Computation:
    """The formula and the values of the link, or the last ones that could be computed, and a sentence why."""
    examples = st.container(horizontal=True)
    for key, (words, _text, _values) in PRESETS.items():
        examples.button(_(words), key=f"preset-{key}", on_click=_load, args=(key,))
    last_text, last_values = st.session_state.get(GOOD, (PRESETS["neuron"][1], PRESETS["neuron"][2]))
    text = _formula()
    readable = text is not None
    text = last_text if text is None else text
    variables = _sliders(text)
    try:
        found = Computation(text, parse(text), variables, steps(parse(text), variables))
    except UserError as error:
        show_error(error)
        found = Computation(last_text, parse(last_text), last_values, steps(parse(last_text), last_values))
        readable = False
    if readable:
        if GOOD in st.session_state and text != last_text:
            begin_again()
        st.session_state[GOOD] = (text, variables)
    elif GOOD in st.session_state:
        st.caption(_("Below is still the last formula that could be computed, `{formula}`.").format(formula=found.text))
    else:
        st.caption(_("Until then, below is an example: `{formula}`.").format(formula=found.text))
    return found


def _formula() -> str | None:
    """The field, filled from the link. None, and a sentence under it, where it cannot be read."""
    st.session_state["expr"] = st.query_params.get("expr", PRESETS["neuron"][1])[: MOST_LETTERS + 1]
    st.text_input(  # without `max_chars`: the browser would drop what is pasted beyond it, without a word
        _("Formula"), key="expr", on_change=_typed,
        help=_("Numbers, names, + − * / ** and brackets; exp, log, sin, cos, tanh, sigmoid, relu, abs, sqrt of one "
               "number, max of two."),
    )  # fmt: skip
    text = str(st.session_state["expr"])[: MOST_LETTERS + 1]
    try:
        parse(text)
    except UserError as error:
        show_error(error)
        return None
    return text


def _sliders(text: str) -> dict[str, float]:
    """A slider for each variable; in the link."""
    given = next((values for _words, example, values in PRESETS.values() if example == text), {})
    names = list(parse(text).variables)
    found = {}
    for start in range(0, len(names), IN_A_ROW):
        for column, name in zip(st.columns(IN_A_ROW), names[start : start + IN_A_ROW], strict=False):
            with column:
                found[name] = number(literal(name), f"v.{name}", given.get(name, 1.0), -EDGE, EDGE, step=0.1)
    return found


def question(computation: Computation) -> None:
    """Which variable pulls hardest?"""
    gradients = computation.gradients
    strongest = sorted(gradients, key=lambda name: -abs(gradients[name]))[:4]
    if len(strongest) < 2:
        return
    right, second = strongest[:2]
    predict_first(
        "steepest-" + "-".join(sorted(strongest)),
        _("A small change of which variable changes the result most?"),
        {name: literal(name) for name in sorted(strongest)},
        right,
        _("The gradient by {name} is {value:.4g}, the next is {next:.4g} by {other}.").format(
            name=literal(right), value=gradients[right], next=gradients[second], other=literal(second)),
    )  # fmt: skip


def _typed() -> None:
    st.query_params["expr"] = st.session_state["expr"][: MOST_LETTERS + 1]


def _load(preset: str) -> None:
    st.query_params["expr"] = PRESETS[preset][1]
    begin_again()
    for name in [name for name in st.query_params if name.startswith("v.")]:
        del st.query_params[name]
