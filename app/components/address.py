"""Choices that live in the link: the link says what is chosen, and a choice is written into the link.

A widget's own binding would write translated words into the link, which then works in one language only, and would
drop a wrong value without a word.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from app.language import _
from app.text import literal

Control = Callable[..., object]
MOST_NAMED = 12  # values that a sentence names


def choice(
    control: Control, label: str, name: str, options: Mapping[str, str], *, default: str = "", **settings: object
) -> str:
    """Show `control` with these options (value: words) and return the value; without a `default` it is the first.

    A value that is none of the options is told, and counts as the default.
    """
    first = default or next(iter(options))
    given = st.query_params.get(name, first)
    tell_unknown(name, options)
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


def tell_unknown(name: str, options: Collection[str], given: Sequence[str] | None = None) -> None:
    """Say so where the link names something that there is not.

    What was on offer in this session before has only gone out of date by another choice; no word is lost on that.
    """
    offered = st.session_state.setdefault(f"offered-{name}", set())
    values = [st.query_params[name]] if given is None and name in st.query_params else given or ()
    unknown = [value for value in values if value not in options and value not in offered]
    offered.update(options)
    if unknown:
        known = list(options)[:MOST_NAMED]
        st.warning(
            _("“{value}” is not a value of {name}; it is left out. Choose from: {known}.").format(
                value=literal(unknown[0][:40]), name=literal(name),
                known=literal(", ".join(known)) + (" …" if len(known) < len(options) else ""))
        )  # fmt: skip


def number(
    label: str, name: str, default: float, low: float, high: float, *, step: float, **settings: Any
) -> float:
    """A slider from `low` to `high`; of whole numbers where `default` is one. A wrong value in the link is told."""
    kind = type(default)
    st.session_state[name] = kind(_given(name, default, low, high))
    st.slider(
        label, kind(low), kind(high), step=kind(step), key=name, on_change=_write, args=(name, default), **settings
    )
    return kind(st.session_state[name])


def log_number(label: str, name: str, default: float, low: float, high: float, **settings: Any) -> float:
    """A slider whose steps are equal factors: 20 to a power of ten, two digits each."""
    value = _given(name, default, low, high)
    steps = range(round(20 * math.log10(low)), round(20 * math.log10(high)) + 1)
    options = sorted({float(f"{10 ** (k / 20):.2g}") for k in steps} | {default, value})
    st.session_state[name] = value
    st.select_slider(
        label, options, format_func=lambda v: f"{v:g}", key=name, on_change=_write, args=(name, default), **settings
    )
    return float(st.session_state[name])


def switch(label: str, name: str, default: bool = False, **settings: Any) -> bool:
    """A toggle; "1" or "0" in the link."""
    tell_unknown(name, ("0", "1"))
    given = st.query_params.get(name)
    st.session_state[name] = given == "1" if given in ("0", "1") else default
    st.toggle(label, key=name, on_change=_write, args=(name, default), **settings)
    return bool(st.session_state[name])


def several(
    control: Control, label: str, name: str, options: Mapping[str, str], *, default: Sequence[str] = (),
    **settings: object,
) -> list[str]:  # fmt: skip
    """Any number of options (value: words); at first the `default` ones or all; separated by commas in the link."""
    everything = list(default or options)
    given = st.query_params.get(name)
    chosen = everything if given is None else [value for value in given.split(",") if value]
    tell_unknown(name, options, chosen)
    st.session_state[name] = [value for value in chosen if value in options]
    control(
        label, list(options), format_func=lambda value: options.get(value, value), key=name, on_change=_write,
        args=(name, everything), **settings,
    )  # fmt: skip
    return list(st.session_state[name] or [])


def text_field(control: Control, label: str, name: str, default: str, most: int, **settings: object) -> str:
    """A field for at most `most` characters; `default` until something is typed, which then is in the link."""
    st.session_state[name] = st.query_params.get(name, default)[:most]
    control(label, key=name, max_chars=most, on_change=_write_text, args=(name,), **settings)
    return str(st.session_state[name])


def numbers(name: str, default: Sequence[float], low: float, high: float, most: int) -> list[float]:
    """A list of numbers in the link, without a control. A wrong one gets a sentence and the default is used."""
    text = st.query_params.get(name)
    if text is None:
        return list(default)
    try:
        values = [float(part) for part in text[: 30 * most].split(",")]
    except ValueError:
        values = []
    if 0 < len(values) <= most and all(low <= value <= high for value in values):  # NaN fails every comparison
        return values
    st.warning(
        _("The link must hold up to {most} numbers from {low:g} to {high:g} for {name}; the default is used.").format(
            most=most, low=low, high=high, name=name
        )
    )
    return list(default)


def write_numbers(name: str, values: Sequence[float]) -> None:
    """Write a list of numbers into the link."""
    st.query_params[name] = ",".join(f"{value:.6g}" for value in values)


def _given(name: str, default: float, low: float, high: float) -> float:
    text = st.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text[:40])
    except ValueError:
        value = math.nan
    if low <= value <= high and (type(default) is float or value.is_integer()):
        return value
    st.warning(
        _("{name} must be a number from {low:g} to {high:g}; {default:g} is used.").format(
            name=name, low=low, high=high, default=default
        )
    )
    return default


def _write(name: str, default: object) -> None:
    chosen = st.session_state[name]
    if chosen is None or chosen == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = _text(chosen)


def _write_text(name: str) -> None:
    st.query_params[name] = st.session_state[name]


def _text(value: object) -> str:
    match value:
        case bool():
            return "1" if value else "0"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return ",".join(map(str, value))
    return str(value)
