"""A text with its tokens on colours: which token is which, or how much each surprised the model."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.language import _

_FOLDER = Path(__file__).parent
_css, _js = ((_FOLDER / f"token_strip.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
_HTML = '<div class="tokens" role="group"></div>'
_mount = st.components.v2.component("atlas_tokens", html=_HTML, css=_css, js=_js)

SURPRISED_NATS = 6.0  # from here on the colour is full


def by_id(tokens: Sequence[tuple[int, str]], key: str, joined: str = "") -> None:
    """Tokens (id, text), one colour an id; neighbouring ids get colours far apart."""
    rows = [
        (text + joined, _("token {id}").format(id=i), f"hsla({(i * 137.508) % 360:.0f}, 70%, 50%, 0.3)")
        for i, text in tokens
    ]
    _mount(key=key, data={"tokens": rows, "name": _("The text in tokens")})


def by_surprise(tokens: Sequence[str], likelihoods: Sequence[float], key: str, joined: str = "") -> None:
    """Tokens on an orange that is the fuller the less likely they were; the first one was not guessed."""
    rows = [(tokens[0] + joined, _("the beginning"), "transparent")]
    for text, value in zip(tokens[1:], likelihoods, strict=True):
        share = min(1.0, -value / SURPRISED_NATS)
        rows.append((text + joined, f"{-value:.2f} nats", f"rgba(213, 94, 0, {0.75 * share:.2f})"))
    _mount(key=key, data={"tokens": rows, "name": _("How likely each token was")})


def visible(token: str) -> str:
    """A token as it can be read in a table: signs for space, line end and tabulator."""
    return token.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
