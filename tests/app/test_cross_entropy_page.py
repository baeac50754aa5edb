"""Cross-entropy: every number on the page is that of core.maths, whichever way it was set."""

import time

import numpy as np
import pytest

from app.components import logits
from core.maths import cross_entropy as maths
from core.runs import store
from core.vision.recipe import PictureRecipe
from tests.app.opening import fine, opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "cross-entropy"
PARTS = ("steps", "fit", "surface", "curve", "trouble", "binary")


def loss_shown(app) -> float:
    return float(app.metric[0].value)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", PARTS)
def test_every_part_opens(part, language):
    app = opened(SLUG, language, part=part, z="2,-1,0.5,3", classes="4", target="smoothed", epsilon="0.2")
    assert not app.exception
    assert not app.warning
    y = maths.smoothed(maths.one_hot(0, 4), 0.2)
    assert loss_shown(app) == pytest.approx(maths.cross_entropy([2, -1, 0.5, 3], y), abs=1e-4)


def test_sliders_and_controls_write_the_link():
    app = opened(SLUG)
    app.slider(key="z-1").set_value(4.0).run()
    assert app.query_params["z"] == "2,4,0.1"
    app.slider(key="classes").set_value(5).run()
    app.selectbox(key="true").set_value("4").run()
    app.select_slider(key="t").set_value(2.0).run()
    assert loss_shown(app) == pytest.approx(maths.cross_entropy([2, 4, 0.1, 0, 0], maths.one_hot(4, 5), 2), abs=1e-4)
    assert app.query_params["t"] == "2"
    again = opened(SLUG, **{name: str(app.query_params[name]) for name in ("z", "classes", "true", "t")})
    assert loss_shown(again) == loss_shown(app)


def test_a_soft_target():
    app = opened(SLUG, target="soft", y="1,1,2", z="0,0,0")
    assert loss_shown(app) == pytest.approx(np.log(3), abs=1e-4)
    app = opened(SLUG, target="soft", y="0,0")
    assert "needs at least one weight" in app.warning[0].value


def test_a_step_moves_the_logits_downhill():
    app = opened(SLUG)
    before = loss_shown(app)
    app.button(key="step").click().run()
    assert loss_shown(app) < before
    expected = maths.descend([2, 1, 0.1], maths.one_hot(0, 3), 1.0, 1)[1]
    assert [float(v) for v in app.query_params["z"].split(",")] == pytest.approx(list(expected), rel=1e-4)


@pytest.mark.parametrize(("doubled", "right"), [("3,0,0", "down"), ("0,3,0", "up"), ("0,0,0", "same")])
def test_the_prediction_is_judged_by_the_numbers(doubled, right):
    app = opened(SLUG, z=doubled)
    app.radio(key="predict-double").set_value(right).run()
    assert len(app.success) == 1
    wrong = "up" if right == "down" else "down"
    app.radio(key="predict-double").set_value(wrong).run()
    assert "Not so" in app.warning[0].value


@pytest.mark.parametrize(
    "parameters",
    [{"z": "nan,1,2"}, {"z": "1e308,0"}, {"z": ""}, {"z": "a,b"}, {"t": "0"}, {"classes": "2.5"}, {"classes": "99"},
     {"target": "smoothed", "epsilon": "-1"}, {"z": "1," * 500}],
)  # fmt: skip
def test_a_wrong_link_gets_a_sentence_and_a_picture(parameters):
    app = opened(SLUG, "zh", **parameters)
    assert not app.exception
    assert app.warning
    assert loss_shown(app) >= 0


def test_the_table_to_type_in_is_there_when_it_is_opened():
    assert len(fine(opened(SLUG)).dataframe) == 1
    assert len(fine(opened(SLUG, typed="true")).dataframe) == 2


def test_numbers_typed_into_the_table(monkeypatch):
    """AppTest cannot type into a table, so the callback is called with what the table would say."""
    edited = {0: {"z": "1e308", "y": "NaN"}, 1: {"z": "7", "y": "-1"}, 2: {"z": "abc", "y": None}}
    state = {"table-turn": 0, "table-0": {"edited_rows": edited}}
    link: dict[str, str] = {}
    monkeypatch.setattr("streamlit.session_state", state)
    monkeypatch.setattr("streamlit.query_params", link)
    logits._typed("ABC", (2.0, 1.0, 0.1), (1.0, 2.0, 3.0))
    assert link == {"z": "2,7,0.1", "y": "1,2,3"}
    assert len(state["table-errors"]) == 5
    assert state["table-turn"] == 1


def test_a_real_prediction_as_the_start():
    run = store.submit(PictureRecipe.preset("quick-look", epochs=1))
    deadline = time.monotonic() + 60
    while store.get(run).active and time.monotonic() < deadline:
        time.sleep(0.2)
    app = opened(SLUG, run=run, picture="3")
    assert not app.exception
    assert not app.error
    app.button(key="take").click().run()
    assert app.query_params["classes"] == "10"
    assert len(app.query_params["z"].split(",")) == 10
    assert any(element.value.startswith("True class") for element in app.text)
