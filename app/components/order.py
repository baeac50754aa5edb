"""The order in which a page reaches the browser: a chart before all that stands around it.

A slider moves, and a page is computed and sent anew, element by element. The browser collects what comes within 10 ms
and draws all of it; the chart that the slider was moved for would come and be drawn among the last. So it is computed
and sent first, over a line of its own, and the rest once the browser has drawn it; without that line a moment later.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

from app.serving.line import Line

PAUSE_S = 0.015  # between the chart and the rest without a line: what comes sooner would be drawn together with it
DRAWN_S = 0.25  # longer than this nobody waits for a browser that draws
MOST_S = 0.5  # nothing is held longer: where computing takes its time, the controls stay alive
Given = ParamSpec("Given")


class _Held:
    """What a run of a fragment says to the browser until its first chart is there: what goes with it, and the rest."""

    def __init__(self, context: ScriptRunContext) -> None:
        self.aside = False
        self._context, self._send = context, context._enqueue
        self._with_chart: list[ForwardMsg] = []
        self._after: list[ForwardMsg] = []
        self._over = False
        self._line: Line | None = None  # over which the chart has gone ahead
        self._lock = threading.Lock()  # the clock lets go from a thread of its own
        self._clock = threading.Timer(MOST_S, self.let_go)

    def begin(self) -> None:
        self._clock.daemon = True
        self._clock.start()
        self._context._enqueue = self._take

    def _take(self, message: ForwardMsg) -> None:
        with self._lock:
            held = not self._over
            if held:
                (self._after if self.aside else self._with_chart).append(message)
        if not held:
            self._send(message)
        elif self._line is not None and self._line.drawn.is_set():
            self.let_go()

    def is_next_first(self) -> bool:
        return not (self.aside or self._over or self._line)

    def chart_is_there(self, line: Line | None) -> None:
        if not self.is_next_first():
            return
        self._line = line
        if line is not None:
            return
        with self._lock:
            self._empty(self._with_chart)
        time.sleep(PAUSE_S)
        self.let_go()

    def let_go(self) -> None:
        with self._lock:
            self._over = True
            self._empty(self._with_chart)
            self._empty(self._after)

    def end(self) -> None:
        if self._line is not None and not self._over:
            self._line.drawn.wait(DRAWN_S)
        self._clock.cancel()
        self._context._enqueue = self._send
        self.let_go()

    def _empty(self, messages: list[ForwardMsg]) -> None:
        while messages:
            self._send(messages.pop(0))


_held: ContextVar[_Held | None] = ContextVar("held", default=None)
_postponed: ContextVar[list[tuple[DeltaGenerator, Callable[[], None]]] | None] = ContextVar("postponed", default=None)


@contextmanager
def chart_first() -> Iterator[None]:
    """Around a fragment: its first chart is sent first, with what it stands in; then what is `aside`, and `later`.

    A page that is drawn for the first time keeps its order, and so does a fragment within another that is drawn.
    """
    if _postponed.get() is not None:
        yield
        return
    postponed = _postponed.set([])
    context = get_script_run_ctx(suppress_warning=True)
    held = _Held(context) if context is not None and context.fragment_ids_this_run else None
    before = _held.set(held)
    if held is not None:
        held.begin()
    try:
        yield
        for place, draw in _postponed.get() or ():
            with place:
                draw()
    finally:
        _postponed.reset(postponed)
        _held.reset(before)
        if held is not None:
            held.end()


@contextmanager
def aside(place: DeltaGenerator | None = None) -> Iterator[None]:
    """For controls, inside a place of the page, by default one here: the chart needs what they say, and goes first."""
    held = _held.get()
    with place or st.container():
        if held is None:
            yield
            return
        before, held.aside = held.aside, True
        try:
            yield
        finally:
            held.aside = before


def later(draw: Callable[Given, None], *args: Given.args, **kwargs: Given.kwargs) -> None:
    """A place on the page, here and now, for what `draw` shows once the chart is there."""
    place, postponed = st.container(), _postponed.get()
    if postponed is None:
        with place:
            draw(*args, **kwargs)
    else:
        postponed.append((place, lambda: draw(*args, **kwargs)))


def is_next_first() -> bool:
    """Whether the chart that is shown next is what this run is for."""
    held = _held.get()
    return held is not None and held.is_next_first()


def chart_is_there(line: Line | None) -> None:
    """Said when a chart was shown; it may have gone ahead over a line."""
    held = _held.get()
    if held is not None:
        held.chart_is_there(line)
