"""Versions of a student's model: the tree, the gate, rolling back, comparing two, and the next round."""

from typing import Any

import streamlit as st

from app.components.adapting import ROUTES
from app.components.address import choice, text_field
from app.components.graph import Box, Line, State, show_graph
from app.components.lesson import predict_first
from app.components.life import Told, go_on, skill_name, task_name
from app.components.life_page import show_nodes
from app.components.life_tables import shares, table, took
from app.components.prompting import asked
from app.language import _
from content.layout import between_boxes
from core.language.recipe import NEW_TASKS, LanguageRecipe
from core.runs.store import Run

Event = dict[str, Any]
CHOSEN = "version"
PROMPT = "[name] cat animal 苹果"


def version_name(version: Event) -> str:
    """A version's way of teaching and the beginning of its hash."""
    made = _("base") if version["label"] == "base" else _(ROUTES[version["label"]])
    return f"{made} · {version['id'][:6]}"


def show_gate(run: Run, told: Told) -> None:
    if "update" in told.done:
        _question(told.done["update"])
    show_nodes(told, run, ["update"], lambda _node, told: gate(told.done["update"]))


def gate(event: Event) -> None:
    """What the gate said of each candidate."""
    took(event)
    for label, candidate in event["candidates"].items():
        name = _(ROUTES[label])
        if candidate["promoted"]:
            st.success(_("{candidate}: promoted, no tracked skill fell by more than its tolerance.").format(
                candidate=name), icon=":material/check:")  # fmt: skip
            continue
        fallen = ", ".join(f"{skill_name(skill)} −{points:.0%}" for skill, points in candidate["fallen"].items())
        st.warning(_("{candidate}: rejected. What fell: {fallen}.").format(candidate=name, fallen=fallen),
                   icon=":material/block:")  # fmt: skip
    before = event["before"]
    rows: list[dict[str, Any]] = [{_("Version"): _("base"), **_named(before)}]
    for label, found in event["candidates"].items():
        rows.append({_("Version"): _(ROUTES[label]), **_named(found["skills"])})
    names = list(dict.fromkeys(name for row in rows for name in row if name != _("Version")))
    table(rows, names)
    st.markdown(_("In use now: version `{version}`.").format(version=event["version"]))


def _named(found: dict[str, float]) -> dict[str, float]:
    return {skill_name(skill): value for skill, value in found.items()}


def tree(told: Told) -> str | None:
    """The tree of versions; the version that was pressed or is in use."""
    life = told.life
    if not life.get("known"):
        return None
    known = life["known"]
    rounds: dict[int, list[str]] = {}
    for version in known.values():  # a column for each round, in the order of their making
        rounds.setdefault(_depth(version, known), []).append(version["id"])
    places = {id: (float(depth), float(row)) for depth, ids in rounds.items() for row, id in enumerate(ids)}
    boxes = [Box(id, *places[id], version_name(known[id]), _("version")) for id in known]
    lines = [
        Line(version["parent"], id, between_boxes(places[version["parent"]], places[id]))
        for id, version in known.items() if version["parent"] in known
    ]  # fmt: skip
    chosen = st.query_params.get(CHOSEN, life["current"])
    if chosen not in known:
        st.warning(_("There is no version of that name; the one in use is shown."))
        chosen = life["current"]
    picked = show_graph(
        boxes, lines, key="versions", name=_("Versions of this model"), chosen=chosen, curved=False, unit=(250, 60),
        height=90 + 60 * max(map(len, rounds.values())), states={id: _state(id, life) for id in known},
    )  # fmt: skip
    if picked and picked != chosen:
        st.query_params[CHOSEN] = picked
        st.rerun()
    return str(chosen)


def _depth(version: Event, known: dict[str, Event]) -> int:
    parent = known.get(version["parent"])
    return 0 if parent is None else _depth(parent, known) + 1


