"""What a fragment says to the browser, and in which order (`app.components.order`)."""

import contextlib
import time
from types import SimpleNamespace

import pytest

from app.components import order


@pytest.fixture
def sent(monkeypatch):
    """The words that have reached the browser; `say` in place of an element says one."""
    words = []
    context = SimpleNamespace(_enqueue=words.append, fragment_ids_this_run=["lab"])
    monkeypatch.setattr(order, "get_script_run_ctx", lambda **_settings: context)
    monkeypatch.setattr(order.st, "container", contextlib.nullcontext)
    monkeypatch.setattr(order, "PAUSE_S", 0.0)

    def say(word):
        context._enqueue(word)  # which is another one while something is held back

    return SimpleNamespace(words=words, context=context, say=say)


def page(sent):
    with order.chart_first():
        sent.say("column")
        with order.aside(contextlib.nullcontext()):
            sent.say("slider")
        order.later(sent.say, "table")
        sent.say("chart")
        order.chart_is_there()
        sent.say("sentence")


def test_the_chart_comes_first_with_what_it_stands_in(sent):
    page(sent)
    assert sent.words == ["column", "chart", "slider", "sentence", "table"]


def test_a_page_that_is_drawn_for_the_first_time_keeps_the_order_of_its_controls(sent):
    sent.context.fragment_ids_this_run = []
    page(sent)
    assert sent.words == ["column", "slider", "chart", "sentence", "table"]


def test_without_a_chart_all_is_sent_at_the_end(sent):
    with order.chart_first():
        with order.aside(contextlib.nullcontext()):
            sent.say("slider")
        sent.say("sentence")
        assert sent.words == []
    assert sent.words == ["sentence", "slider"]


def test_a_chart_among_the_controls_is_a_control(sent):
    with order.chart_first():
        with order.aside(contextlib.nullcontext()):
            sent.say("points")
            order.chart_is_there()
        assert sent.words == []
        sent.say("chart")
        order.chart_is_there()
    assert sent.words == ["chart", "points"]


def test_nothing_waits_long_for_a_chart_that_takes_its_time(sent, monkeypatch):
    monkeypatch.setattr(order, "MOST_S", 0.01)
    with order.chart_first():
        with order.aside(contextlib.nullcontext()):
            sent.say("slider")
        deadline = time.monotonic() + 10
        while not sent.words and time.monotonic() < deadline:
            time.sleep(0.01)
        assert sent.words == ["slider"]
        sent.say("chart")
        assert sent.words == ["slider", "chart"]


def test_what_was_said_before_an_error_is_shown_and_the_next_run_is_as_ever(sent):
    @order.chart_first()
    def broken():
        with order.aside(contextlib.nullcontext()):
            sent.say("slider")
        order.later(sent.say, "table")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert sent.words == ["slider"]
    sent.words.clear()
    page(sent)
    assert sent.words == ["column", "chart", "slider", "sentence", "table"]


def test_a_fragment_in_another_leaves_the_order_to_it(sent):
    with order.chart_first():
        with order.aside(contextlib.nullcontext()):
            sent.say("slider")
        with order.chart_first():
            sent.say("inner")
        assert sent.words == []
    assert sent.words == ["inner", "slider"]


def test_outside_of_it_everything_is_shown_at_once(sent):
    with order.aside(contextlib.nullcontext()):
        sent.say("slider")
    order.later(sent.say, "table")
    order.chart_is_there()
    assert sent.words == ["slider", "table"]
