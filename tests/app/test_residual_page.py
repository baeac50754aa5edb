"""The page on residual connections: every control, links good and bad, and the race."""

import pytest

from app.components import residual_parts as parts
from core.maths.residual import ACTIVATIONS, INITIALISATIONS
from tests.app.opening import charts, opened, said

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SHORT = {"part": "race", "depth": "12", "shallow": "4", "epochs": "5"}


def test_the_page_offers_what_the_computation_knows():
    assert set(parts.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(parts.INITIALISATIONS) == set(INITIALISATIONS)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", ["start", "block", "race"])
@pytest.mark.parametrize("depth", ["2", "20", "56"])
def test_every_part_opens(depth, part, language):
    app = opened("residual", language, part=part, depth=depth)
    assert not app.exception
    assert not app.error
    assert not app.warning


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("init", INITIALISATIONS)
def test_every_net_is_measured(activation, init):
    app = opened("residual", activation=activation, init=init, bn="0", after="0", of="weights", data="noise")
    assert not app.exception
    assert not app.error
    assert len(app.metric) == 4


def test_both_nets_are_drawn_for_every_layer():
    app = opened("residual", depth="20")
    forward, backward = charts(app)[0], charts(app)[1]
    assert [trace["name"] for trace in forward["data"]] == ["Plain net", "Residual net"]
    assert forward["layout"]["yaxis"]["type"] == backward["layout"]["yaxis"]["type"] == "log"
    assert len(forward["data"][0]["y"]) == 10
    app.segmented_control(key="of").set_value("weights").run()
    assert len(charts(app)[1]["data"][0]["x"]) == 19


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "So vanishing gradients cannot be what is wrong"),
        ({"init": "xavier", "bn": "0"}, "Here the shortcuts do keep the gradient from vanishing"),
        ({"bn": "0"}, "does not vanish, even without normalisation"),
        ({"bn": "0"}, "The residual net has trouble of its own"),
        ({"activation": "sigmoid", "init": "xavier", "bn": "0"}, "Both vanish"),
        ({"activation": "sigmoid", "init": "xavier", "bn": "0", "after": "0"}, "Here the shortcuts do keep"),
        ({"depth": "2"}, "both nets are the same net"),
        ({"depth": "2", "part": "block"}, "both nets are the same net"),
    ],
)
def test_the_words_follow_the_numbers(parameters, sentence):
    app = opened("residual", **parameters)
    assert sentence in said(app) + "".join(element.value for element in app.info)


def test_every_control_changes_the_link_and_the_picture():
    app = opened("residual", depth="20")
    before = charts(app)[1]
    for press in (
        lambda: app.slider(key="depth").set_value(24),
        lambda: app.selectbox(key="activation").select("tanh"),
        lambda: app.selectbox(key="init").select("orthogonal"),
        lambda: app.toggle(key="bn").set_value(False),
        lambda: app.toggle(key="after").set_value(False),
        lambda: app.slider(key="seed").set_value(7),
        lambda: app.segmented_control(key="data").set_value("noise"),
    ):
        press().run()
        assert not app.exception
        now = charts(app)[1]
        assert now != before
        before = now
    # AppTest hands back each value as a list when it was set by the page.
    for name, value in (("depth", "24"), ("activation", "tanh"), ("bn", "0"), ("after", "0"), ("seed", "7")):
        assert value in app.query_params[name]


def test_a_prepared_start_sets_the_controls():
    app = opened("residual", depth="20")
    app.button(key="start-sigmoid").click().run()
    assert app.selectbox(key="activation").value == "sigmoid"
    assert not app.toggle(key="bn").value
    app.button(key="start-paper").click().run()
    assert app.selectbox(key="activation").value == "relu"
    assert app.toggle(key="bn").value


@pytest.mark.parametrize("start", parts.STARTS)
def test_every_prepared_start_is_in_the_link(start):
    app = opened("residual", depth="20")
    app.button(key=f"start-{start}").click().run()
    assert not app.exception
    for name, value in parts.STARTS[start][1].items():
        assert app.query_params[name] == value


