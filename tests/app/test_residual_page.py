"""Residual connections: every setting and part opens, and what the page says follows from its numbers."""

import json

import pytest

from app.components.residual_parts import ACTIVATIONS, INITIALISATIONS, STARTS, sized, verdict
from tests.app.opening import opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "residual"


def said(app) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", ["start", "block", "race"])
@pytest.mark.parametrize("depth", ["2", "20", "56"])
def test_every_part_opens(part, depth, language):
    app = opened(SLUG, language, part=part, depth=depth)
    assert not app.exception
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("init", INITIALISATIONS)
def test_every_net_is_measured(activation, init):
    app = opened(SLUG, depth="56", activation=activation, init=init, bn="0", after="0", of="weights", data="noise")
    assert not app.exception
    assert not app.error
    assert len(app.metric) == 4


@pytest.mark.parametrize("start", STARTS)
def test_every_beginning_sets_its_controls(start):
    app = opened(SLUG)
    app.button(key=f"start-{start}").click().run()
    assert not app.exception
    for name, value in STARTS[start][1].items():
        assert app.query_params[name] == value


def test_the_words_follow_the_numbers():
    vanishing = opened(SLUG, activation="sigmoid", init="xavier", bn="0", after="0", depth="56")
    assert "It vanishes" in said(vanishing)
    assert "shortcuts do keep the gradient" in said(vanishing)
    vanishing.radio(key="predict-residual-gradient").set_value("residual").run()
    assert len(vanishing.success) == 1
    keeping = opened(SLUG, activation="relu", init="he", bn="0", depth="56")
    assert "does not vanish, even without normalisation" in said(keeping)
    assert verdict(1e-3) == "vanishes"
    assert sized(3.4e-28) == "3.4 × 10⁻²⁸"


def test_a_race_is_run_shown_and_in_the_link():
    app = opened(SLUG, part="race", depth="8", epochs="5", shallow="4")
    app.button(key="run-race").click().run(timeout=90)
    assert not app.exception
    assert not app.error
    charts = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert any(len(chart.get("frames", [])) == 6 for chart in charts)
    link = {name: str(app.query_params[name]) for name in ("part", "depth", "epochs", "shallow", "race")}
    again = opened(SLUG, "zh", **link)
    assert not again.exception
    assert any(json.loads(chart.proto.spec).get("frames") for chart in again.get("plotly_chart"))
    assert "1512.03385" in said(again)
    app.slider(key="epochs").set_value(6).run()
    assert any("settings have changed" in element.value for element in app.info)


@pytest.mark.parametrize(
    "parameters",
    [{"depth": "nan"}, {"depth": "1e308"}, {"depth": "7"}, {"activation": "step"}, {"init": "x"}, {"bn": "yes"},
     {"seed": "-1"}, {"part": "nothing"}, {"part": "race", "lr": "0"}],
)  # fmt: skip
def test_a_wrong_link_gets_a_sentence_and_a_picture(parameters):
    app = opened(SLUG, "zh", **parameters)
    assert not app.exception
    assert app.warning
