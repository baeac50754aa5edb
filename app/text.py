"""What people type is shown as text: never as markup, a formula or a path. One function for each place it goes to."""

import re

# What means something to Streamlit's markdown: anywhere (also :icons:, $formulas$, <html>), and at the beginning.
_MARKUP = re.compile(
    r"[\\`*\[\]<>~$:&@|]|(?<![^\W_])_|_(?![^\W_])|^[#+=-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]"
)
# Addresses become links even where each sign is escaped; a sign of no width and no effect within them prevents it.
_ADDRESS = re.compile(r"(?i)(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)")
_NO_WIDTH = "\u2060"
_TURNS = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")  # marks that turn or hide text
_FORMULA = ("=", "+", "-", "@")


def literal(text: str) -> str:
    """For markdown: captions, messages, labels of widgets."""
    text = _TURNS.sub("", text)
    text = " ".join(text.split())  # a line of its own could begin a list, a heading, a block of code
    return _MARKUP.sub(r"\\\g<0>", _ADDRESS.sub(_NO_WIDTH, text))


def for_plotly(text: str) -> str:
    """For titles, hovers, legends and labels of plotly, which draws a subset of HTML with links."""
    return _TURNS.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def csv_cell(value: object) -> object:
    """For a table that is opened in a spreadsheet, which would compute what begins like a formula."""
    if not isinstance(value, str):
        return value
    value = " ".join(value.splitlines())  # a line of its own could begin with a formula, too
    return f"'{value}" if value.lstrip().startswith(_FORMULA) else value
