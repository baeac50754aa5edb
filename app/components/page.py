"""How every page begins, and how it says what went wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.language import explain
from core.errors import UserError

# Of markdown as Streamlit reads it, with :colours: and formulas in $; the second, what would begin a list.
_SIGNS = re.compile(r"[\\`*\[\]<>~$|]|(?<![^\W_])_|_(?![^\W_])|:(?=[a-z/])|^[#+-]|(?<=www)\.")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


def page_header(title: str, lead: str) -> None:
    """The page's heading and the one sentence that says what to do here, both already translated."""
    st.title(title, anchor=False)
    st.markdown(lead)


@contextmanager
def user_errors() -> Iterator[None]:
    """Show a `UserError` raised inside as a sentence on the page; the rest of the page goes on."""
    try:
        yield
    except UserError as error:
        show_error(error)


def show_error(error: UserError) -> None:
    """What is wrong, as a sentence."""
    st.error(explain(error, plain), icon=":material/error:")


def plain(text: str) -> str:
    """What a person has typed, where markdown is read: its signs lose their meaning, a word_like_this has none."""
    return _NUMBERED.sub(r"\1\\\2", _SIGNS.sub(r"\\\g<0>", " ".join(text.split())))
