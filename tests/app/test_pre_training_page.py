"""Pre-training: from the form to a finished run, three sizes, and the model looked into."""

import time

import pytest

from core.language import texts
from core.language.recipe import LanguageRecipe
from core.language.text_recipe import TextRecipe
from core.runs import store
from core.vision.recipe import PictureRecipe
from tests.app.opening import charts, opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
SLUG = "pre-training"
SMALL = {"steps": "30", "layers": "1", "width": "16", "heads": "2", "context": "32", "batch_size": "8"}


def wait(*runs, seconds=200):
    deadline = time.monotonic() + seconds
    while any(store.get(run).active for run in runs) and time.monotonic() < deadline:
        time.sleep(0.3)
    assert [store.get(run).state for run in runs] == ["finished"] * len(runs)


@pytest.fixture(scope="module")
def run(atlas_home):
    source = texts.keep("`the` cat *sat* on <b>the</b> mat. [x](http://example.org)\n" * 60)
    recipe = TextRecipe.preset("quick", source=source, steps=40, layers=2, width=16, heads=2, context=32)
    made = store.submit(recipe)
    wait(made)
    return made


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_a_finished_run_opens(run, language, unit):
    app = opened(SLUG, language, run=run, unit=unit)
    assert not app.exception
    assert not app.error
    assert len(charts(app)) == 1
    assert len(app.success) == 1


def test_from_the_form_to_a_finished_run():
    app = opened(SLUG, **SMALL)
    app.button(key="train-text").click().run()
    assert not app.exception
    made = app.query_params["run"]
    wait(made)
    recipe = store.get(made).recipe
    assert isinstance(recipe, TextRecipe)
    assert (recipe.steps, recipe.layers, recipe.width, recipe.context) == (30, 1, 16, 32)
    app.run()
    assert "nats per token" in app.success[0].value
    assert any(metric.label == "Tokens per second" for metric in app.metric)


def test_three_sizes_are_three_runs():
    app = opened(SLUG, **SMALL)
    app.button(key="sizes").click().run()
    assert not app.exception
    runs = app.query_params["sizes"].split(",")
    wait(*runs)
    assert len({store.get(run).recipe.width for run in runs}) == 3
    other = opened(SLUG, "zh", sizes=",".join(runs))
    assert not other.exception
    assert not other.error
    assert len(charts(other)) == 2


def test_the_text_of_the_link_is_trained_on():
    source = texts.keep("my own text, not that of others. " * 60)
    app = opened(SLUG, "zh", source=source, tokens="bpe", vocabulary="64")
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="source").value == source


@pytest.mark.parametrize(
    ("link", "sentence"),
    [({"run": "unknown"}, "no run named"), ({"source": "text:" + "0" * 16}, "not kept"),
     ({"sizes": "x,y"}, "no run named"), ({"source": "/etc/passwd"}, "not kept"),
     ({"width": "30", "heads": "4"}, "multiple of the heads")],
)  # fmt: skip
def test_a_wrong_link_gets_a_sentence(link, sentence):
    app = opened(SLUG, **link)
    assert not app.exception
    assert any(sentence in error.value for error in app.error), [error.value for error in app.error]


def test_runs_of_another_kind_are_told_or_shown():
    pictures = store.submit(PictureRecipe())
    store.stop(pictures)
    assert "trains on pictures" in opened(SLUG, run=pictures).error[0].value
    life = store.submit(LanguageRecipe.preset("a-minute", documents=640))
    store.stop(life)
    app = opened(SLUG, run=life)
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", ["next", "attention", "layers", "weights"])
def test_the_model_is_looked_into(run, part, language):
    app = opened("language-model", language, run=run, part=part)
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert not any("example.org" in markdown.value for markdown in app.markdown)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [("the 🦄 cat", "🦄"), ("the cat sat on the mat. the cat sat", "reads at most 32"), (" ", ""),
     ("the " * 900, "reads at most")],
)  # fmt: skip
def test_a_wrong_prompt_gets_a_sentence(run, prompt, sentence):
    app = opened("language-model", run=run, prompt=prompt)
    assert not app.exception
    if sentence:
        assert sentence in app.error[0].value
        assert app.text_area(key="prompt")
    else:
        assert not app.error


def test_the_list_of_runs_shows_and_opens_it(run):
    app = opened("runs", "zh", run=run)
    assert not app.exception
    assert not app.error
