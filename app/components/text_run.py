"""A text run, or the pre-training of a life, as it happens: loss against guessing, and what the model writes."""

import math
from typing import Any

import streamlit as st

from app.components.address import choice
from app.components.chart import show_chart
from app.components.life import Told
from app.components.metrics import metrics
from app.components.page import user_errors
from app.components.run_buttons import run_buttons
from app.components.run_watcher import POLL_S, headline, once_it_moves, rerun_at_the_end
from app.components.text_source import told
from app.components.who import me
from app.figures import text as figures
from app.language import _, mark
from app.navigation import page
from core.errors import UserError
from core.language.recipe import LanguageRecipe
from core.language.text_recipe import TextRecipe
from core.runs import store
from core.runs.store import Run

UNITS = {"nats": mark("nats per token"), "bits": mark("bits per character")}
SIDE_BY_SIDE = 3
Event = dict[str, Any]


def watch(run_id: str) -> None:
    """Show a run; keeps itself up to date while the run is active. Raises `UserError` for one of pictures."""
    run = once_it_moves(run_id)
    if not isinstance(run.recipe, TextRecipe | LanguageRecipe):
        raise UserError("This run trains on pictures. Open it on the page Train.")
    st.fragment(_live, run_every=POLL_S if run.active else None)(run_id)


def looks(events: list[Event]) -> list[Event]:
    """The steps at which the part held back was looked at."""
    return [event for event in events if "validation_loss" in event and event["event"] == "step"]


def started(events: list[Event]) -> Event | None:
    """The birth certificate of a run, if it has got so far."""
    return next((event for event in events if event["event"] == "started"), None)


def _live(run_id: str) -> None:
    with user_errors():  # the page's own has long ended when the fragment runs again
        run = store.get(run_id, me())
        rerun_at_the_end(run)
        events, _size = run.folder.read_events()
        if isinstance(run.recipe, LanguageRecipe):
            _life(run, events)
        else:
            _text(run, events)


def _life(run: Run, events: list[Event]) -> None:
    """The pre-training of a life: its tokens are words, so there are no characters to count by."""
    st.text(run.name)
    life = Told.of(events)
    text, ended = life.done.get("large-scale-text"), life.done.get("pre-training")
    # A life that goes on from another has only what was kept of it; one that is being brought up has the steps.
    steps = [{"step": step, "loss": loss} for step, loss in ended["curve"]] if ended else list(life.steps)
    if not steps or text is None:
        st.info(_("Its pre-training has not begun yet."))
    else:
        guesses = {_("guessing evenly"): text["uniform_loss"], _("guessing by frequency"): text["unigram_loss"]}
        _chart(run, steps, guesses, 1.0, _(UNITS["nats"]))
        samples = ended["samples"] if ended else life.samples
        _samples(run, [{"step": event["step"], "sample": event["text"]} for event in samples])
    link = {"run": run.id}
    st.page_link(page("pipeline"), label=_("The whole life"), query_params=link, icon=":material/account_tree:")


def _text(run: Run, events: list[Event]) -> None:
    assert isinstance(run.recipe, TextRecipe)
    st.text(f"{told(run.recipe.source)} · {run.name}")
    headline(run, events, _finished(run))
    run_buttons(run)
    facts, steps = started(events), [event for event in events if event["event"] == "step"]
    if facts is None or not steps:
        return
    _figures(run.recipe, facts, steps)
    unit = choice(st.segmented_control, _("Unit of the loss"), "unit", {u: _(words) for u, words in UNITS.items()},
                  required=True)  # fmt: skip
    bits = 1 / (facts["characters_per_token"] * math.log(2))
    guesses = {_("guessing evenly"): facts["uniform_loss"], _("guessing by frequency"): facts["unigram_loss"]}
    _chart(run, steps, guesses, bits if unit == "bits" else 1.0, _(UNITS[unit]))
    _samples(run, looks(events))
    if run.state == "finished":
        st.page_link(page("language-model"), label=_("Look inside this model"), query_params={"run": run.id},
                     icon=":material/visibility:")  # fmt: skip


def _finished(run: Run) -> str:
    end = run.finished_event
    if not end:
        return ""
    bits = end["test_loss"] / end["characters_per_token"] / math.log(2)
    return _(
        "Finished: {nats:.2f} nats per token, {bits:.2f} bits per character on the part held back, after "
        "{seconds:.1f} seconds of training."
    ).format(nats=end["test_loss"], bits=bits, seconds=end["seconds"])


def _figures(recipe: TextRecipe, facts: Event, steps: list[Event]) -> None:
    last = steps[-1]
    shown = (
        (_("Step"), f"{last['step']:,} / {facts['steps']:,}"),
        (_("Tokens per second"), f"{last['examples_per_second'] * recipe.context:,.0f}"),
        (_("Gradient norm"), f"{last['gradient_norm']:.3g}"),
        (_("Time left"), f"{last['seconds_left']:.0f} s"),
        (_("Parameters"), f"{facts['parameters']:,}"),
        (_("Vocabulary"), f"{facts['size']['vocabulary']:,}"),
    )
    metrics(shown)
    st.caption(
        _("Computed on {device} · seed {seed} · torch {torch}").format(
            device=facts["device_name"], seed=facts["seed"], torch=facts["versions"]["torch"])
    )  # fmt: skip


def _chart(run: Run, steps: list[Event], guesses: dict[str, float], factor: float, unit: str) -> None:
    words = {"training": _("Training"), "validation": _("Validation"), "step": _("Step"), "loss": unit}
    show_chart(
        figures.loss(steps, guesses, factor, words), key=f"loss-{run.id}", alt=_("Loss of pre-training by step")
    )


def _samples(run: Run, seen: list[Event]) -> None:
    """What the model wrote early, in between and last, side by side; all of it in a table."""
    if not seen:
        return
    st.subheader(_("What it writes"), anchor=False)
    places = sorted({0, (len(seen) - 1) * 2 // 3, len(seen) - 1})[:SIDE_BY_SIDE]
    for column, place in zip(st.columns(len(places)), places, strict=True):
        with column, st.container(border=True):
            event = seen[place]
            st.caption(_after(event))
            st.text(event["sample"])
    with st.expander(_("All samples")):
        st.dataframe(
            {_("When"): [_after(event) for event in seen], _("What it writes"): [event["sample"] for event in seen]},
            hide_index=True, key=f"samples-{run.id}",
        )  # fmt: skip


def _after(event: Event) -> str:
    if "validation_loss" in event:
        return _("after step {step:,} · {loss:.2f} nats").format(step=event["step"], loss=event["validation_loss"])
    return _("after step {step:,}").format(step=event["step"])
