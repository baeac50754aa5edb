"""Logits and targets as a person sets them: sliders, a table to type in, or the answer of a trained network.

Everything is in the link: ``z`` the logits, ``y`` the weights of a soft target, ``true`` the true class.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from app.components.address import choice, log_number, number, numbers, write_numbers
from app.components.page import user_errors
from app.components.pixels import crisp
from app.components.who import me
from app.language import _
from app.text import literal
from core.maths import cross_entropy as maths
from core.runs import client, store
from core.vision.recipe import PictureRecipe

FIRST = (2.0, 1.0, 0.1)
LETTERS = "ABCDEFGHIJ"
MOST = 1000.0  # of a logit typed in; a slider shows ±10 or what was typed
Array = maths.Array


@dataclass(frozen=True)
class Case:
    """What the page is about just now: names, logits z (K,), targets y (K,), temperature, the true class."""

    names: list[str]
    z: Array
    y: Array
    t: float
    true: int

    @property
    def p(self) -> Array:
        return maths.softmax(self.z, self.t)

    @property
    def loss(self) -> float:
        return float(maths.cross_entropy(self.z, self.y, self.t))


def edit_case(names: Sequence[str] | None) -> Case:
    """The controls, and what they say."""
    size = len(numbers("z", FIRST, -MOST, MOST, 10))
    count = int(number(_("Classes"), "classes", min(max(size, 2), 10), 2, 10, step=1))
    z = _fitted(numbers("z", FIRST, -MOST, MOST, 10), count)
    shown = list(names[:count]) if names is not None and len(names) == count else list(LETTERS[:count])
    kinds = {"one-hot": _("one-hot"), "smoothed": _("smoothed"), "soft": _("soft")}
    kind = choice(st.segmented_control, _("Target"), "target", kinds, required=True)
    true, weights = 0, _fitted(numbers("y", (1.0,), 0, MOST, 10), count)
    if kind == "soft":
        if sum(weights) <= 0:
            st.warning(_("A soft target needs at least one weight above 0; class {name} gets all.").format(name="A"))
            weights[0] = 1.0
        y = np.array(weights) / sum(weights)
        true = int(y.argmax())
    else:
        options = {str(k): name for k, name in enumerate(shown)}
        true = int(choice(st.selectbox, _("True class"), "true", options))
        y = maths.one_hot(true, count)
    if kind == "smoothed":
        y = maths.smoothed(y, number(_("Smoothing ε"), "epsilon", 0.1, 0.0, 1.0, step=0.01))
    t = log_number(_("Temperature T"), "t", 1.0, 0.1, 10.0)
    _sliders(shown, z)
    _table(shown, z, weights if kind == "soft" else None)
    return Case(shown, np.array(z), y, t, true)


def _fitted(values: list[float], count: int) -> list[float]:
    return (values + [0.0] * count)[:count]


def _sliders(names: Sequence[str], z: list[float]) -> None:
    edge = max(10.0, float(np.ceil(np.abs(z).max())))
    for k, name in enumerate(names):
        st.session_state[f"z-{k}"] = z[k]
        st.slider(
            f"z · {literal(name[:40])}", -edge, edge, step=0.1, key=f"z-{k}", on_change=_slid, args=(tuple(z), k)
        )  # fmt: skip


def _slid(z: Sequence[float], k: int) -> None:
    write_numbers("z", [*z[:k], st.session_state[f"z-{k}"], *z[k + 1 :]])


def _table(names: Sequence[str], z: list[float], weights: list[float] | None) -> None:
    """The same numbers to be typed, when the panel is open: a closed one would be drawn anew with every slider."""
    panel = st.expander(_("Type the numbers"), key="typed", bind="query-params")
    if panel.open:
        with panel:
            _editor(names, z, weights)


def _editor(names: Sequence[str], z: list[float], weights: list[float] | None) -> None:
    """A table to type in. A wrong number is answered and the last good one stays."""
    turn = st.session_state.setdefault("table-turn", 0)
    # As text: a column of numbers would refuse a letter without a word.
    columns = {"class": list(names), "z": [f"{value:g}" for value in z]}
    if weights is not None:
        columns["y"] = [f"{value:g}" for value in weights]
    st.data_editor(
        columns, key=f"table-{turn}", hide_index=True, disabled=["class"], on_change=_typed,
        args=(tuple(names), tuple(z), tuple(weights or ())),
        column_config={
            "class": _("Class"),
            "z": st.column_config.TextColumn(_("Logit z"), alignment="right"),
            "y": st.column_config.TextColumn(_("Weight"), alignment="right"),
        },
    )  # fmt: skip
    for sentence in st.session_state.pop("table-errors", []):
        st.warning(sentence)


def _typed(names: Sequence[str], z: Sequence[float], weights: Sequence[float]) -> None:
    turn = st.session_state["table-turn"]
    now: dict[str, list[float]] = {"z": list(z), "y": list(weights)}
    errors = []
    for row, changes in st.session_state[f"table-{turn}"]["edited_rows"].items():
        for column, value in changes.items():
            low = -MOST if column == "z" else 0.0
            given = _read(value)
            if low <= given <= MOST:  # NaN fails the comparison
                now[column][int(row)] = given
            else:
                sentence = _("Class {name} needs a number from {low:g} to {high:g}; it keeps {old:g}.")
                old = now[column][int(row)]
                errors.append(sentence.format(name=literal(names[int(row)][:40]), low=low, high=MOST, old=old))
    st.session_state["table-errors"] = errors
    st.session_state["table-turn"] = turn + 1  # a fresh table: an editor keeps its edits until then
    write_numbers("z", now["z"])
    if weights:
        write_numbers("y", now["y"])


def _read(typed: object) -> float:
    """What was typed as a number; NaN where it is none."""
    try:
        return float(str(typed).replace("−", "-"))
    except ValueError:
        return math.nan


def from_a_run() -> list[str] | None:
    """The answer of a trained network to a test picture as the starting logits; its class names, or None."""
    panel = st.expander(_("Begin with a real prediction"), icon=":material/photo:", key="real", bind="query-params")
    if not panel.open and "run" not in st.query_params:
        return None
    runs = {run.id: run.name for run in store.list_runs(me()) if run.state == "finished"
            and isinstance(run.recipe, PictureRecipe)}  # fmt: skip
    with panel:
        if not runs:
            st.markdown(_("Train a network first: then its answer to a test picture can be the start."))
            return None
        run = choice(st.selectbox, _("Run"), "run", {"": _("none"), **runs})
        if not run:
            return None
        index = int(number(_("Test picture"), "picture", 0, 0, 199, step=1))
        found: dict[str, Any] | None = None
        with user_errors():
            found = _asked(run, index)
            image, words = st.columns([1, 3])
            image.image(crisp(found["picture"]), width=96)
            with words:
                st.text(_("True class: {name}").format(name=found["classes"][found["true"]]))
                st.button(_("Take its logits"), key="take", on_click=_take, args=(found,))
        names: list[str] | None = found["classes"] if found else None
        return names


@st.cache_data(max_entries=200, show_spinner=False)
def _asked(run: str, index: int) -> dict[str, Any]:
    found: dict[str, Any] = client.call("core.vision.logits:picture_logits", run=run, index=index)
    return found


def _take(found: dict[str, Any]) -> None:
    for name in ("target", "t", "y"):
        st.query_params.pop(name, None)
    st.query_params["classes"] = str(len(found["classes"]))
    st.query_params["true"] = str(found["true"])
    write_numbers("z", found["logits"])


def step_button(case: Case) -> None:
    """One gradient step on the logits: they move, and all that follows from them."""
    rate = log_number(_("Learning rate η"), "eta", 1.0, 0.01, 10.0)
    after = case.z - rate * maths.gradient(case.z, case.y, case.t)
    st.button(
        _("One gradient step: z ← z − η ∂L/∂z"), key="step", icon=":material/skip_next:", on_click=write_numbers,
        args=("z", np.clip(after, -MOST, MOST).tolist()),
    )  # fmt: skip
