"""Backpropagation: a formula is typed, walked and checked; what is wrong is answered and the last good one stays."""

import pytest

from app.components.computation import PRESETS
from core.maths.backpropagation import steps
from core.maths.expression import parse
from tests.app.opening import opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "backpropagation"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_example_walks_and_checks(preset, language):
    _words, text, values = PRESETS[preset]
    walk = steps(parse(text), values)
    for k in (0, 1, len(walk) // 2, len(walk)):
        app = opened(SLUG, language, expr=text, k=str(k))
        assert not app.exception
        assert not app.error
        assert not app.warning
    app = opened(SLUG, language, expr=text, part="check")
    assert not app.exception
    table = app.dataframe[0].value
    assert len(table) == len(values)
    assert table.iloc[:, 4].max() < 1e-9


def test_steps_are_walked_by_buttons():
    app = opened(SLUG, expr="x*y + sin(x)", **{"v.x": "0.5", "v.y": "3"})
    app.button(key="go-next").click().run()
    assert app.query_params["k"] == "1"
    app.button(key="go-last").click().run()
    assert "add up" in "".join(element.value for element in app.markdown)
    app.button(key="go-first").click().run()
    assert "k" not in app.query_params or app.query_params["k"] == "0"
    app.button(key="go-seed").click().run()
    assert "gradient is 1" in "".join(element.value for element in app.markdown)


def test_a_value_is_changed():
    app = opened(SLUG, expr="x*y", part="check")
    app.slider(key="v.y").set_value(4.0).run()
    assert app.query_params["v.y"] == "4"
    assert app.dataframe[0].value.iloc[0, 2] == 4.0


def test_a_formula_that_cannot_be_read_leaves_the_last_one():
    app = opened(SLUG, expr="x*y")
    for text, sentence in (("x*", "missing"), ("foo(x)", "no function"), ("(" * 1000, "longer than"), ("", "empty")):
        app.text_input(key="expr").set_value(text).run()
        assert not app.exception
        assert sentence in app.error[0].value
        assert app.session_state["good-formula"] == "x*y"
        assert app.slider(key="v.x")


def test_values_that_cannot_be_computed_leave_the_last_ones():
    app = opened(SLUG, expr="1/x", part="check")
    app.slider(key="v.x").set_value(0.0).run()
    assert "divides by zero" in app.error[0].value
    assert app.dataframe[0].value.iloc[0, 1] == 1.0
    assert not opened(SLUG, expr="1/x", **{"v.x": "0"}).exception


@pytest.mark.parametrize(
    "parameters", [{"v.w1": "nan"}, {"v.w1": "1e308"}, {"k": "x"}, {"k": "-1"}, {"h": "0", "part": "check"}]
)
def test_a_wrong_link_gets_a_sentence(parameters):
    app = opened(SLUG, "zh", **parameters)
    assert not app.exception
    assert app.warning


def test_a_formula_without_variables():
    assert not opened(SLUG, expr="1 + 2").exception
    assert "no variable" in opened(SLUG, expr="1 + 2", part="check").info[0].value


def test_nothing_typed_becomes_code_or_markup():
    app = opened(SLUG, expr="__import__('os').system('x')")
    assert "cannot stand in a formula" in app.error[0].value
    app = opened(SLUG, expr="<script>alert(1)</script>")
    assert not app.exception
    assert app.error


def test_the_prediction_is_judged_by_the_gradients():
    app = opened(SLUG, expr="x*y", **{"v.x": "2", "v.y": "5"})
    app.radio(key="predict-steepest-x-y").set_value("x").run()
    assert "gradient by x is 5" in app.success[0].value
