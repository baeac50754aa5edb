"""One run, as it happens: curves, figures, stop and resume, and what the test showed at the end.

A fragment reads what is new in the run's folder. Nothing of the run lives in the session, so a reload, a second
tab and another student's browser all see the same.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.components.chart import show_chart
from app.components.downloading import look_again
from app.components.metrics import metrics
from app.components.page import user_errors
from app.components.pixels import crisp
from app.components.run_buttons import run_buttons
from app.components.waiting import waiting
from app.components.who import me
from app.figures import training as figures
from app.language import _, explain
from app.navigation import page
from app.text import csv_cell
from core.errors import UserError
from core.runs import store
from core.runs.progress import progress
from core.runs.store import Run
from core.vision.recipe import PictureRecipe
from core.vision.scores import per_class_scores

POLL_S = 1.0  # drawing costs a browser more than training digits costs the server
FIRST_POINT_S = 0.6


def watch(run_id: str) -> None:
    """Show a run; keeps itself up to date while the run is active. Raises `UserError` for an unknown id."""
    run = once_it_moves(run_id)
    if not isinstance(run.recipe, PictureRecipe):
        raise UserError("This run trains a language model. Open it from the page Runs.")
    st.fragment(_live, run_every=POLL_S if run.active else None)(run_id)


def once_it_moves(run_id: str) -> Run:
    """A run that was just begun has its first point within half a second: worth waiting for rather than for a poll."""
    deadline, person = time.monotonic() + FIRST_POINT_S, me()
    while (
        (run := store.get(run_id, person)).active
        and time.monotonic() < deadline
        and time.time() - run.created < FIRST_POINT_S
    ):
        if any(event["event"] == "step" for event in store.read_events(run)[0]):
            break
        time.sleep(0.05)
    return run


def _live(run_id: str) -> None:
    with user_errors():  # the page's own has long ended when the fragment runs again: the run may be deleted by then
        _show(store.get(run_id, me()))


def _show(run: Run) -> None:
    rerun_at_the_end(run)
    if run.state == "failed" and run.ended and isinstance(run.recipe, PictureRecipe):
        look_again(run.recipe.dataset, run.ended)
    events = progress(run.folder, run.active).events
    headline(run, events, _finished(run))
    run_buttons(run)
    if any(event["event"] == "step" for event in events):
        _figures(events)
        words = {
            "loss": _("Loss"),
            "accuracy": _("Accuracy"),
            "epoch": _("Epoch"),
            "training": _("Training"),
            "validation": _("Validation"),
        }
        show_chart(figures.curves(events, words), key=f"curves-{run.id}", alt=_("Loss and accuracy by epoch"))
    if run.finished_event:
        _beside_the_article(run)
        _test(run)


def _beside_the_article(run: Run) -> None:
    """The figure that the article prints for its recipe, beside ours."""
    assert isinstance(run.recipe, PictureRecipe)
    article = PictureRecipe.preset("article")
    if set(run.recipe.changes(article)) <= {"dataset", "device", "seed", "image_size"}:
        st.caption(
            _("The article prints 78.6 % for this recipe on CIFAR-10. Here: batch {batch_size}, seed {seed}.").format(
                batch_size=run.recipe.batch_size, seed=run.recipe.seed
            )
        )
        claim = {"part": "claims", "verdict": "not-reproduced"}
        st.page_link(page("article"), label=_("What is so"), query_params=claim)


def rerun_at_the_end(run: Run) -> None:
    """Once, when a run that was watched has ended: the page stops polling and shows what it came to."""
    watched = f"watched-{run.id}"
    if st.session_state.get(watched, run.active) and not run.active:
        st.session_state[watched] = False
        st.rerun()
    st.session_state[watched] = run.active


def _finished(run: Run) -> str:
    if not run.finished_event:
        return ""
    return _("Finished: test accuracy {accuracy:.1%} after {seconds:.1f} seconds of training.").format(
        accuracy=run.finished_event["test_accuracy"], seconds=run.finished_event["seconds"]
    )


def headline(run: Run, events: Sequence[dict[str, Any]], finished: str) -> None:
    """The state of a run in a sentence; `finished` is the one to say at the end."""
    last = events[-1] if events else {}
    match run.state:
        case "queued":
            st.info(waiting(run), icon=":material/schedule:")
        case "running" | "stopping" if last.get("event") == "preparing":
            st.progress(float(last["share"]), text=_("Preparing the data …"))
        case "running":
            st.info(_("Training …"), icon=":material/play_circle:")
        case "stopping":
            st.info(_("Stopping …"), icon=":material/stop_circle:")
        case "stopped":
            kept = _("Stopped. What it has learnt is kept; resume it whenever you like.")
            st.warning(explain(run.error) if run.error else kept)
        case "interrupted":
            st.warning(explain(run.error) if run.error else _("Interrupted. Resume it to go on from where it was."))
        case "failed":
            st.error(explain(run.error) if run.error else _("This run failed."), icon=":material/error:")
        case "finished" if run.finished_event:
            st.success(finished, icon=":material/check_circle:")


def _figures(events: Sequence[dict[str, Any]]) -> None:
    step = next(event for event in reversed(events) if event["event"] == "step")
    started = next((event for event in events if event["event"] == "started"), {})
    shown = (
        (_("Epoch"), f"{step['epoch']:.2f} / {started.get('epochs', '?')}"),
        (_("Learning rate"), f"{step['learning_rate']:.3g}"),
        (_("Gradient norm"), f"{step['gradient_norm']:.3g}"),
        (_("Pictures per second"), f"{step['examples_per_second']:,.0f}"),
        (_("Time left"), f"{step['seconds_left']:.0f} s"),
    )
    metrics(shown)
    if started:
        st.caption(
            _("Computed on {device} · {parameters:,} parameters · seed {seed} · torch {torch} · {data}").format(
                device=started["device_name"],
                parameters=started["parameters"],
                seed=started["seed"],
                torch=started["versions"]["torch"],
                data=f"{started['dataset'].partition(':')[0]} {started['dataset_version']}",
            )
        )


def _test(run: Run) -> None:
    """What the sealed test part showed: confusion matrix, scores of each class, the most confidently wrong."""
    assert run.finished_event is not None
    try:
        with np.load(run.folder.report_file, allow_pickle=False) as file:
            report = dict(file)
    except (OSError, ValueError):
        raise UserError("The report of this run cannot be read; train it again.") from None
    classes = run.finished_event["classes"]
    left, right = st.columns(2)
    with left:
        st.subheader(_("Confusion matrix"))
        words = {"true": _("True class"), "predicted": _("Predicted class")}
        matrix = figures.confusion(report["confusion"].tolist(), classes, words)
        show_chart(matrix, key=f"confusion-{run.id}", alt=_("Confusion matrix"))
    with right:
        st.subheader(_("Scores of each class"))
        scores = pd.DataFrame(per_class_scores(report["confusion"]))
        scores.insert(0, "class", [csv_cell(name) for name in classes])
        names = {
            "class": _("Class"),
            "precision": _("Precision"),
            "recall": _("Recall"),
            "f1": "F1",
            "support": _("Pictures"),
        }
        st.dataframe(scores[list(names)].rename(columns=names).round(3), hide_index=True)
    _most_wrong(report, classes)


def _most_wrong(report: dict[str, Any], classes: list[str]) -> None:
    st.subheader(_("The most confidently wrong"))
    if not len(report["wrong_images"]):
        st.markdown(_("It got every test picture right."))
        return
    with st.container(horizontal=True):
        for image, true, predicted, confidence in zip(
            *(report[f"wrong_{key}"][:12] for key in ("images", "true", "predicted", "confidence")), strict=True
        ):
            caption = _("{true}, taken for {predicted} ({confidence:.0%})").format(
                true=classes[true], predicted=classes[predicted], confidence=confidence
            )
            with st.container(width=110):
                st.image(crisp(image), width=96)
                st.text(caption)
