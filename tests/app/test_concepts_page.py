"""The map of concepts and the pipeline: the chosen node is in the link, and every way of choosing leads there."""

import time

import pytest

from content.concepts import KINDS, load_concepts
from content.pipeline import load_pipeline
from core.runs import store
from tests.app.opening import opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]


def said(app) -> str:
    return "\n".join(element.value for element in app.markdown)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_link_opens_a_concept_with_all_its_parts(language):
    concept = load_concepts()["cross-entropy"]
    app = opened("concepts", language, node="cross-entropy")
    assert not app.exception
    assert app.header[0].value == concept.name[language]
    assert concept.definition[language] in said(app)
    assert [element.value for element in app.subheader][:3] == [s.heading for s in concept.sections[language]]
    assert concept.sources[0].url in said(app)
    assert f"](concepts?node=softmax&lang={language})" in said(app)
    assert "(concept:" not in said(app)


def test_both_languages_stand_side_by_side():
    concept = load_concepts()["softmax"]
    app = opened("concepts", node="softmax", both="true")
    assert concept.definition["en"] in said(app)
    assert concept.definition["zh"] in said(app)


def test_an_unknown_concept_gets_a_sentence():
    app = opened("concepts", node="<script>alert(1)</script>")
    assert not app.exception
    assert "There is no concept of that name" in app.warning[0].value


def test_search_finds_and_chooses():
    app = opened("concepts")
    app.selectbox(key="search").select("dropout" if "dropout" in load_concepts() else "softmax").run()
    assert app.header[0].value == load_concepts()[app.query_params["node"]].name.en != "Deep learning"


def test_the_way_between_two_concepts_is_said():
    parameters = {"from": "gradient", "to": "natural-language-processing"}
    app = opened("concepts", **parameters)
    assert "Gradient" in said(app)
    assert "→ Natural language processing" in said(app) or "← Natural language processing" in said(app)


def test_a_neighbour_is_pressed():
    app = opened("concepts", node="cross-entropy")
    button = next(b for b in app.button if b.key == "tie-→-loss-function")
    button.click().run()
    assert app.query_params["node"] == "loss-function"
    assert app.header[0].value == load_concepts()["loss-function"].name.en


def test_kinds_that_do_not_exist_are_left_out():
    app = opened("concepts", kinds="field,nonsense")
    assert not app.exception
    assert app.session_state["kinds"] == ["field"]
    assert set(KINDS) >= {"field"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_step_of_the_pipeline_opens(language):
    pipeline = load_pipeline()
    app = opened("pipeline", language)
    for slug, node in pipeline.nodes.items():
        app.query_params["node"] = slug
        app.run()
        assert not app.exception
        assert app.header[0].value == node.name[language]
        first = node.explanation[language].split("](")[0].split("[")[0]
        assert first in said(app)


def test_the_whole_loop_runs_from_the_page():
    app = opened("pipeline", documents="640", tuning_steps="10", sequence_steps="5")
    app.button(key="run-loop").click().run()
    assert not app.exception
    run = app.query_params["run"]
    deadline = time.monotonic() + 150
    while store.get(run).active and time.monotonic() < deadline:
        time.sleep(1)
    for node, words in (("pre-training", "Right labels"), ("parameter-efficient-fine-tuning", "Trained parameters")):
        app = opened("pipeline", run=run, node=node)
        assert not app.exception
        assert words in [metric.label for metric in app.metric]
    for node in load_pipeline().nodes:
        assert not opened("pipeline", "zh", run=run, node=node).exception
    gate = opened("pipeline", run=run, node="model-update")
    assert len(gate.warning) + len(gate.success) == 3  # candidates, each promoted or rejected
    train = opened("train", run=run)
    assert "Open it from the page Runs" in train.error[0].value
    assert not opened("runs").exception


def test_an_unknown_run_of_the_pipeline_gets_a_sentence():
    assert "There is no run named" in opened("pipeline", run="../../etc").error[0].value


def test_an_unknown_step_gets_a_sentence():
    assert "There is no step of that name" in opened("pipeline", node="x").warning[0].value
