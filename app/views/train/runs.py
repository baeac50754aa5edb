"""Runs: every run of the class, side by side."""

import pandas as pd
import streamlit as st

from app.components.chart import show_chart
from app.components.page import page_header, user_errors
from app.components.run_card import described, filtered, run_card
from app.components.who import me
from app.figures.training import compare
from app.language import _, mark
from app.navigation import page
from app.text import csv_cell
from core.runs import store
from core.runs.progress import progress
from core.vision.recipe import PictureRecipe

TITLE = "Runs"
ICON = ":material/list:"
ORDER = 20
STATES = {
    "queued": mark("queued"),
    "running": mark("running"),
    "stopping": mark("stopping"),
    "stopped": mark("stopped"),
    "finished": mark("finished"),
    "failed": mark("failed"),
    "interrupted": mark("interrupted"),
}

page_header(_("Runs"), _("All runs, the newest first. Choose some to compare them; choose one to take it home."))
runs = store.list_runs(me())
if not runs:
    st.info(_("There are no runs yet. Train a network first."))
    st.page_link(page("train"), label=_("Train"), icon=":material/arrow_forward:")
    st.stop()

runs = filtered(runs, {state: _(words) for state, words in STATES.items()})
rows = [
    {
        _("Name"): csv_cell(run.name),
        _("State"): _(STATES[run.state]),
        _("Data set"): described(run)[0],
        _("Model"): described(run)[1],
        _("Test accuracy"): (run.finished_event or {}).get("test_accuracy"),
        _("Seconds"): (run.finished_event or {}).get("seconds"),
        _("Device"): (run.finished_event or {}).get("device"),
        _("Begun"): pd.Timestamp(run.created, unit="s"),
    }
    for run in runs
]
formats = {
    _("Test accuracy"): st.column_config.NumberColumn(format="percent"),
    _("Seconds"): st.column_config.NumberColumn(format="%.1f"),
}
event = st.dataframe(
    pd.DataFrame(rows),
    hide_index=True,
    column_config=formats,
    on_select="rerun",
    selection_mode="multi-row",
    key="runs",
)
chosen = [runs[row] for row in event["selection"]["rows"] if row < len(runs)]
with user_errors():
    if not chosen and "run" in st.query_params:
        chosen = [store.get(st.query_params["run"], me())]
pictures = [run for run in chosen if isinstance(run.recipe, PictureRecipe)]
curves = {f"{run.name} ({run.id})": progress(run.folder, run.active).events for run in pictures}
if curves:
    words = {"accuracy": _("Validation accuracy"), "loss": _("Validation loss"), "epoch": _("Epoch")}
    show_chart(compare(curves, words), key="compare", alt=_("Accuracy and loss by epoch"))

for run in chosen:
    run_card(run, _(STATES[run.state]))