def _state(id: str, life: Event) -> State:
    if id == life["current"]:
        return State("done", _("in use"), _("in use"))
    if id in life["rejected"]:
        return State("failed", _("rejected"), _("rejected"))
    return State("waiting", _("kept"), _("kept"))


def one_version(run: Run, told: Told, id: str) -> None:
    """A version's skills against its parent's; put it into use; begin the next round."""
    known, life = told.life["known"], told.life
    version = known[id]
    parent = known.get(version["parent"])
    st.subheader(version_name(version), anchor=False)
    st.caption(_("Round {round} · weights {id}").format(round=version["round"], id=id))
    shares({skill_name(skill): value for skill, value in version["skills"].items()},
           {skill_name(skill): value for skill, value in parent["skills"].items()} if parent else None)  # fmt: skip
    if id in life["rejected"]:
        st.warning(_("The gate has rejected this version. It can be put into use all the same; then it is your word "
                     "against the figures."))  # fmt: skip
    with st.container(horizontal=True):
        words = _("Go back to this version") if _is_older(id, life) else _("Put this version into use")
        if st.button(words, icon=":material/history:", disabled=run.active or id == life["current"]):
            go_on(run, use=id)
            st.rerun()
        _next_round(run, life)


def _is_older(id: str, life: Event) -> bool:
    current = life["known"].get(life["current"])
    while current:
        if current["parent"] == id:
            return True
        current = life["known"].get(current["parent"])
    return False


def _next_round(run: Run, life: Event) -> None:
    """The version in use becomes the base, and a task that it does not know is next."""
    assert isinstance(run.recipe, LanguageRecipe)
    skills_now = life["known"][life["current"]]["skills"]
    left = [task for task in NEW_TASKS if task not in skills_now]
    can = life["current"] != life["base"] and bool(left)
    label = _("Next round: teach it {task}").format(task=task_name(left[0])) if left else _("Next round")
    if st.button(label, type="primary", icon=":material/autorenew:", disabled=run.active or not can, key="next-round"):
        go_on(run, next_round=True, new_task=left[0])
        st.rerun()
    if not left:
        st.caption(_("The version in use knows all three tasks of this world: the loop has been walked to its end."))
    elif life["current"] == life["base"]:
        st.caption(_("The base itself is in use: a next round needs an update that was promoted."))


def compare(run: Run, told: Told) -> None:
    """Two versions, one prompt."""
    known = told.life["known"]
    names = {id: version_name(version) for id, version in known.items()}
    if len(names) < 2:
        st.info(_("There is one version only so far: nothing to compare."))
        return
    prompt = text_field(st.text_input, _("Prompt: words with spaces between"), "prompt", PROMPT, 500)
    columns = st.columns(2)
    current = told.life["current"]
    first = {current: names[current], **names}
    second = {id: names[id] for id in (known[current]["parent"] or next(reversed(known)), *names)}
    picked = []
    for column, name, words, options in zip(columns, ("a", "b"), (_("One version"), _("Another version")),
                                            (first, second), strict=True):  # fmt: skip
        with column:
            picked.append(choice(st.selectbox, words, name, options))
    answers = asked(run.id, prompt, tuple(picked))
    for column, answer in zip(columns, answers, strict=True):
        with column:
            st.code(answer["goes_on"], language=None, wrap_lines=True)
            table([{_("Next word"): word, _("Probability"): p} for word, p in answer["best"]], [_("Probability")])


def _question(event: Event) -> None:
    passed = sum(candidate["promoted"] for candidate in event["candidates"].values())
    predict_first(
        "gate",
        _("{count} candidates know the new task. How many does the gate let through?").format(
            count=len(event["candidates"])),
        {str(n): str(n) for n in range(len(event["candidates"]) + 1)},
        str(passed),
        _("{passed} of {count}: being good at the new task is not what the gate asks.").format(
            passed=passed, count=len(event["candidates"])),
    )  # fmt: skip
