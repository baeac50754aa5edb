"""Which points the playground shows: made from a formula, or set by hand with the pointer and kept in the link."""

import numpy as np
import streamlit as st

from app.components.address import choice, number
from app.components.chart import show_chart
from app.figures.playground import by_hand
from app.language import _, _n, explain
from core.errors import UserError
from core.maths.plane import (
    EMPTY,
    MOST_BY_HAND,
    Sample,
    add_point,
    make_points,
    read_points,
    remove_last,
    split,
    starter,
)

HAND = "hand"
LINK = "points"
GOOD, PRESSED = "playground-points", "playground-pressed"  # the last points that could be read; where one pressed


def words() -> dict[str, str]:
    """What the figures say."""
    return {
        "class": _("Class {number}"), "test": _("test"), "training": _("training"), "epoch": _("Epoch"),
        "frame": _("Epoch {number}"), "loss": _("Loss"),
        "now": _("epoch {epoch} · errors: training {train}, test {test}"),
    }  # fmt: skip


def choose_points() -> Sample | None:
    """The controls of the data. None, and a sentence, where nothing can be learnt from the points."""
    kinds = {
        "moons": _("Moons"), "circles": _("Circles"), "spiral": _("Spiral"), "xor": _("XOR"), "blobs": _("Blobs"),
        HAND: _("Your own"),
    }  # fmt: skip
    kind = choice(st.segmented_control, _("Data"), "data", kinds, wrap=True)
    columns = st.columns(4)
    share_at, seed_at = columns[2:] if kind != HAND else columns[:2]
    if kind != HAND:
        with columns[0]:
            noise = number(_("Noise"), "noise", 0.3, 0.0, 1.0, step=0.05,
                           help=_("1 is as far as the classes are from each other."))  # fmt: skip
        with columns[1]:
            count = number(_("Points"), "count", 400, 20, 800, step=20)
    with share_at:
        share = number(_("Share of test points"), "share", 0.3, 0.0, 0.8, step=0.05)
    with seed_at:
        seed = int(number(_("Seed"), "seed", 0, 0, 99, step=1))
    try:
        points, labels = _by_hand(share, seed) if kind == HAND else make_points(kind, int(count), noise, seed)
        return split(points, labels, share, seed)
    except UserError as error:
        _warn(error)
    return None


def _by_hand(share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture to press: each press adds a point of the chosen class. What is there stands in the link."""
    classes = {str(k): _("Class {number}").format(number=k + 1) for k in range(3)}
    tools, picture = st.columns([1, 2])
    with tools:
        label = choice(st.segmented_control, _("A press adds a point of"), "class", classes)
    broken: UserError | None = None
    text = st.query_params.get(LINK, starter())
    try:
        read_points(text)
    except UserError as error:
        text, broken = st.session_state.get(GOOD, starter()), error
    try:
        text = _pressed(text, int(label))
    except UserError as error:
        broken = error
    with tools, st.container(horizontal=True):
        if st.button(_("Undo"), icon=":material/undo:", key="undo", disabled=text == EMPTY):
            text = _write(remove_last(text))
        if st.button(_("Clear"), icon=":material/delete:", key="clear", disabled=text == EMPTY):
            text = _write(EMPTY)
    st.session_state[GOOD] = text
    points, labels = read_points(text)
    with tools:
        st.caption(_n("{n} point", "{n} points", len(points)) + f" / {MOST_BY_HAND}")
    try:
        held_out = split(points, labels, share, seed).held_out
    except UserError:
        held_out = np.zeros(len(points), dtype=bool)
    with picture:
        chart = by_hand(points, labels, held_out, words())
        show_chart(chart, key="hand", alt=_("Your points"), tools=False, on_press=_note)
    if broken is not None:
        _warn(broken)
    return points, labels


def _warn(error: UserError) -> None:
    st.warning(explain(error), icon=":material/touch_app:")


def _note(x: float, y: float) -> None:
    st.session_state[PRESSED] = (x, y)


def _pressed(text: str, label: int) -> str:
    """`text` with the place that was pressed since the picture was last drawn."""
    place = st.session_state.pop(PRESSED, None)
    return text if place is None else _write(add_point(text, place, label))


def _write(text: str) -> str:
    """Into the link."""
    st.query_params[LINK] = text
    return text
