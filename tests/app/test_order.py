"""What a fragment says to the browser, and in which order (`app.components.order`)."""

import contextlib
import threading
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
        order.chart_is_there(None)
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


@pytest.fixture
def line():
    """A line to a browser that says that it has drawn when the test does."""
    return SimpleNamespace(drawn=threading.Event())


def test_what_follows_a_chart_that_went_ahead_waits_until_that_is_drawn(sent, line):
    with order.chart_first():
        sent.say("column")
        with order.aside(contextlib.nullcontext()):
            sent.say("slider")
        assert order.is_next_first()
        sent.say("chart")
        order.chart_is_there(line)
        assert not order.is_next_first()
        sent.say("sentence")
        assert sent.words == []
        line.drawn.set()
        sent.say("second chart")
        assert sent.words == ["column", "chart", "sentence", "second chart", "slider"]


def test_a_browser_that_does_not_say_that_it_has_drawn_is_not_waited_for_long(sent, line, monkeypatch):
    monkeypatch.setattr(order, "DRAWN_S", 0.01)
    with order.chart_first():
        sent.say("chart")
        order.chart_is_there(line)
        sent.say("sentence")
    assert sent.words == ["chart", "sentence"]


def test_only_the_chart_that_a_run_is_for_goes_ahead(sent, line):
    assert not order.is_next_first()
    with order.chart_first():
        with order.aside(contextlib.nullcontext()):
            assert not order.is_next_first()
        assert order.is_next_first()
        line.drawn.set()
        order.chart_is_there(line)
        assert not order.is_next_first()
    sent.context.fragment_ids_this_run = []
    with order.chart_first():
        assert not order.is_next_first()


def test_a_chart_among_the_controls_is_a_control(sent):
    with order.chart_first():
        with order.aside(contextlib.nullcontext()):
            sent.say("points")
            order.chart_is_there(None)
        assert sent.words == []
        sent.say("chart")
        order.chart_is_there(None)
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
    order.chart_is_there(None)
    assert sent.words == ["slider", "table"]
