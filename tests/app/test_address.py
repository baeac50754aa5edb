"""What a link says that there is not, is told."""

import pytest

from tests.app.opening import opened, warned

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]


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
