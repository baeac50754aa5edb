"""The life of a language model as a run: how it is begun, and how its nodes light up on the graph."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.components.graph import State
from app.components.who import me
from app.language import _, mark
from core.errors import UserError
from core.language.recipe import LanguageRecipe
from core.runs import store
from core.runs.store import Run

PRESET = "a-minute"
# Which nodes of the engine a step of the article's graph shows; it is done when all of them are.
MEASURED = {
    "large-scale-text": ("large-scale-text",),
    "pre-training": ("pre-training",),
    "large-language-model": ("language-model",),
    "fine-tuning": ("full-fine-tuning", "lora"),
    "prompting": ("zero-shot", "few-shot"),
    "full-fine-tuning": ("full-fine-tuning",),
    "parameter-efficient-fine-tuning": ("lora",),
    "zero-shot-learning": ("zero-shot",),
    "few-shot-learning": ("few-shot",),
    "downstream-adaptation": ("adaptation",),
    "continual-learning": ("continual-learning",),
    "model-update": ("update",),
}
FIELDS = {
    "seed": mark("Seed"),
    "documents": mark("Documents"),
    "learning_rate": mark("Learning rate"),
    "tuning_steps": mark("Steps of fine-tuning"),
    "lora_rank": mark("Rank of LoRA"),
    "smeared_keys": mark("Smeared keys"),
}
WORDS = {"waiting": mark("waiting"), "running": mark("running"), "done": mark("done"), "failed": mark("failed")}
Event = dict[str, Any]


def settings() -> LanguageRecipe:
    """What can be turned, each in the link. Raises `UserError`."""
    base = LanguageRecipe.preset(PRESET)
    values: dict[str, Any] = {}
    with st.expander(_("Settings"), icon=":material/tune:"), st.container(horizontal=True):
        for name, label in FIELDS.items():
            kind, allowed = LanguageRecipe.settings()[name]
            default = getattr(base, name)
            if kind is bool:
                values[name] = st.toggle(_(label), default, key=name, help=_(allowed.help), bind="query-params")
                continue
            number: Any = int if kind is int else float
            values[name] = st.number_input(
                _(label), number(allowed.minimum), number(allowed.maximum), default, key=name, help=_(allowed.help),
                format=None if kind is int else "%g", bind="query-params", width=180,
            )  # fmt: skip
    return LanguageRecipe.preset(PRESET, **values)


def begin(recipe: LanguageRecipe, owner: str) -> None:
    """The button that queues a whole life; its run is in the link."""
    if st.button(_("Run the whole loop"), type="primary", icon=":material/play_arrow:", key="run-loop"):
        st.query_params["run"] = store.submit(recipe, owner=owner)


def shown_run() -> Run | None:
    """The run that the link names. Raises `UserError` for one that is not there or trains no language model."""
    if "run" not in st.query_params:
        return None
    run = store.get(st.query_params["run"], me())
    if not isinstance(run.recipe, LanguageRecipe):
        raise UserError("This run trains on pictures. Open it on the page Train.")
    return run


def measured(events: list[Event]) -> dict[str, Event]:
    """What each node of the engine that has ended measured."""
    return {event["node"]: event for event in events if event["event"] == "node"}


def states(run: Run, events: list[Event]) -> dict[str, State]:
    """How far each step of the graph is, with its figure."""
    done = measured(events)
    begun = {event["node"] for event in events if event["event"] == "begun"}
    return {slug: _state(run, nodes, done, begun) for slug, nodes in MEASURED.items()}


def _state(run: Run, nodes: tuple[str, ...], done: Mapping[str, Event], begun: set[str]) -> State:
    if all(node in done for node in nodes):
        return State("done", _(WORDS["done"]), _figure(done[nodes[-1]]))
    name = "waiting"
    if any(node in begun for node in nodes):
        name = "running" if run.active else "failed"
    return State(name, _(WORDS[name]))


def _figure(event: Event) -> str:
    """The one number that a node is known by."""
    if "accuracy" in event:
        return f"{event['accuracy']:.0%}"
    if "documents" in event:
        return f"{event['tokens']:,}"
    return f"{event['parameters']:,}"
