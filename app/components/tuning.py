"""Fine-tuning, shown: what is learnt, what is forgotten, what it costs."""

from typing import Any

import streamlit as st

from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.life import Told, task_name
from app.components.life_page import show_nodes
from app.components.life_tables import counts, shares, size, skill_label, skills, table, took
from app.figures import language as figures
from app.language import _
from core.runs.store import Run

Event = dict[str, Any]


def show_full(run: Run, told: Told) -> None:
    if "full-fine-tuning" in told.done:
        event = told.done["full-fine-tuning"]
        lowest = min(event["old_skills"].values())
        predict_first(
            "forgets",
            _("All weights are trained on {task} only. What is left of the old skills?").format(
                task=task_name(event["task"])
            ),
            {"all": _("all of them: nothing was taken away"), "some": _("about half"), "little": _("next to nothing")},
            "all" if lowest > 0.9 else "some" if lowest > 0.3 else "little",
            _("The weakest old skill is at {share:.0%}: nothing in the loss holds on to what is not shown any more.")
            .format(share=lowest),
        )  # fmt: skip
    show_nodes(told, run, ["full-fine-tuning"], lambda _node, told: full(told.done["full-fine-tuning"]))


def show_lora(run: Run, told: Told) -> None:
    show_nodes(told, run, ["lora"], lambda _node, told: lora(told.done["lora"]))


def show_both(run: Run, told: Told) -> None:
    missing = [node for node in ("full-fine-tuning", "lora") if node not in told.done]
    if missing or any(told.done[node].get("stale") for node in ("full-fine-tuning", "lora")):
        show_nodes(told, run, ["full-fine-tuning", "lora"], lambda _node, _told: None)
    if not missing:
        side_by_side(told.done["full-fine-tuning"], told.done["lora"])


def full(event: Event) -> None:
    """Course and result of full fine-tuning."""
    _course(event, "full-course", event["from_scratch"])
    _costs(event)
    gaps = {row["step"]: row["new"] - other["new"]
            for row, other in zip(event["curve"], event["from_scratch"], strict=True)}  # fmt: skip
    widest = max(gaps, key=lambda step: abs(gaps[step]))
    st.markdown(
        _("At step {step} the pre-trained model is furthest from one that started from random weights: {gap:+.0%}. "
          "What pre-training has learnt is carried over.").format(step=widest, gap=gaps[widest])
    )  # fmt: skip


def lora(event: Event) -> None:
    """Course and result of LoRA, and what is left when it is switched off."""
    _course(event, "lora-course")
    _costs(event)
    st.markdown(
        _("Rank {rank} beside {matrices}: {share:.1%} as many numbers are trained as the model has. Switched off, the "
          "adapter leaves the base exactly as it was, bit for bit: **{answer}**.").format(
            rank=event["rank"], matrices=", ".join(f"`{name}`" for name in event["matrices"]),
            share=event["share_trained"], answer=_("yes") if event["off_is_the_base"] else _("no"))
    )  # fmt: skip
    st.caption(_("Old skills with the adapter off:"))
    shares(skills(event["old_skills_when_off"]))
    if "by_rank" in event:
        words = {"parameters": _("Trained parameters"), "accuracy": _("New task")}
        show_chart(figures.ranks(event["by_rank"], words), key="ranks", alt=_("Accuracy by rank"))


def side_by_side(full: Event, lora: Event) -> None:
    """The two in one table."""
    rows: dict[str, tuple[str, str]] = {
        _("Accuracy on the new task"): _both(full, lora, lambda e: f"{e['accuracy']:.1%}"),
        **{
            skill_label(skill): _both(full, lora, lambda e, skill=skill: f"{e['old_skills'][skill]:.1%}")
            for skill in full["old_skills"]
        },
        _("Trained parameters"): _both(full, lora, lambda e: f"{e['trained_parameters']:,}"),
        _("Training time"): _both(full, lora, lambda e: f"{e['route']['seconds']:.1f} s"),
        _("Memory of weights, gradients and optimiser"): _both(full, lora, lambda e: size(e["memory"])),
        _("To be stored for this task"): _both(full, lora, lambda e: size(e["bytes_to_store"])),
    }  # fmt: skip
    named = (_("Full fine-tuning"), _("LoRA"))
    table([{"": name, named[0]: a, named[1]: b} for name, (a, b) in rows.items()])
    st.markdown(
        _("LoRA's file is {times:.0f} times smaller: a hundred tasks are a hundred small files beside one base. While "
          "its adapter is on, it forgets much like full fine-tuning; its safety is the switch.").format(
            times=full["bytes_to_store"] / lora["bytes_to_store"])
    )  # fmt: skip


def _both(full: Event, lora: Event, shown: Any) -> tuple[str, str]:
    return shown(full), shown(lora)


def _course(event: Event, key: str, scratch: list[Event] | None = None) -> None:
    took(event)
    names = {"new": _("New: {task}").format(task=task_name(event["task"]))}
    names |= {skill: skill_label(skill) for skill in event["old_skills"]}
    words = {"step": _("Step"), "accuracy": _("Accuracy"), "scratch": _("New task, from random weights")}
    show_chart(figures.course(event["curve"], names, words, scratch or ()), key=key,
               alt=_("Accuracy of each skill by step"))  # fmt: skip
    first = event["curve"][0]
    now = {_("New task"): event["accuracy"], **skills(event["old_skills"])}
    before = {_("New task"): first["new"], **skills({skill: first[skill] for skill in event["old_skills"]})}
    shares(now, before)


def _costs(event: Event) -> None:
    counts({_("Trained parameters"): event["trained_parameters"], _("Bytes to store"): event["bytes_to_store"],
            _("Bytes of memory"): event["memory"]})  # fmt: skip
