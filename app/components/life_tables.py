"""Numbers of a language model's life as tables and rows of figures, the same way on every page."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.life import skill_name
from app.components.metrics import metrics
from app.language import _

Event = dict[str, Any]


def shares(shown: Mapping[str, float], before: Mapping[str, float] | None = None) -> None:
    """A row of percentages; with `before`, how far each has moved, in points."""
    with st.container(horizontal=True):
        for label, value in shown.items():
            moved = value - before[label] if before and label in before else 0.0
            st.metric(label, f"{value:.1%}", f"{moved:+.1%}" if round(moved, 3) else None)


def counts(shown: Mapping[str, int]) -> None:
    metrics((label, f"{value:,}") for label, value in shown.items())


def skills(found: Mapping[str, float]) -> dict[str, float]:
    """Skills by their names."""
    return {skill_label(skill): value for skill, value in found.items()}


def skill_label(skill: str) -> str:
    return _("Old skill: {skill}").format(skill=skill_name(skill))


def took(event: Event) -> None:
    st.caption(_("Measured in {seconds:.1f} s.").format(seconds=event["seconds"]))


def unchanged(event: Event) -> None:
    """The hash of the weights before and after."""
    before, after = event["weights_before"], event["weights_after"]
    text = _("Weights before: {before}, after: {after}. Prompting changes nothing in the model.")
    if before != after:
        text = _("Weights before: {before}, after: {after}. They have changed, and they must not: please report it.")
    st.caption(text.format(before=f"`{before}`", after=f"`{after}`"))


def table(rows: Sequence[Mapping[str, Any]], percent: Sequence[str] = ()) -> None:
    """A table whose named columns are shares."""
    formats: dict[str, Any] = {name: st.column_config.NumberColumn(format="%.1f %%") for name in percent}
    shown = [{name: 100 * value if name in percent else value for name, value in row.items()} for row in rows]
    st.dataframe(shown, hide_index=True, column_config=formats)


def size(count: float) -> str:
    """A number of bytes as a person says it."""
    return f"{count / 1000:,.0f} kB" if count < 10**6 else f"{count / 10**6:,.2f} MB"
