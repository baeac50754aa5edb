"""Prompting, shown: one question asked of the model, and many asked with more and more examples."""

from typing import Any

import streamlit as st

from app.components.address import choice, number, switch, text_field
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.life import Told, go_on, lives
from app.components.life_page import show_nodes, told
from app.components.life_tables import shares, took, unchanged
from app.figures import language as figures
from app.language import _
from core.language.recipe import LanguageRecipe
from core.runs import client
from core.runs.store import Run

Event = dict[str, Any]
TWIN = ("pre-training", "language-model", "zero-shot", "few-shot")


def editor(run: Run) -> None:
    """A prompt, drawn or typed, and what the model answers."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        counts = {count: count for count in ("0", "1", "2", "4", "8")}
        shots = int(choice(st.segmented_control, _("Examples of each class"), "shots", counts, default="1",
                           required=True))  # fmt: skip
        draw = int(number(_("Draw"), "draw", 0, 0, 99, step=1, width=200))
        unseen = switch(_("Pairs never seen in training"), "unseen")
    question, right = drawn(shots, draw, unseen)
    given = text_field(st.text_input, _("Prompt: words with spaces between"), "prompt", question, 500)
    if given != question:
        st.button(_("Back to the drawn prompt"), on_click=_drawn, icon=":material/undo:")
    answer: dict[str, Any] = asked(run.id, given)[0]
    labels = {"probability": _("probability of the next word")}
    show_chart(figures.next_words(answer["best"], labels), key="answer", alt=_("What comes next"))
    if given == question:
        guess = answer["best"][0][0]
        words = _("It says {guess}; right is {right}.").format(guess=guess, right=right)
        if guess == right:
            st.success(words, icon=":material/check:")
        else:
            st.info(words, icon=":material/close:")
    unchanged({"weights_before": answer["before"], "weights_after": answer["after"]})


@st.cache_data(max_entries=300, show_spinner=False)
def drawn(per_class: int, seed: int, unseen: bool) -> tuple[str, str]:
    question, right = client.call("core.language.ask:draw_prompt", per_class=per_class, seed=seed, unseen=unseen)
    return question, right


@st.cache_data(max_entries=300, show_spinner=False)
def asked(run: str, prompt: str, versions: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """`core.language.ask.ask`, kept by its inputs; a version never changes."""
    answers: list[dict[str, Any]] = client.call(
        "core.language.ask:ask", run=run, prompt=prompt, versions=list(versions) or None
    )
    return answers


def _drawn() -> None:
    st.query_params.pop("prompt", None)


def show_shots(run: Run, told: Told) -> None:
    """Accuracy against the number of examples; beside it, if chosen, that of another life."""
    if "few-shot" in told.done:
        _question(told.done["few-shot"])
    show_nodes(told, run, ["zero-shot", "few-shot"], lambda node, told: NODES[node](told.done[node]))


def zero_shot(event: Event) -> None:
    st.markdown("**" + _("Zero-shot: name the category, with no example") + "**")
    took(event)
    shares({_("Accuracy"): event["accuracy"]})
    _interval(event)
    unchanged(event)


def few_shot(event: Event, other: tuple[str, Event] | None = None) -> None:
    st.markdown("**" + _("Few-shot: an arbitrary symbol for each class, told by examples only") + "**")
    took(event)
    lines = _lines(event, "")
    if other:
        lines |= _lines(other[1], f"{other[0]}: ")
    words = {"examples": _("Examples of each class"), "accuracy": _("Accuracy")}
    show_chart(figures.shots(lines, words), key="shots", alt=_("Accuracy by number of examples"))
    _interval(event)
    by, unseen = event["by_examples_per_class"], event["unseen_by_examples_per_class"]
    st.markdown(
        _("Without an example it is right in {none:.0%}, with one of each class in {one:.0%}. On pairs of category "
          "and symbol that training never showed, one example gives {unseen:.0%}: what it has learnt is not quite "
          "the rule.").format(none=by["0"], one=by["1"], unseen=unseen["1"])
    )  # fmt: skip
    unchanged(event)


NODES = {"zero-shot": zero_shot, "few-shot": few_shot}


def with_another(run: Run, told_here: Told) -> None:
    """The same chart with another life in it: the twin without smeared keys, say."""
    assert isinstance(run.recipe, LanguageRecipe)
    others = {other.id: other for other in lives() if other.id != run.id and other.state == "finished"}
    words = {"": _("no other")} | {id: f"{other.name} · {_keys(other)} · {id[:4]}" for id, other in others.items()}
    chosen = choice(st.selectbox, _("Compare with"), "with", words)
    twin = not run.recipe.smeared_keys
    label = _("Bring up the twin with smeared keys") if twin else _("Bring up the twin without smeared keys")
    if st.button(label, icon=":material/content_copy:", disabled=run.active):
        go_on(run, TWIN, smeared_keys=twin)
        st.query_params["with"] = run.id
        st.rerun()
    if "few-shot" not in told_here.done:
        st.info(_("This step has not run yet."))
        return
    theirs = told(others[chosen]).done.get("few-shot") if chosen in others else None
    few_shot(told_here.done["few-shot"], (_keys(others[chosen]), theirs) if theirs else None)


def _keys(run: Run) -> str:
    assert isinstance(run.recipe, LanguageRecipe)
    return _("smeared keys") if run.recipe.smeared_keys else _("no smeared keys")


def _lines(event: Event, before: str) -> dict[str, Any]:
    return {
        before + _("pairs seen in training"): (event["by_examples_per_class"], event["intervals"]),
        before + _("pairs never seen"): (event["unseen_by_examples_per_class"], event["unseen_intervals"]),
    }


def _interval(event: Event) -> None:
    low, high = event["confidence_95"]
    st.caption(_("95 % confidence interval: {low:.1%} to {high:.1%}.").format(low=low, high=high))


def _question(event: Event) -> None:
    gained = event["by_examples_per_class"]["1"] - event["by_examples_per_class"]["0"]
    predict_first(
        "one-example",
        _("How much does a single example of each class help, with not one weight changed?"),
        {"none": _("hardly: it cannot learn without training"), "some": _("by 10 to 50 points"),
         "much": _("by more than 50 points")},
        "none" if gained < 0.1 else "some" if gained <= 0.5 else "much",
        _("Accuracy moves by {gained:+.0%}: from {before:.0%} to {after:.0%}.").format(
            gained=gained, before=event["by_examples_per_class"]["0"], after=event["by_examples_per_class"]["1"]),
    )  # fmt: skip
