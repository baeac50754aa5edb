"""The ways to a new task beside each other: what each reaches, costs and loses, and which to take when."""

from typing import Any

import streamlit as st

from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.life import Told, skill_name
from app.components.life_page import show_nodes
from app.components.life_tables import size, skills, table, took
from app.figures import language as figures
from app.language import _, mark
from core.runs.store import Run

Event = dict[str, Any]
GOOD, LOST = 0.95, 0.05
ROUTES = {
    "zero-shot": mark("Zero-shot prompt"),
    "few-shot": mark("Few-shot prompt"),
    "full-fine-tuning": mark("Full fine-tuning"),
    "lora": mark("LoRA"),
    "replay": mark("Fine-tuning with replay"),
}


def show_adaptation(run: Run, told: Told) -> None:
    if "adaptation" in told.done:
        _question(told.done["adaptation"])
    show_nodes(told, run, ["adaptation"], lambda _node, told: routes(told.done["adaptation"]))


def routes(event: Event) -> None:
    """All routes on one task: a table, a figure, and what follows from them."""
    took(event)
    found, before = event["routes"], event["before"]
    names = {skill: skill_name(skill) for skill in before}
    rows = [
        {
            _("Route"): _(ROUTES[route]), _("New task"): row["accuracy"], _("Labelled examples"): row["examples"],
            _("Weights changed"): row["weights_changed"], _("Seconds"): row["seconds"],
            _("Memory"): size(row["memory"]) if row["memory"] else "–",
            **{names[skill]: value for skill, value in row["old_skills"].items()},
        }
        for route, row in found.items()
    ]  # fmt: skip
    table(rows, [_("New task"), *names.values()])
    chart = {_(ROUTES[name]).replace(" ", "<br>", 1): {_("New task"): row["accuracy"], **skills(row["old_skills"])}
             for name, row in found.items()}  # fmt: skip
    show_chart(figures.bars(chart, {"accuracy": _("Accuracy")}), key="routes", alt=_("Skills by route"))
    st.markdown("\n".join(f"- {line}" for line in _advice(found, before)))


def keeps(row: Event, before: Event) -> bool:
    """Whether no old skill has fallen by more than the tolerance."""
    return all(before[skill] - value <= LOST for skill, value in row["old_skills"].items())


def _advice(found: dict[str, Event], before: Event) -> list[str]:
    """Which route to choose when, from the numbers of this table."""
    good = {name: row for name, row in found.items() if row["accuracy"] >= GOOD}
    lines = [
        _("{route}: {accuracy:.0%} on the new task, but an old skill falls to {lowest:.0%}. Only for a model that need "
          "do nothing else.").format(route=_(ROUTES[name]), accuracy=row["accuracy"],
                                     lowest=min(row["old_skills"].values()))
        for name, row in good.items() if not keeps(row, before)
    ]  # fmt: skip
    safe = {name: row for name, row in good.items() if keeps(row, before)}
    if safe:
        cheap = min(safe, key=lambda name: (safe[name]["weights_changed"], safe[name]["examples"]))
        lines.append(
            _("The cheapest way that reaches {good:.0%} and loses nothing: {route}, with {examples:,} labelled "
              "examples and {weights:,} weights changed.").format(
                good=GOOD, route=_(ROUTES[cheap]), examples=safe[cheap]["examples"],
                weights=safe[cheap]["weights_changed"])
        )  # fmt: skip
    if "few-shot" in good:
        lines.append(_("A prompt with examples costs nothing now and a little at every question: the examples are read "
                       "again each time, and the context is full soon."))  # fmt: skip
    if found["zero-shot"]["accuracy"] < GOOD:
        lines.append(_("A bare task word of which the model has never heard gets {accuracy:.0%}.").format(
            accuracy=found["zero-shot"]["accuracy"]))  # fmt: skip
    return lines


def _question(event: Event) -> None:
    safe = [name for name, row in event["routes"].items() if row["accuracy"] >= GOOD and keeps(row, event["before"])]
    count = str(len(safe))
    predict_first(
        "routes",
        _("Of the five ways to the new task, how many reach {good:.0%} and lose no old skill?").format(good=GOOD),
        {str(n): str(n) for n in range(6)},
        count,
        _("Here they are: {routes}.").format(routes=", ".join(_(ROUTES[name]) for name in safe) or _("none")),
    )
