"""Three sizes of one model, trained on the same text: what does size buy?"""

import math
from dataclasses import replace
from typing import Any

import streamlit as st

from app.components.chart import show_chart
from app.components.page import user_errors
from app.components.run_watcher import POLL_S
from app.components.text_run import looks, started
from app.components.who import me
from app.figures import text as figures
from app.language import _, mark
from core.language.text_recipe import TextRecipe
from core.runs import store
from core.runs.store import Run

SIZES = {"small": (1, 16, 2), "medium": (2, 32, 4), "large": (3, 64, 4)}  # layers, width, heads
NAMES = {"small": mark("small"), "medium": mark("medium"), "large": mark("large")}
LINK = "sizes"


def strip(recipe: TextRecipe | None, owner: str) -> None:
    """The button, and the three runs that the link names."""
    st.subheader(_("Three sizes"), anchor=False)
    st.markdown(
        _("The same text and steps, three sizes. In large models the loss falls by a power of parameters and of "
          "computation (Kaplan et al. 2020): a straight line where both axes are logarithms. How straight is yours?")
    )  # fmt: skip
    with user_errors():
        if recipe is not None and st.button(_("Train three sizes"), icon=":material/stacked_bar_chart:", key="sizes"):
            recipes = [replace(recipe, layers=layers, width=w, heads=h) for layers, w, h in SIZES.values()]
            st.query_params[LINK] = ",".join(store.submit(each, owner=owner) for each in recipes)
        if LINK in st.query_params:
            runs = _runs()
            st.fragment(_live, run_every=POLL_S if any(run.active for run in runs) else None)()


def compute(facts: dict[str, Any], recipe: TextRecipe, step: int) -> float:
    """Floating-point operations so far: 6 for each parameter inside and token (Kaplan et al. 2020, §2.1)."""
    return 6.0 * float(facts["parameters_inside"]) * recipe.batch_size * recipe.context * step


def _runs() -> list[Run]:
    ids = st.query_params[LINK].split(",")[: len(SIZES)]
    return [run for run in [store.get(id, me()) for id in ids] if isinstance(run.recipe, TextRecipe)]


def _live() -> None:
    with user_errors():
        runs = _runs()
        active = any(run.active for run in runs)
        if st.session_state.get("watched-sizes", active) and not active:
            st.session_state["watched-sizes"] = False
            st.rerun()
        st.session_state["watched-sizes"] = active
        _figures(runs)


def _figures(runs: list[Run]) -> None:
    ends, ways = [], {}
    for size, run in zip(SIZES, runs, strict=False):
        assert isinstance(run.recipe, TextRecipe)
        events, _bytes = run.folder.read_events()
        facts, seen = started(events), looks(events)
        name = _(NAMES[size])
        done = seen[-1]["step"] / run.recipe.steps if seen else 0.0
        if run.active:
            waiting = _("{size}: waiting").format(size=name)
            st.progress(min(1.0, done), text=_("{size}: training").format(size=name) if seen else waiting)
        if facts is None or not seen:
            continue
        flops = [compute(facts, run.recipe, event["step"]) for event in seen]
        ways[f"{name} · {facts['parameters_inside']:,}"] = (flops, [event["validation_loss"] for event in seen])
        ends.append((float(facts["parameters_inside"]), float(seen[-1]["validation_loss"]), name))
    if not ends:
        return
    words = {"loss": _("nats per token, part held back")}
    left, right = st.columns(2)
    with left:
        chart = figures.scaling(ends, _("parameters of the blocks"), words)
        show_chart(chart, key="by-parameters", alt=_("Loss against parameters"))
        if len(ends) > 1:
            (least, high, _small), (most, low, _large) = min(ends), max(ends)
            power = math.log(high / low) / math.log(most / least)
            st.markdown(_("From the smallest to the largest so far, the loss falls by the power {power:.3f} of the "
                          "parameters.").format(power=power))  # fmt: skip
    with right:
        chart = figures.paths(ways, _("floating-point operations of training"), words)
        show_chart(chart, key="by-compute", alt=_("Loss against computation"))
