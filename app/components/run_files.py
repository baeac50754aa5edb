"""What of a run can be taken home."""

import pandas as pd
import streamlit as st

from app.language import _
from core.runs.export import script
from core.runs.store import Run
from core.vision.recipe import PictureRecipe


def downloads(run: Run) -> None:
    """Recipe and metrics of every run, weights and predictions of a finished one; read when pressed."""
    with st.container(horizontal=True):
        for label, name, mime in (
            (_("Recipe"), "recipe.json", "application/json"),
            (_("Weights"), "weights.safetensors", "application/octet-stream"),
            (_("Predictions"), "report.npz", "application/octet-stream"),
        ):
            file = run.folder.path / name
            if file.exists():
                st.download_button(
                    label, file.read_bytes, f"{run.id}-{name}", mime, key=f"{name}-{run.id}", on_click="ignore"
                )
        if run.folder.metrics_file.exists():
            st.download_button(
                _("Metrics"),
                lambda: _metrics(run),
                f"{run.id}-metrics.csv",
                "text/csv",
                key=f"metrics-{run.id}",
                on_click="ignore",
            )
        recipe = run.recipe
        if isinstance(recipe, PictureRecipe):
            st.download_button(
                _("PyTorch script"),
                lambda: script(recipe, run.finished_event),
                f"{run.id}-train.py",
                "text/x-python",
                key=f"script-{run.id}",
                on_click="ignore",
            )


def _metrics(run: Run) -> str:
    events, _size = run.folder.read_events()
    return str(pd.DataFrame([e for e in events if e["event"] in ("step", "epoch")]).to_csv(index=False))
