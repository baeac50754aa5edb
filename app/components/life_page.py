"""What the pages of a language model's life share: whose life, the result of their nodes, and running them again."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.address import choice
from app.components.life import Told, begin, comes_before, controls, go_on, lives
from app.components.page import user_errors
from app.components.reading import show_text
from app.components.run_buttons import run_buttons
from app.components.run_watcher import rerun_at_the_end
from app.components.waiting import waiting
from app.components.who import me
from app.language import _, current_language, explain
from app.navigation import page
from content.pipeline import load_pipeline
from core.language.recipe import FIELDS, LanguageRecipe
from core.runs import store
from core.runs.folder import RunFolder
from core.runs.store import Run

POLL_S = 1.0
Show = Callable[[Run, Told], None]


def choose_life() -> Run | None:
    """Whose life; without any, the way to one."""
    known = {run.id: run for run in lives()}
    if not known:
        st.info(_("There is no language model yet. Bring one up; it takes about half a minute."))
        begin(LanguageRecipe.preset("a-minute"))
        if "run" not in st.query_params:
            return None
        st.rerun()
    words = {id: f"{run.name} · {_since(run)}" for id, run in known.items()}
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        chosen = choice(st.selectbox, _("Run"), "run", words)
    right.page_link(page("pipeline"), label=_("The whole pipeline"), icon=":material/account_tree:",
                    query_params={"run": chosen})  # fmt: skip
    return known[chosen]


def _since(run: Run) -> str:
    """What tells one life from another: its seed, what it ran, and when it was begun."""
    assert isinstance(run.recipe, LanguageRecipe)
    what = run.recipe.nodes.replace(",", ", ") or (_("next round") if run.recipe.next_round else _("whole loop"))
    if run.recipe.use:
        what = _("another version in use")
    return _("seed {seed} · {what} · {id}").format(seed=run.recipe.seed, what=what, id=run.id[:4])


def show_live(run: Run, show: Show) -> None:
    """Show a run; again each second while it is active."""
    st.fragment(_look, run_every=POLL_S if run.active else None)(run.id, show)


def _look(run_id: str, show: Show) -> None:
    with user_errors():
        run = store.get(run_id, me())
        rerun_at_the_end(run)
        status(run)
        show(run, told(run))


def told(run: Run) -> Told:
    """What the events of a run say. Not to be changed: everybody who looks at the run gets the same."""
    metrics = run.folder.metrics_file
    try:
        found = metrics.stat()
    except FileNotFoundError:
        return Told({})
    return _told(run.folder.path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=16)
def _told(folder: Path, size: int, changed_ns: int) -> Told:
    """Read once for each state of the metrics, which size and time only tell from another."""
    del size, changed_ns
    return Told.of(RunFolder(folder).read_events()[0])


def status(run: Run) -> None:
    """Where a run stands, and what can be done about it."""
    if run.state == "queued":
        st.info(waiting(run), icon=":material/schedule:")
    if run.error:
        st.error(explain(run.error))
    run_buttons(run)


def show_nodes(told: Told, run: Run, nodes: Iterable[str], show: Callable[[str, Told], None]) -> None:
    """The results of these nodes, with what is to be said of each: running, out of date, not there."""
    for node in nodes:
        if told.running(node) and run.active:
            share = told.progress.get(node)
            st.progress(share or 0.0, _("Running…") if share is None else _("Running: {share:.0%}").format(share=share))
        if node not in told.done:
            if not told.running(node):
                st.info(_("This step has not run yet."), icon=":material/hourglass_empty:")
            continue
        if told.done[node].get("stale"):
            st.warning(_("Out of date: a step before this one has been run again since. Run this one again, too."),
                       icon=":material/update:")  # fmt: skip
        show(node, told)


def again(run: Run, nodes: Sequence[str], words: str, key: str) -> dict[str, Any]:
    """Controls of these nodes and the button that runs them again; the values of the controls."""
    assert isinstance(run.recipe, LanguageRecipe)
    names = dict.fromkeys(name for node in nodes for name in FIELDS.get(node, ()))
    values = controls(names, run.recipe)
    missing = comes_before(nodes, told(run))
    disabled = run.active or bool(missing)
    if st.button(words, key=f"again-{key}", type="primary", icon=":material/replay:", disabled=disabled):
        with user_errors():
            go_on(run, nodes, **values)
            st.rerun()
    if missing and not run.active:
        st.caption(_("First another step has to run: {steps}.").format(steps=", ".join(missing)))
    return values


def beside(run: Run, nodes: Sequence[str], words: str, key: str, show: Show) -> None:
    """The controls of these nodes, and beside them what came of them."""
    left, right = st.columns([2, 5], gap="medium")
    with left:
        again(run, nodes, words, key)
    with right:
        show_live(run, show)


def about(slugs: Iterable[str]) -> None:
    """What the article's graph says of these steps."""
    nodes = load_pipeline().nodes
    for slug in slugs:
        with st.expander(nodes[slug].name[current_language()], icon=":material/menu_book:"):
            show_text(nodes[slug].explanation[current_language()])
