"""What people type is shown as text, wherever it goes."""

import csv
import io
import re

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import example, given
from markdown_it import MarkdownIt

from app.language import explain
from app.text import csv_cell, for_plotly, literal
from core.errors import UserError

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](https://example.org/x.png)",
    "[x](javascript:alert(1))", "www.example.org", "https://example.org", ":red[x] :material/bolt:", "$x^2$", "# big",
    "- item", "1. one", "+ one", "> said", "a|b\n-|-\n1|2", "`code`", "~~gone~~ **bold** _low_", "&lt;b&gt;", "\\*",
    "a@example.org", "\u202egnp.exe", "=1+1", "---", "[^1]", "a\n\n    code", "==", "===",
]  # fmt: skip
MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": True})
assert MARKDOWN.linkify is not None
MARKDOWN.linkify.set({"fuzzy_link": False, "fuzzy_email": False})
# What remark, which Streamlit uses, makes a link of after all escapes are undone (mdast-util-gfm-autolink-literal).
LINK = re.compile(r"(?i)(https?://|www(?=\.))[-.\w]|[-.\w+]@[-\w]+\.[-\w]")


def shown(text: str) -> str:
    """The text of rendered markdown; fails where it renders as anything but one paragraph of plain text."""
    tokens = MARKDOWN.parse(text)
    assert [token.type for token in tokens] in ([], ["paragraph_open", "inline", "paragraph_close"])
    children = [child for token in tokens for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special"}
    text = "".join(child.content for child in children)
    assert not LINK.search(text)
    return text.replace("\u2060", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_hostile_text_as_it_is(text):
    plain = " ".join(text.replace("\u202e", "").split())
    assert shown(literal(text)) == plain
    assert shown(explain(UserError("{name}", name=text))) == plain


@given(st.text(max_size=60))
@example("0.\x00")
def test_markdown_shows_any_text_as_text(text):
    shown(literal(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_plotly_gets_no_tags(text):
    assert "<" not in for_plotly(text)
    assert "&" not in for_plotly(text).replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


@given(st.text(max_size=40))
def test_a_spreadsheet_computes_nothing(text):
    frame = pd.DataFrame({"name": [text], "p": [-0.5]}).map(csv_cell).to_csv(index=False)
    row = list(csv.reader(io.StringIO(frame, newline="")))[1]
    assert not row[0].lstrip().startswith(("=", "+", "-", "@"))
    assert row[1] == "-0.5"


def test_numbers_and_reasons_of_an_error_stay_what_they_are():
    reason = UserError("The picture {name} cannot be read.", name="a*b*.png")
    told = explain(UserError("{file} in the zip file: {reason}", file="x_y.zip", reason=reason))
    assert shown(told) == "x_y.zip in the zip file: The picture a*b*.png cannot be read."
    assert explain(UserError("at most {maximum:.1f}", maximum=2)) == "at most 2.0"
