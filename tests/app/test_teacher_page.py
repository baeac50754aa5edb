"""The page of the teacher: a name for everybody; after signing in, settings, disk and log."""

import pytest

from app.components.waiting import waiting
from core import people, settings, teacher
from core.errors import UserError
from core.people import Person
from core.runs import client, store
from core.settings import Settings
from core.vision.recipe import PictureRecipe
from tests.app.opening import opened

pytestmark = pytest.mark.filterwarnings("default")


def _not_here(*_args, **_kwargs):
    raise UserError("Nobody computes here.")


@pytest.fixture(autouse=True)
def secret(tmp_path, monkeypatch, nobody_trains):
    """The secret of a home of its own, where nobody trains and no page starts somebody who would."""
    monkeypatch.setattr(client, "call", _not_here)
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    monkeypatch.delenv(teacher.VARIABLE, raising=False)
    monkeypatch.setattr(teacher, "_tries", teacher.collections.defaultdict(teacher.collections.deque))
    return teacher.prepare()


@pytest.fixture
def ann():
    return Person(people.new_id())


@pytest.fixture
def head(secret):
    """The teacher's browser, signed in."""
    person = Person(people.new_id())
    teacher.sign_in(person, secret, "")
    return person


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nobody_sees_the_settings_without_the_secret(ann, language):
    app = opened("teacher", language, by=ann)
    assert not app.exception
    assert not app.number_input
    assert not app.code


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_secret_opens_them(ann, secret, language):
    app = opened("teacher", language, by=ann)
    app.text_input(key="secret").set_value("wrong secret")
    app.button(key="sign-in-button").click().run()
    assert len(app.error) == 1
    assert not app.number_input
    app.text_input(key="secret").set_value(secret)
    app.button(key="sign-in-button").click().run()
    assert not app.error
    assert app.number_input(key="set-queued").value == Settings().queued
    assert "teacher-signed-in" in app.code[0].value
    app.button(key="sign-out").click().run()
    assert not app.number_input


def test_settings_come_into_force(head):
    app = opened("teacher", by=head)
    app.number_input(key="set-minutes").set_value(7)
    app.toggle(key="set-watch").set_value(False)
    app.button(key="save-settings").click().run()
    assert not app.exception
    assert settings.load() == Settings(minutes=7, watch=False)


def test_the_teacher_deletes_any_run_and_clears_out(head, ann):
    runs = [store.submit(PictureRecipe.preset("quick-look", epochs=1), ann.id) for _ in range(2)]
    for run in runs:
        store.stop(run, ann)
    people.rename(ann, "Ann <b>")
    app = opened("runs", by=head, run=runs[0])
    assert any("Ann <b>" in text.value for text in app.text)
    app.button(key=f"delete-{runs[0]}").click().run()
    assert [run.id for run in store.list_runs()] == [runs[1]]
    app = opened("teacher", by=head)
    app.number_input(key="keep").set_value(0).run()
    assert app.dataframe[0].value.iloc[:, 2].tolist() == ["Ann <b>"]
    app.button(key="clear-out").click().run()
    assert store.list_runs() == []


def test_a_name_is_kept(ann):
    app = opened("teacher", by=ann)
    app.text_input(key="your-name").set_value("  李 雷 ")
    app.button(key="save-name").click().run()
    assert not app.error
    assert people.name_of(ann.id) == "李 雷"
    assert opened("teacher", by=ann).text_input(key="your-name").value == "李 雷"


def test_a_waiting_run_says_when_it_may_begin(ann, monkeypatch):
    monkeypatch.setenv("ATLAS_TRAINERS", "1")
    first, second = (store.submit(PictureRecipe.preset("quick-look", epochs=1), ann.id) for _ in range(2))
    told = [waiting(store.get(run)) for run in (first, second)]
    assert told == ["In the queue, place 1. By earlier runs it begins within a minute.", "In the queue, place 2."]
