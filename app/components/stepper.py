"""One thing after another: a slider, and buttons that go on, back, and to the places that matter."""

from collections.abc import Sequence

import streamlit as st

from app.components.address import number
from app.language import _

NAME = "k"  # in the link


def stepper(first: int, last: int, places: Sequence[tuple[str, str, int]] = ()) -> int:
    """Which step is shown, from `first` to `last`; in the link. `places` are (name, words, step) of further buttons."""
    given = st.query_params.get(NAME, "")
    if given.isdecimal() and len(given) < 5 and int(given) > last:
        st.query_params[NAME] = str(last)  # what is stepped through has become shorter
    k = int(number(_("Which step"), NAME, first, first, last, step=1))
    ways = (("first", _("First"), first), ("back", _("Back"), k - 1), ("next", _("Next"), k + 1), *places,
            ("last", _("Last"), last))  # fmt: skip
    with st.container(horizontal=True):
        for name, words, place in ways:
            to = max(first, min(place, last))
            st.button(words, key=f"go-{name}", on_click=go_to, args=(to,), disabled=to == k)
    return k


def begin_again() -> None:
    """What is stepped through is another one: back to its first step."""
    st.query_params.pop(NAME, None)


def go_to(k: int) -> None:
    """Show this step from the next run of the page on."""
    st.query_params[NAME] = str(k)
