"""The life of a language model as a run: how it is begun, changed and gone on with, and what it has come to."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app.components.address import choice, log_number, number, several, switch
from app.components.graph import State
from app.components.who import me
from app.language import _, mark
from core.errors import UserError
from core.language.recipe import FIELDS, MATRICES, NEEDS, NEW_TASKS, LanguageRecipe
from core.language.text_recipe import TextRecipe
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
LABELS = {
    "seed": mark("Seed"),
    "documents": mark("Documents"),
    "learning_rate": mark("Learning rate"),
    "smeared_keys": mark("Smeared keys"),
    "new_task": mark("New task"),
    "tuning_steps": mark("Steps of fine-tuning"),
    "tuning_rate": mark("Learning rate of full fine-tuning"),
    "lora_rank": mark("Rank of LoRA"),
    "lora_matrices": mark("Matrices with LoRA"),
    "lora_rate": mark("Learning rate of LoRA"),
    "compare_ranks": mark("Compare ranks"),
    "replay_share": mark("Share of old documents"),
    "tasks": mark("Tasks in a row"),
    "sequence_steps": mark("Steps for each task"),
    "replay_buffer": mark("Replay buffer (documents)"),
    "ewc_strength": mark("Strength of EWC"),
    "tolerance_name": mark("Tolerance: name the category"),
    "tolerance_pick": mark("Tolerance: pick up from examples"),
    "tolerance_learnt": mark("Tolerance: tasks learnt later"),
}
# What a control offers, from, to and step; a step of 0 means equal factors. A recipe file may go further.
RANGES: dict[str, tuple[float, float, float]] = {
    "seed": (0, 99, 1),
    "documents": (640, 38_400, 640),
    "learning_rate": (1e-4, 0.1, 0),
    "tuning_steps": (10, 400, 10),
    "tuning_rate": (1e-5, 0.1, 0),
    "lora_rank": (1, 64, 1),
    "lora_rate": (1e-4, 0.3, 0),
    "replay_share": (0, 0.9, 0.05),
    "tasks": (1, len(NEW_TASKS), 1),
    "sequence_steps": (5, 200, 5),
    "replay_buffer": (16, 8_192, 16),
    "ewc_strength": (1, 1e6, 0),
    "tolerance_name": (0, 1, 0.01),
    "tolerance_pick": (0, 1, 0.01),
    "tolerance_learnt": (0, 1, 0.01),
}
WORDS = {
    "waiting": mark("waiting"), "running": mark("running"), "done": mark("done"), "failed": mark("failed"),
    "stopped": mark("stopped"), "stale": mark("out of date"),
}  # fmt: skip
Event = dict[str, Any]


def task_name(task: str) -> str:
    """ "[new-b]" is task B to a person."""
    return _("task {letter}").format(letter=task[5:-1].upper())


def skill_name(skill: str) -> str:
    names = {"name": _("name the category"), "pick": _("pick up from examples")}
    return names.get(skill) or task_name(skill)


def controls(names: Iterable[str], base: LanguageRecipe) -> dict[str, Any]:
    """Controls for these fields of a recipe, each in the link where it differs from `base`; their values."""
    return {name: _control(name, getattr(base, name)) for name in names}


def _control(name: str, value: Any) -> Any:
    label, allowed = _(LABELS[name]), LanguageRecipe.settings()[name][1]
    if isinstance(value, bool):
        return switch(label, name, value, help=_(allowed.help))
    if name == "lora_matrices":
        matrices = {matrix: matrix for matrix in MATRICES}
        return ",".join(several(st.pills, label, name, matrices, default=value.split(","), selection_mode="multi"))
    if allowed.choices:
        options = {task: task_name(task) for task in allowed.choices}
        return choice(st.segmented_control, label, name, options, default=value, required=True)
    low, high, step = RANGES[name]
    kind = type(value)
    value = min(max(value, kind(low)), kind(high))
    if step:
        return kind(number(label, name, value, low, high, step=step, help=_(allowed.help)))
    return kind(log_number(label, name, value, low, high, help=_(allowed.help)))


def settings() -> LanguageRecipe:
    """Everything that can be turned before a life begins. Raises `UserError`."""
    base = LanguageRecipe.preset(PRESET)
    with st.expander(_("Settings"), icon=":material/tune:"):
        names = list(dict.fromkeys(name for fields in FIELDS.values() for name in fields))
        left, middle, right = st.columns(3)
        values: dict[str, Any] = {}
        for place, name in enumerate(names):
            with (left, middle, right)[place * 3 // len(names)]:
                values |= controls([name], base)
    return dataclasses.replace(base, **values)


def begin(recipe: LanguageRecipe) -> None:
    """The button that queues a whole life; its run is in the link."""
    if st.button(_("Run the whole loop"), type="primary", icon=":material/play_arrow:", key="run-loop"):
        st.query_params["run"] = store.submit(recipe, owner=me().id)


def go_on(run: Run, nodes: Iterable[str] = (), **changes: Any) -> None:
    """Queue a run that takes over the life of another and runs these nodes of it; it is in the link from now on."""
    assert isinstance(run.recipe, LanguageRecipe)
    fresh = {"nodes": ",".join(nodes), "since": run.id, "next_round": False, "use": "", **changes}
    st.query_params["run"] = store.submit(dataclasses.replace(run.recipe, **fresh), owner=me().id)
    for name in LABELS:  # the recipe of the new run says it now
        st.query_params.pop(name, None)


def lives() -> list[Run]:
    """The runs that bring up a language model, one's own before those of others, the newest first."""
    person = me()
    found = [run for run in store.list_runs(person) if isinstance(run.recipe, LanguageRecipe)]
    return sorted(found, key=lambda run: run.owner != person.id)


