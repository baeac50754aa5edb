"""What a link says that there is not, is told; what a person typed is shown as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.components.page import plain
from tests.app.opening import opened, warned

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("words", ["learning_rate", "folder:CIFAR10", "x - 2", "1.5", "plain20", "χ² und 中文"])
def test_ordinary_words_stay_as_they_are(words):
    assert plain(words) == words


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("**x**", r"\*\*x\*\*"), ("<b>", r"\<b\>"), ("_a_", r"\_a\_"), ("[a](b)", r"\[a\](b)"),
        (":red[x]", r"\:red\[x\]"), ("12) a", r"12\) a"),
        ("$x$", r"\$x\$"), ("http://a.b", r"http\://a.b"), ("1. a", r"1\. a"), ("# a", r"\# a"), ("a\n\nb", "a b"),
    ],
)  # fmt: skip
def test_signs_of_markdown_lose_their_meaning(typed, shown):
    assert plain(typed) == shown


@given(st.text(alphabet="\\`*_[]<>~$|ab:. \n#-1"))
def test_no_letter_gets_lost(typed):
    assert plain(typed).replace("\\", "") == " ".join(typed.split()).replace("\\", "")


def test_a_value_that_another_choice_took_away_is_no_mistake():
    app = opened("cross-entropy", classes="5", true="4")
    assert not app.warning
    app.slider(key="classes").set_value(3).run()
    assert not app.warning  # class E is gone, and nobody typed it
    assert app.selectbox(key="true").value == "0"
    assert "“4” is not a value of true" in warned(opened("cross-entropy", classes="3", true="4"))


def test_a_wrong_switch_counts_as_its_default():
    app = opened("residual", depth="4", bn="maybe")
    assert "“maybe” is not a value of bn" in warned(app)
    assert app.toggle(key="bn").value
