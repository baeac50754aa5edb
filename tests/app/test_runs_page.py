"""The list of runs: found, renamed, deleted; and the form's sliders for the shapes."""

import pytest

from core import settings
from core.people import Person, new_id
from core.runs import store
from core.settings import Settings
from core.vision.factors import Factors, read_factors
from core.vision.recipe import PictureRecipe
from tests.app.opening import opened

ANN, BO = Person(new_id()), Person(new_id())
pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]


@pytest.fixture
def run():
    run_id = store.submit(PictureRecipe.preset("quick-look", epochs=1), ANN.id)
    yield run_id
    store.stop(run_id, ANN)


def test_a_link_shows_one_run_and_it_is_renamed(run):
    app = opened("runs", by=ANN, run=run)
    assert not app.exception
    app.text_input(key=f"name-{run}").set_value("first & <b>last</b>").run()
    app.button(key=f"rename-{run}").click().run()
    assert store.get(run).name == "first & <b>last</b>"
    assert any("first & <b>last</b>" in text.value for text in app.text)


def test_the_run_of_another_is_shown_without_power(run):
    app = opened("runs", by=BO, run=run)
    assert not app.exception
    keys = {button.key for button in app.button}
    assert not keys & {f"{what}-{run}" for what in ("stop", "resume", "rename", "delete")}
    assert any("Only whoever began this run" in caption.value for caption in app.caption)


def test_an_empty_name_gets_a_sentence(run):
    app = opened("runs", by=ANN, run=run)
    app.text_input(key=f"name-{run}").set_value("  ").run()
    app.button(key=f"rename-{run}").click().run()
    assert "A name has between" in app.error[0].value


def test_an_unknown_run_gets_a_sentence(run):
    assert "There is no run named" in opened("runs", run="nonsense").error[0].value


def test_runs_may_be_kept_to_oneself(run, monkeypatch):
    monkeypatch.setattr(settings, "load", lambda: Settings(watch=False))
    assert not opened("runs", by=BO, run=run).button
    assert "There is no run named" in opened("train", by=BO, run=run).error[0].value
    assert not opened("runs", by=ANN, run=run).error


def test_runs_are_found_by_name_and_state(run):
    store.rename(run, "needle in the hay", ANN)
    app = opened("runs", name="NEEDLE")
    assert app.dataframe[0].value.iloc[:, 0].tolist() == ["needle in the hay"]
    assert opened("runs", name="no such name").dataframe[0].value.empty


def test_sliders_turn_the_shapes():
    app = opened("train", dataset="shapes:colour=1,count=500")
    assert app.slider(key="factor-colour").value == 1
    app.slider(key="factor-clutter").set_value(0.5).run()
    assert not app.exception
    assert read_factors(app.query_params["dataset"].partition(":")[2]) == Factors(colour=1, clutter=0.5, count=500)


def test_factors_and_their_text_are_the_same():
    factors = Factors(colour=0.25, rotation=0, count=700)
    assert read_factors(factors.argument()) == factors
    assert Factors().argument() == ""
