"""Gradient steps: landscapes, optimisers and every wrong way of asking for them."""

import json

import numpy as np
import pytest

from app.components.descent_parts import NAMES, RACERS
from core.maths.descent import descend
from core.maths.surfaces import SURFACES
from tests.app.opening import charts, opened, said, warned

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "gradient-steps"


@pytest.mark.parametrize("part", ["step", "race", "rates"])
@pytest.mark.parametrize("surface", NAMES)
def test_every_landscape_opens_in_every_part(surface, part):
    app = opened(SLUG, "zh", surface=surface, part=part, schedule="warm-up", noise="0.3", steps="20")
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert charts(app)[0]["data"]


def test_a_step_says_its_numbers():
    app = opened(SLUG, k="3")
    points, gradients = descend(SURFACES["ravine"], np.array([-3.5, 1.5]), 0.03, 40)
    assert f"{points[2][0]:.4g}" in app.latex[1].value
    assert f"{gradients[2][1]:.4g}" in app.latex[1].value
    app.button(key="go-next").click().run()
    assert app.query_params["k"] == "4"
    app.button(key="go-first").click().run()
    assert app.query_params["k"] == "1"


def test_the_race_is_a_film_of_those_chosen():
    app = opened(SLUG, part="race", optimisers="sgd,adam,nonsense", steps="30")
    assert "“nonsense” is not a value of optimisers" in warned(app)
    film = charts(app)[0]
    assert len(film["frames"]) == 31
    assert {trace.get("name") for trace in film["data"]} >= {"SGD", "Adam"}
    assert "RMSProp" not in json.dumps(film["data"])
    app.pills(key="optimisers").set_value([]).run()
    assert "at least one" in app.info[0].value
    assert {trace.get("name") for trace in charts(app)[0]["data"]} >= {"SGD", "Adam"}  # the last picture stays


def test_a_race_of_all_stays_small():
    app = opened(SLUG, part="race", steps="200")
    assert len(json.dumps(charts(app)[0])) < 300_000
    assert len(charts(app)[0]["frames"]) <= 80
    assert set(RACERS.values()) <= {trace.get("name") for trace in charts(app)[0]["data"]}


def test_divergence_is_told():
    app = opened(SLUG, **{"part": "race", "surface": "rosenbrock", "eta-rosenbrock": "1"})
    assert "Diverged with this learning rate: SGD" in said(app)


def test_in_three_dimensions():
    app = opened(SLUG, part="race", surface="saddle", solid="1")
    assert not app.exception
    assert charts(app)[0]["data"][0]["type"] == "surface"


def test_pressing_the_landscape_moves_the_start(monkeypatch):
    """AppTest presses no chart, so what would be called is called."""
    from app.components import descent_parts

    link: dict[str, str] = {}
    state = {"surface": "bowl"}
    monkeypatch.setattr("streamlit.session_state", state)
    monkeypatch.setattr("streamlit.query_params", link)
    descent_parts._pressed(1.25, -0.5)
    assert link == {"x0-bowl": "1.25", "y0-bowl": "-0.5"}


@pytest.mark.parametrize(
    "parameters",
    [{"x0-ravine": "nan"}, {"y0-ravine": "1e308"}, {"eta-ravine": "-1"}, {"steps": "x"}, {"noise": ""}, {"k": "2.5"}],
)
def test_a_wrong_link_gets_a_sentence_and_a_picture(parameters):
    app = opened(SLUG, **parameters)
    assert not app.exception
    assert app.warning
    assert charts(app)[0]["data"]


def test_a_landscape_that_does_not_exist_is_the_first():
    app = opened(SLUG, surface="<script>")
    assert not app.exception
    assert app.selectbox(key="surface").value == "ravine"
    assert r"“\<script\>” is not a value of surface" in warned(app)


@pytest.mark.parametrize(("rate", "right"), [("0.01", "lower"), ("0.079", "diverges")])
def test_the_prediction_is_judged_by_the_numbers(rate, right):
    app = opened(SLUG, **{"eta-ravine": rate})
    app.radio(key="predict-twice").set_value(right).run()
    assert len(app.success) == 1
