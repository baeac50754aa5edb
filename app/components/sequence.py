"""Continual learning, shown: the matrix of each method, its measures, and what they say."""

from typing import Any

import streamlit as st

from app.components.address import choice
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.life import Told, skill_name, task_name
from app.components.life_page import show_nodes
from app.components.life_tables import table, took
from app.figures import language as figures
from app.language import _, mark
from core.language.recipe import NEW_TASKS
from core.runs.store import Run

Event = dict[str, Any]
METHODS = {
    "fine-tuning": mark("Plain fine-tuning"),
    "replay": mark("Replay"),
    "ewc": "EWC",
    "lora": mark("LoRA for each task"),
    "joint": mark("All tasks at once"),
}
MEANING = {
    "fine-tuning": mark("Each task is trained on its own documents only."),
    "replay": mark("Half of what it sees are old documents from a buffer."),
    "ewc": mark("Weights that older tasks depend on are held back (Kirkpatrick et al. 2017)."),
    "lora": mark("A frozen base and one adapter for each task; somebody has to say which task it is."),
    "joint": mark("All tasks so far are mixed, as if nothing came one after another: the upper bound."),
}


def show_sequence(run: Run, told: Told) -> None:
    if "continual-learning" in told.done:
        _question(told.done["continual-learning"])
    show_nodes(told, run, ["continual-learning"], lambda _node, told: methods(told.done["continual-learning"]))


def methods(event: Event) -> None:
    """The measures of all methods, and the matrix of one of them."""
    took(event)
    found = event["methods"]
    rows = [
        {
            _("Method"): _(METHODS[name]), _("Average accuracy"): row["accuracy"], _("Forgetting"): row["forgetting"],
            _("Backward transfer"): row["backward_transfer"],
            **{skill_name(skill): value for skill, value in row["old_skills"].items()},
        }
        for name, row in found.items()
    ]  # fmt: skip
    old = [skill_name(skill) for skill in found["replay"]["old_skills"]]
    table(rows, [_("Average accuracy"), _("Forgetting"), _("Backward transfer"), *old])
    name = choice(st.pills, _("Method"), "method", {name: _(words) for name, words in METHODS.items()}, required=True)
    st.caption(_(MEANING[name]))
    matrix = found[name]["matrix"]
    tasks = [task_name(task) for task in NEW_TASKS[: len(matrix[0])]]
    words = {"before": _("before"), "after": _("after {task}")}
    show_chart(figures.forgetting(matrix, tasks, words), key="forgetting",
               alt=_("Accuracy on each task after each task"))  # fmt: skip
    st.markdown(_sentence(found[name], tasks))


def _sentence(row: Event, tasks: list[str]) -> str:
    """What the matrix of one method says, in its own numbers."""
    if len(tasks) < 2:
        return _("A single task is not followed by another that could disturb it: choose two or three.")
    return _("Just learnt, {task} was at {then:.0%}; at the end it is at {now:.0%}. Forgetting is the mean fall from "
             "the best ({forgetting:.0%}), backward transfer the mean change since a task was learnt "
             "({transfer:+.0%}).").format(
        task=tasks[0], then=row["matrix"][1][0], now=row["matrix"][-1][0], forgetting=row["forgetting"],
        transfer=row["backward_transfer"])  # fmt: skip


def _question(event: Event) -> None:
    found = event["methods"]
    tried = {name: found[name]["accuracy"] for name in ("fine-tuning", "replay", "ewc")}
    best = max(tried, key=tried.__getitem__)
    predict_first(
        "methods",
        _("One model, tasks one after another, no adapters. Which of these knows most at the end?"),
        {name: _(METHODS[name]) for name in tried},
        best,
        _("Average accuracy at the end: {figures}.").format(
            figures=", ".join(f"{_(METHODS[name])} {value:.0%}" for name, value in tried.items())
        ),
    )
