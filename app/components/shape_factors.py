"""A slider for each factor of the coloured shapes."""

import dataclasses

import streamlit as st

from app.language import _, mark
from core.errors import UserError
from core.vision.factors import Factors, read_factors

LABELS = {
    "colour": mark("Colour says nothing about the class"),
    "rotation": mark("Rotation"),
    "texture": mark("Texture"),
    "clutter": mark("Clutter"),
}


def shape_factors(key: str) -> None:
    """Sliders from 0 to 1; together they are the data set's argument, kept in the session under `key`."""
    try:
        factors = read_factors(st.session_state.get(key, ""))
    except UserError:  # what stands there was meant for another data set
        factors = Factors()
    st.session_state[key] = factors.argument()
    for name, label in LABELS.items():
        st.session_state[f"factor-{name}"] = float(getattr(factors, name))
        st.slider(_(label), 0.0, 1.0, step=0.05, key=f"factor-{name}", on_change=_write, args=(key, factors))


def _write(key: str, before: Factors) -> None:
    values = {name: round(st.session_state[f"factor-{name}"], 2) for name in LABELS}
    st.session_state[key] = dataclasses.replace(before, **values).argument()
