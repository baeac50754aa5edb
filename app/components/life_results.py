"""What each node of a language model's life measured, as the pipeline shows it."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.components import adapting, prompting, sequence, tuning, versions
from app.components.chart import show_chart
from app.components.life import Told
from app.components.life_tables import counts, shares, skills, took
from app.figures import text as figures
from app.language import _

Event = dict[str, Any]


def show_node(node: str, told: Told) -> None:
    """The result of one node that has ended."""
    NODES[node](told)


def text(told: Told) -> None:
    event = told.done["large-scale-text"]
    took(event)
    counts({_("Documents"): event["documents"], _("Tokens"): event["tokens"], _("Vocabulary"): event["vocabulary"],
            _("Duplicates"): event["duplicates"]})  # fmt: skip
    st.markdown(_("One document:"))
    st.code(event["example"], language=None, wrap_lines=True)


def pre_training(told: Told) -> None:
    event = told.done["pre-training"]
    took(event)
    show_loss(event["curve"], told.done["large-scale-text"])
    shares({_("Right labels"): event["accuracy"], **skills(event["old_skills"])})
    show_samples(event["samples"])


def language_model(told: Told) -> None:
    event = told.done["language-model"]
    took(event)
    counts({_("Parameters"): event["parameters"]})
    st.markdown(_("Given the beginning, it goes on:"))
    st.code(f"{event['prompt']} → {event['goes_on']}", language=None, wrap_lines=True)


def show_loss(curve: Sequence[tuple[int, float]], text: Event) -> None:
    """The loss of pre-training between what guessing costs and nothing."""
    words = {"training": _("Training"), "validation": _("Validation"), "step": _("Step"), "loss": _("nats per token")}
    guesses = {_("guessing evenly"): text["uniform_loss"], _("guessing by frequency"): text["unigram_loss"]}
    figure = figures.loss([{"step": step, "loss": loss} for step, loss in curve], guesses, 1.0, words)
    show_chart(figure, key="pretraining-loss", alt=_("Loss of pre-training by step"))


def show_samples(samples: Sequence[Event]) -> None:
    """What the model made of the same prompt in the course of its training."""
    if samples:
        st.caption(_("How it goes on from the same words, by step:"))
        lines = [f"{sample['step']:>6}  {sample['text']}" for sample in samples]
        st.code("\n".join(lines), language=None, wrap_lines=True)


NODES: dict[str, Callable[[Told], None]] = {
    "large-scale-text": text,
    "pre-training": pre_training,
    "language-model": language_model,
    "zero-shot": lambda told: prompting.zero_shot(told.done["zero-shot"]),
    "few-shot": lambda told: prompting.few_shot(told.done["few-shot"]),
    "full-fine-tuning": lambda told: tuning.full(told.done["full-fine-tuning"]),
    "lora": lambda told: tuning.lora(told.done["lora"]),
    "adaptation": lambda told: adapting.routes(told.done["adaptation"]),
    "continual-learning": lambda told: sequence.methods(told.done["continual-learning"]),
    "update": lambda told: versions.gate(told.done["update"]),
}