def test_what_counts_as_vanished_and_how_numbers_are_written():
    assert [parts.verdict(ratio) for ratio in (1e-3, 1.0, 1e3)] == ["vanishes", "keeps", "explodes"]
    written = [parts.sized(value) for value in (3.4e-28, 0.0, 0.152, 7.1, 28879.0, 2e9)]
    assert written == ["3.4 × 10⁻²⁸", "0", "0.152", "7.1", "28,879", "2.0 × 10⁹"]


def test_predicting_is_answered_from_the_numbers():
    app = opened("residual")
    app.radio(key="predict-residual-gradient").set_value("residual").run()
    assert "In the plain net it becomes 2" in app.success[0].value
    app.radio(key="predict-residual-gradient").set_value("plain").run()
    assert app.warning[0].value.startswith("Not so: Residual net.")


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"depth": "1e308"}, "depth must be a number from 2 to 56"),
        ({"depth": "NaN"}, "depth must be a number from 2 to 56"),
        ({"depth": "-4"}, "depth must be a number from 2 to 56"),
        ({"depth": "7"}, "6 is used"),
        ({"depth": "٣"}, "2 is used"),
        ({"depth": "5.5"}, "depth must be a number from 2 to 56"),
        ({"activation": "swish"}, "“swish” is not a value of activation"),
        ({"init": "<script>"}, "“\\<script\\>” is not a value of init"),
        ({"data": "faces"}, "“faces” is not a value of data"),
        ({"of": "x"}, "“x” is not a value of of"),
        ({"part": "x"}, "“x” is not a value of part"),
        ({"bn": "yes"}, "“yes” is not a value of bn"),
        ({"seed": "inf"}, "seed must be a number from 0 to 99"),
        ({"part": "race", "lr": "0"}, "lr must be a number from 0.001 to 1"),
        ({"part": "race", "epochs": "1e9"}, "epochs must be a number from 5 to 25"),
        ({"part": "race", "shallow": "7"}, "6 is used"),
    ],
)
def test_a_wrong_link_gets_a_sentence_and_a_picture(parameters, sentence):
    app = opened("residual", **parameters)
    assert not app.exception
    assert any(sentence in warning.value for warning in app.warning)
    assert charts(app) or parameters.get("part") == "race"


def test_the_race_runs_and_its_link_runs_it_again():
    app = opened("residual", **SHORT)
    assert "Which of the three" in app.info[0].value
    app.button(key="run-race").click().run()
    assert not app.exception
    assert not app.error
    film = charts(app)[0]
    assert len(film["frames"]) == 6
    assert [trace["name"] for trace in film["data"][:3]] == ["Plain, 12 layers"] * 3
    assert "Was it the vanishing gradient?" in said(app)
    assert "Ours, on digits: from 4 to 12 plain layers" in said(app)
    losses = [metric.value for metric in app.metric]
    digest = app.query_params["race"]
    digest = digest[0] if isinstance(digest, list) else digest
    # The last picture stays when a setting changes, and no race starts by itself.
    app.slider(key="epochs").set_value(6).run()
    assert "The picture shows the last race" in app.info[0].value
    assert [metric.value for metric in app.metric] == losses
    app.button(key="run-race").click().run()
    assert not app.info
    assert len(app.dataframe[0].value) == 2
    other = opened("residual", "zh", **SHORT, race=digest)
    assert [metric.value for metric in other.metric] == losses
    assert "12 层" in said(other)


def test_a_link_to_another_race_starts_none():
    app = opened("residual", **SHORT, race="00000000")
    assert not app.exception
    assert "other settings than these" in app.info[0].value
    assert not charts(app)


def test_a_race_that_diverges_is_told():
    app = opened("residual", **{**SHORT, "depth": "40"}, bn="0", lr="1")
    app.button(key="run-race").click().run()
    assert not app.exception
    assert any("the loss stopped being a number" in warning.value for warning in app.warning)


def test_the_papers_figures_stand_with_their_source():
    app = opened("residual", part="race")
    assert "plain net's error changes by +0.60 points, the residual net's by −2.85" in said(app)
    assert "https://arxiv.org/abs/1512.03385" in said(app)
    cells = [str(value) for table in app.table for value in table.value.to_numpy().ravel()]
    for figure in ("27.94 %", "28.54 %", "27.88 %", "25.03 %", "8.75 %", "7.51 %", "7.17 %", "6.97 %", "6.43 %"):
        assert figure in cells
