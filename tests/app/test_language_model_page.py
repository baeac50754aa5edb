"""Inside the model: a finished life's model answers prompts and shows how; every wrong prompt gets a sentence."""

import time

import pytest

from core.errors import UserError
from core.language.inside import look
from core.language.recipe import LanguageRecipe
from core.runs import client, store
from tests.app.opening import opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "language-model"


def test_without_a_model_the_page_says_where_to_get_one():
    if not any(run.state == "finished" and isinstance(run.recipe, LanguageRecipe) for run in store.list_runs()):
        assert "no language model yet" in opened(SLUG).info[0].value


@pytest.fixture(scope="module")
def life() -> str:
    """A short life without smeared keys, so that the size in the weights file is not the default one."""
    run = store.submit(LanguageRecipe.preset("a-minute", documents=640, tuning_steps=2, smeared_keys=False))
    deadline = time.monotonic() + 200
    while store.get(run).active and time.monotonic() < deadline:
        time.sleep(0.5)
    assert store.get(run).state == "finished"
    return run


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", ["next", "attention", "layers", "weights"])
def test_every_part_opens(life, part, language):
    app = opened(SLUG, language, run=life, part=part)
    assert not app.exception
    assert not app.error
    assert not app.warning


def test_it_answers_and_goes_on(life):
    found = client.call("core.language.inside:look", run=life, prompt="[name] cat animal 苹果", count=3)
    assert sum(found["next"]) == pytest.approx(1, abs=1e-5)
    assert found["attention"].shape == (2, 2, 4, 4)
    assert len(found["goes_on"]) == 3
    assert len(found["guesses"]) == 3
    assert len(found["likelihoods"]) == 3
    assert all(value <= 0 for value in found["likelihoods"])
    cold = client.call("core.language.inside:look", run=life, prompt="[name] cat", temperature=0.0)
    assert max(cold["next"]) == 1.0
    assert cold["hash"] == found["hash"]
    few = client.call("core.language.inside:look", run=life, prompt="[name] cat", top_k=3)
    assert sum(p > 0 for p in few["next"]) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "at least one token"), ("   ", "at least one token"), ("cat 🦄", "does not know the word"),
     ("cat " * 36, "reads at most 36"), ("<script>", "does not know the word"), ("x" * 9999, "does not know")],
)  # fmt: skip
def test_a_wrong_prompt_gets_a_sentence(life, text, sentence):
    app = opened(SLUG, run=life, prompt=text or " ")
    assert not app.exception
    assert sentence in app.error[0].value
    assert app.text_input(key="prompt")


def test_the_prompt_is_typed_and_in_the_link(life):
    app = opened(SLUG, run=life)
    app.text_input(key="prompt").set_value("[name] 猫").run()
    assert app.query_params["prompt"] == "[name] 猫"
    app.button(key="example-none").click().run()
    assert "[pick] horse" in app.code[0].value


def test_settings_out_of_range_get_a_sentence(life):
    assert "temperature must be" in opened(SLUG, run=life, temperature="-1").warning[0].value
    assert "no language model" in opened(SLUG, run="../../etc").warning[0].value
    with pytest.raises(UserError, match="no run named"):
        look("unknown", "cat")
