"""Backpropagation: a formula is typed, walked and checked; what is wrong is answered and the last good one stays."""

import numpy as np
import pytest

from app.components import computation_parts as parts
from app.components.computation import PRESETS, Computation
from core.maths.backpropagation import steps
from core.maths.expression import parse
from tests.app.opening import drawings, fine, opened, said

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "backpropagation"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_example_walks_and_checks(preset, language):
    _words, text, values = PRESETS[preset]
    walk = steps(parse(text), values)
    for k in (0, 1, len(walk) // 2, len(walk)):
        fine(opened(SLUG, language, expr=text, k=str(k)))
    app = fine(opened(SLUG, language, expr=text, part="check", operations="true"))
    variables, operations = (frame.value for frame in app.dataframe)
    assert len(variables) == len(values)
    assert len(operations) == sum(bool(node.inputs) for node in parse(text).nodes)
    assert variables.iloc[:, 4].max() < 1e-9
    assert operations.iloc[:, 4].max() < 1e-9


def test_steps_are_walked_by_buttons():
    app = opened(SLUG, expr="x*y + sin(x)", edges="true", **{"v.x": "0.5", "v.y": "3"})
    app.button(key="go-next").click().run()
    assert app.query_params["k"] == "1"
    app.button(key="go-last").click().run()
    assert "add up" in said(app)
    assert "All gradients are there" in said(app)
    edges = app.dataframe[0].value  # From, To, gradient at the end, slope, product, sum
    assert len(edges) == 5
    np.testing.assert_allclose(edges.iloc[:, 2] * edges.iloc[:, 3], edges.iloc[:, 4])
    assert edges[edges["To"] == "x"].iloc[-1, 5] == pytest.approx(3 + np.cos(0.5))
    app.button(key="go-first").click().run()
    assert "k" not in app.query_params or app.query_params["k"] == "0"
    app.button(key="go-seed").click().run()
    assert "gradient is 1" in said(app)
    assert not app.dataframe


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
        assert "`x*y`" in app.caption[0].value
        assert app.slider(key="v.x")


def test_values_that_cannot_be_computed_leave_the_last_ones():
    app = opened(SLUG, expr="1/x", part="check")
    app.slider(key="v.x").set_value(0.0).run()
    assert "divided by zero" in app.error[0].value
    assert app.dataframe[0].value.iloc[0, 1] == 1.0
    app = opened(SLUG, expr="1/x", **{"v.x": "0"})
    assert not app.exception
    assert "an example" in app.caption[0].value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("log(x - 2)", "is not a real number"), ("relu(x - 2)", "has a value but no slope"),
        ("abs(x - 2)", "has a value but no slope"), ("sqrt(x - 2)", "has a value but no slope"),
        ("1/(x - 2)", "divided by zero"), ("exp(x*1000)", "too large"),
        ("(x - 2) * 1e99 * 1e99 * 1e99 * 1e99", "On the way back the gradient"),
    ],
)  # fmt: skip
def test_a_formula_that_is_read_and_not_computed_leaves_the_last_picture(text, sentence):
    """The sliders are those of the new formula, so that it can be mended; the picture and its step stay."""
    value = "1" if text.startswith("log") else "2"
    app = opened(SLUG, expr="x*y", k="3", **{"v.x": value, "v.y": "3"})
    before = graph(app)
    app.text_input(key="expr").set_value(text).run()
    assert not app.exception
    assert sentence in app.error[0].value
    assert "`x*y`" in app.caption[0].value
    assert graph(app) == before
    assert app.query_params["k"] == "3"
    assert [slider.key for slider in app.slider] == ["v.x", "k"]
    app.slider(key="v.x").set_value(4.0 if "1000" not in text and "1e99" not in text else 0.0).run()
    if "1e99" not in text:
        fine(app)
        assert graph(app) != before
        assert app.slider(key="k").value == 0  # another formula begins at its start


def graph(app) -> dict:
    """What the graph is given to draw."""
    return drawings(app, "atlas_graph")[0]


def test_a_node_that_is_pressed_leads_to_its_next_step():
    found = Computation("x*y", parse("x*y"), {"x": 2.0, "y": 3.0}, steps(parse("x*y"), {"x": 2.0, "y": 3.0}))
    kinds = [(step.kind, step.to if step.kind == "backward" else step.node) for step in found.steps]
    assert kinds == [("forward", 2), ("seed", 2), ("backward", 0), ("backward", 1)]
    assert [parts._next_at(found, 2, k) for k in range(5)] == [1, 2, 1, 1, 1]
    assert [parts._next_at(found, 0, k) for k in range(5)] == [3, 3, 3, 3, 3]
    fixed = Computation("3*x", parse("3*x"), {"x": 2.0}, steps(parse("3*x"), {"x": 2.0}))
    assert parts._next_at(fixed, 0, 1) == 1  # nothing ever happens to a fixed number


def test_every_edge_that_was_gone_back_along_shows_its_slope():
    drawn = graph(opened(SLUG, expr="x*y", k="3", **{"v.x": "2", "v.y": "3"}))
    assert drawn["told"] == {"0 2": "× 3"}
    assert drawn["path"] == ["0", "2"]
    assert graph(opened(SLUG, expr="x*x", k="4", **{"v.x": "2"}))["told"] == {"0 1": "× 2, × 2"}
    assert graph(opened(SLUG, expr="x*y", k="1"))["path"] == ["0", "2", "1"]


@pytest.mark.parametrize("typed", ["**x**", "<b>", "[a](http://b)", "_a_", "$x$", ":red[x]", "`x`", "foo(x)", "x.y"])
def test_what_was_typed_is_quoted_as_text(typed):
    app = opened(SLUG, expr=typed)
    quoted = app.error[0].value
    assert not app.exception
    for sign in "*`<[$":
        assert sign not in quoted.replace(f"\\{sign}", "")


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


def test_what_is_pasted_is_not_cut_by_the_browser():
    """The browser drops a text beyond `max_chars` without a word; here it comes through and gets its sentence."""
    app = opened(SLUG)
    assert app.text_input(key="expr").proto.max_chars == 0
    app.text_input(key="expr").set_value("(" * 1000 + "x" + ")" * 1000).run()
    assert "longer than 300" in app.error[0].value
    assert len(app.query_params["expr"]) == 301


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
