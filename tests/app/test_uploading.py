"""A zip of one's own pictures on the page: what is too much gets a sentence before anything is read or kept."""

import pytest
from streamlit.testing.v1 import AppTest

from app.components import previews
from core import settings
from core.people import Person
from core.runs import shares
from core.settings import Settings
from core.vision.uploads import import_zip
from tests.corpus import making as m

pytestmark = pytest.mark.filterwarnings("default")
ANN, BO = "a" * 32, "b" * 32


def page():
    from app.components.page import user_errors
    from app.components.previews import upload_zip

    with user_errors():
        upload_zip()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home where zips are read in this process."""
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    monkeypatch.setattr("app.components.previews.client.call", called)
    monkeypatch.setattr("app.components.recipe_form.use_dataset", lambda dataset: None)
    return tmp_path


def called(function, *, pool, timeout, data, most):
    assert (function, pool) == ("core.vision.uploads:import_zip", "import")
    return import_zip(data, most)


def uploaded(owner: str = ANN, count: int = 3) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["owner"] = owner
    app.run()
    app.file_uploader(key="zip-upload").upload("mine.zip", m.zipped(m.two_classes(count=count)), "application/zip")
    return app.run()


def in_force(**caps: int) -> None:
    settings.save(Settings(**caps), Person("c" * 32, teacher=True))


def test_a_zip_is_counted_as_its_owners():
    assert not uploaded().error
    assert shares.pictures_left(ANN) == Settings().pictures - 6
    assert shares.pictures_left(BO) == Settings().pictures


def test_more_pictures_than_one_may_add_are_refused():
    in_force(pictures=8)
    assert not uploaded(count=3).error
    (error,) = uploaded(count=4).error
    assert error.value == "The zip file has 8 pictures; you may add 2 more here. Use fewer, or ask the teacher."
    assert not uploaded(BO, count=4).error


def test_whoever_has_filled_their_megabytes_adds_nothing(home):
    in_force(megabytes=10)
    assert not uploaded().error
    kept = next((home / "uploads").glob("[0-9a-f]*"))
    (kept / "large.png").write_bytes(bytes(11 * 2**20))
    (error,) = uploaded(count=4).error
    assert error.value.startswith("Your runs and pictures fill the 10 MB you may take.")
    assert not uploaded(BO, count=4).error


def test_one_zip_of_a_person_is_read_at_a_time():
    with previews._one_at_a_time(ANN):
        (error,) = uploaded().error
        assert error.value.startswith("Your zip file before this one is still being read.")
        assert not uploaded(BO).error
    assert not uploaded().error


def test_a_zip_that_was_refused_does_not_bar_the_next():
    in_force(pictures=8)
    assert uploaded(count=5).error
    assert not uploaded(count=4).error
