"""A download: nothing is asked for before the button, then a bar, gone when all is there; a sentence otherwise."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from app.components import downloading
from app.components.page import HintError
from core import registry
from core.errors import UserError
from core.runs import store
from core.vision import downloads
from core.vision.recipe import DATASETS, PictureRecipe
from tests.app.opening import opened

pytestmark = pytest.mark.filterwarnings("default")
ADDRESSES = ["https://example.org/cifar-10-python.tar.gz"]


def page():
    import streamlit as st

    from app.components.downloading import bring
    from app.components.page import user_errors

    with user_errors():
        bring("cifar10")
        st.text("here")


@pytest.fixture
def answers(monkeypatch):
    """What the worker will say, in turn."""
    said = []

    def call(function, **arguments):
        assert arguments["what"] == "cifar10"
        wanted, answer = said.pop(0)
        assert function == f"core.vision.downloads:{wanted}"
        if isinstance(answer, UserError):
            raise answer
        return answer

    monkeypatch.setattr("app.components.downloading.client.call", call)
    monkeypatch.setattr(downloading, "_here", {})
    return said


def pressed() -> AppTest:
    app = AppTest.from_function(page).run()
    app.button(key="download-cifar10").click()
    return app.run()


def test_nothing_is_fetched_before_the_button(answers):
    answers += [("lacking", ADDRESSES), ("lacking", ADDRESSES)]
    app = AppTest.from_function(page).run()
    assert app.info[0].value == "cifar10 is not on this machine yet. It is fetched from example.org when you say so."
    assert not app.error
    assert not app.text
    with pytest.raises(HintError, match="not on this machine yet"):
        downloading.check_here("cifar10")
    assert answers == []


def test_what_is_here_is_asked_for_once(answers):
    answers += [("lacking", [])]
    for _ in range(2):
        app = AppTest.from_function(page).run()
        assert app.text[0].value == "here"
        assert not app.button
    downloading.check_here("cifar10")
    assert answers == []


def test_the_bar_shows_bytes_of_bytes(answers, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "streamlit.delta_generator.DeltaGenerator.progress",
        lambda self, value, text=None: shown.append((value, text)),
    )
    piece = {"file": "cifar-10-python.tar.gz", "total": 170_000_000, "ready": False}
    answers += [("lacking", ADDRESSES), ("lacking", ADDRESSES)]
    answers += [("go_on", piece | {"done": 17_000_000}), ("go_on", piece | {"done": 170_000_000})]
    answers += [("go_on", {"ready": True})]
    app = pressed()
    assert app.text[0].value == "here"
    assert shown == [
        (0.1, "Downloading cifar-10-python.tar.gz: 17.0 of 170.0 MB"),
        (1.0, "Downloading cifar-10-python.tar.gz: 170.0 of 170.0 MB"),
    ]
    assert answers == []
    assert app.run().text[0].value == "here"  # and is not asked again


def test_an_interrupted_download_goes_on_unasked(answers):
    app = AppTest.from_function(page)
    app.session_state["wanted-cifar10"] = True  # pressed before the page was left
    answers += [("go_on", {"ready": True})]
    assert app.run().text[0].value == "here"


def test_offline_there_is_a_sentence_and_a_second_try(answers):
    answers += [("lacking", ADDRESSES), ("lacking", ADDRESSES), ("go_on", UserError("{file} cannot be had.", file="x"))]
    app = pressed()
    assert app.error[0].value == "x cannot be had."
    assert not app.text
    answers += [("lacking", ADDRESSES), ("go_on", {"ready": True})]
    app.button(key="download-cifar10").click()
    assert app.run().text[0].value == "here"


@pytest.mark.parametrize("what", ["digits", "shapes:colour=1", "folder:/pictures", "upload:0", "imagenet", "a" * 10])
def test_for_what_is_never_fetched_no_worker_is_asked(answers, what):
    """The last is the id of a run, as Classify has it."""
    downloading.bring(what)
    downloading.check_here(what)


def test_after_a_run_has_failed_it_is_looked_at_anew(answers):
    answers += [("lacking", [])]
    downloading.check_here("cifar10")
    looked = downloading._here["cifar10"]
    downloading.look_again("cifar10", looked - 1)  # it failed before
    downloading.check_here("cifar10")
    downloading.look_again("cifar10", looked + 1)
    answers += [("lacking", ADDRESSES)]
    with pytest.raises(HintError, match="not on this machine yet"):
        downloading.check_here("cifar10")
    assert answers == []


@pytest.mark.usefixtures("atlas_home")
def test_a_data_set_that_vanished_can_be_downloaded_where_the_failed_run_says(monkeypatch):
    monkeypatch.setattr(downloading, "_here", {"cifar10": time.time()})  # it was there a moment ago
    run = store.submit(PictureRecipe.preset("quick-look", dataset="cifar10"))
    while store.get(run).active:
        time.sleep(0.2)
    app = opened("train", run=run, dataset="cifar10")
    assert "cifar10 is not on this machine any more" in app.error[0].value
    assert app.button(key="download-cifar10")
    assert "本机已经没有 cifar10" in opened("train", "zh", run=run, dataset="cifar10").error[0].value


def test_what_may_lack_something_is_what_can_say_so():
    for name in registry.names(DATASETS):
        assert downloading._may_lack(name) is hasattr(registry.load(DATASETS, name), "missing"), name


def test_what_is_lacking_is_known_without_asking_anybody(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", lambda *_: pytest.fail("asked"))
    for name in (*registry.names(DATASETS), "imagenet", "imagenet-resnet18", "imagenet-resnet50"):
        assert all(address.startswith("http") for address in downloads.lacking(name)), name
    assert downloads.lacking("digits") == downloads.lacking("imagenet") == []
    assert len(downloads.lacking("cifar10")) == 1
