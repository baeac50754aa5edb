"""Stop and resume, offered when they would do something."""

import streamlit as st

from app.components.who import me
from app.language import _
from core.runs import store
from core.runs.store import Run


def run_buttons(run: Run) -> None:
    """A button to stop a run that goes on, or to resume one that can; for its owner and the teacher.

    Raises `UserError`.
    """
    person = me()
    if not store.may_change(run, person):
        return
    if run.state in ("queued", "running") and st.button(_("Stop"), icon=":material/stop:", key=f"stop-{run.id}"):
        store.stop(run.id, person)
        st.rerun()
    if run.resumable and st.button(_("Resume"), icon=":material/resume:", key=f"resume-{run.id}"):
        store.resume(run.id, person)
        st.rerun()
