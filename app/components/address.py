"""Choices that live in the link: the link says what is chosen, and a choice is written into the link."""

from collections.abc import Callable, Mapping

import streamlit as st

Control = Callable[..., object]


def choice(control: Control, label: str, name: str, options: Mapping[str, str], **settings: object) -> str:
    """Show `control` with these options (value: words) and return the value; the first is the default.

    A widget's own binding would write the translated words into the link, which then works in one language only.
    A value that is none of the options counts as the default.
    """
    first = next(iter(options))
    given = st.query_params.get(name, first)
    st.session_state[name] = given if given in options else first
    control(
        label,
        list(options),
        format_func=lambda value: options.get(value, value),
        key=name,
        on_change=_write,
        args=(name, first),
        **settings,
    )
    return str(st.session_state[name])


def _write(name: str, first: str) -> None:
    chosen = st.session_state[name] or first
    if chosen == first:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = chosen
