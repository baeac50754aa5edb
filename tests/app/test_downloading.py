"""The bar of a download: how far it is, gone when all is there, a sentence when it cannot be had."""

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import UserError

pytestmark = pytest.mark.filterwarnings("default")


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
        assert function == "core.vision.downloads:go_on"
        assert arguments["what"] == "cifar10"
        answer = said.pop(0)
        if isinstance(answer, UserError):
            raise answer
        return answer

    monkeypatch.setattr("app.components.downloading.client.call", call)
    return said


def test_the_bar_shows_bytes_of_bytes(answers, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "streamlit.delta_generator.DeltaGenerator.progress",
        lambda self, value, text=None: shown.append((value, text)),
    )
    piece = {"file": "cifar-10-python.tar.gz", "total": 170_000_000, "ready": False}
    answers += [piece | {"done": 17_000_000}, piece | {"done": 170_000_000}, {"ready": True}]
    app = AppTest.from_function(page).run()
    assert app.text[0].value == "here"
    assert shown == [
        (0.1, "Downloading cifar-10-python.tar.gz: 17.0 of 170.0 MB"),
        (1.0, "Downloading cifar-10-python.tar.gz: 170.0 of 170.0 MB"),
    ]
    assert answers == []
    assert app.run().text[0].value == "here"  # and is not asked again


def test_offline_there_is_a_sentence_and_a_second_try(answers):
    answers += [UserError("{file} cannot be had.", file="x"), {"ready": True}]
    app = AppTest.from_function(page).run()
    assert app.error[0].value == "x cannot be had."
    assert not app.text
    assert app.run().text[0].value == "here"