def shown_run() -> Run | None:
    """The run that the link names. Raises `UserError` for one that is not there or trains no language model."""
    if "run" not in st.query_params:
        return None
    run = store.get(st.query_params["run"], me())
    if isinstance(run.recipe, TextRecipe):
        raise UserError("This run trains on a text. Open it on the page Pre-training.")
    if not isinstance(run.recipe, LanguageRecipe):
        raise UserError("This run trains on pictures. Open it on the page Train.")
    return run


@dataclass(frozen=True)
class Told:
    """What the events of a life say: its nodes' results, how far the running one is, its round and versions."""

    done: Mapping[str, Event]
    begun: frozenset[str] = frozenset()
    progress: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[Event, ...] = ()
    samples: tuple[Event, ...] = ()
    life: Event = field(default_factory=dict)

    @classmethod
    def of(cls, events: list[Event]) -> "Told":
        def named(kind: str) -> list[Event]:
            return [event for event in events if event["event"] == kind]

        life = named("life")
        return cls(
            done={event["node"]: event for event in named("node")},
            begun=frozenset(event["node"] for event in named("begun")),
            progress={event["node"]: event["share"] for event in named("progress")},
            steps=tuple(named("step")), samples=tuple(named("sample")), life=life[-1] if life else {},
        )  # fmt: skip

    def running(self, node: str) -> bool:
        """Whether a node was begun in this run and has not ended in it."""
        return node in self.begun and self.done.get(node, {"kept": True}).get("kept", False)

    def states(self, run: Run) -> dict[str, State]:
        """How far each step of the article's graph is, with its figure."""
        return {slug: self._state(run, nodes) for slug, nodes in MEASURED.items()}

    def _state(self, run: Run, nodes: tuple[str, ...]) -> State:
        for node in nodes:
            if self.running(node):
                name = "running" if run.active else "stopped" if run.state == "stopped" else "failed"
                share = f"{self.progress[node]:.0%}" if run.active and node in self.progress else ""
                return State(name, _(WORDS[name]), share)
        if not all(node in self.done for node in nodes):
            return State("waiting", _(WORDS["waiting"]))
        name = "stale" if any(self.done[node].get("stale") for node in nodes) else "done"
        return State(name, _(WORDS[name]), _figure(self.done[nodes[-1]]))


def _figure(event: Event) -> str:
    """The one number that a node is known by."""
    if "share_trained" in event:  # of a fine-tuning: what is left of the old skill that suffered most
        return _("new {new:.0%}, old {old:.0%}").format(
            new=event["accuracy"], old=min(event["old_skills"].values()))  # fmt: skip
    if "accuracy" in event:
        return f"{event['accuracy']:.0%}"
    if "documents" in event:
        return f"{event['tokens']:,}"
    return f"{event['parameters']:,}"


def comes_before(nodes: Iterable[str], told: Told) -> list[str]:
    """Which nodes have to run before these can."""
    return [node for node in NEEDS if node not in told.done and any(node in NEEDS[other] for other in nodes)]
