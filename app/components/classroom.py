"""Who one is here, and what the teacher sees and decides: settings, disk, log."""

import dataclasses
import time
from typing import Any

import pandas as pd
import streamlit as st

from app.components.page import user_errors
from app.components.who import me
from app.language import _, mark
from app.text import csv_cell
from core import events, people, settings, teacher
from core.runs import shares
from core.settings import BOUNDS

CAPS = {
    "queued": mark("Waiting runs of one person"),
    "pictures": mark("Uploaded pictures of one person"),
    "megabytes": mark("Megabytes of one person"),
    "minutes": mark("Minutes that one run trains"),
    "disk_gigabytes": mark("Gigabytes of all together"),
    "trainers": mark("Trainings at once"),
}
KINDS = {"run": mark("run"), "upload": mark("uploaded pictures"), "cache": mark("data set in the cache")}
LOG_LINES = 200


def your_name() -> None:
    """What one wants to be called; shown beside one's runs."""
    person = me()
    name = st.text_input(
        _("Your name"), people.name_of(person.id), max_chars=people.LONGEST_NAME, key="your-name",
        help=_("Shown beside your runs, to everybody. Leave it empty to stay without one."),
    )  # fmt: skip
    with user_errors():
        if st.button(_("Save the name"), key="save-name"):
            people.rename(person, name)
            st.toast(_("Saved."), icon=":material/check:")


def sign_in() -> None:
    """For the teacher; the secret is forgotten by the page as soon as it has been tried."""
    with st.form("sign-in", clear_on_submit=True):
        secret = st.text_input(_("The teacher's secret"), type="password", max_chars=200, key="secret")
        pressed = st.form_submit_button(_("Sign in"), icon=":material/login:", key="sign-in-button")
    with user_errors():
        if pressed:
            teacher.sign_in(me(), secret, st.context.ip_address or "")
            st.rerun()


def sign_out() -> None:
    if st.button(_("Sign out"), icon=":material/logout:", key="sign-out"):
        teacher.sign_out(me())
        st.rerun()


def change_settings() -> None:
    """Whether all see all runs, and how much each may take; in force at once."""
    now = settings.load()
    chosen: dict[str, Any] = {}
    with st.form("settings"):
        chosen["watch"] = st.toggle(_("Everybody may watch everybody's runs"), now.watch, key="set-watch")
        columns = st.columns(3)
        for place, (name, words) in enumerate(CAPS.items()):
            low, high = BOUNDS[name]
            with columns[place % len(columns)]:
                chosen[name] = st.number_input(_(words), low, high, getattr(now, name), key=f"set-{name}")
        pressed = st.form_submit_button(_("Put in force"), type="primary", key="save-settings")
    with user_errors():
        if pressed:
            settings.save(dataclasses.replace(now, **chosen), me())
            st.toast(_("In force from now on."), icon=":material/check:")


def disk() -> None:
    """What is on the disk, and its oldest part to be removed once it has been looked at."""
    taken = shares.artefacts()
    total = sum(one.size for one in taken)
    st.markdown(_("{count} runs, uploads and data sets in the cache take {megabytes:,.0f} MB.").format(
        count=len(taken), megabytes=total / shares.MIB
    ))  # fmt: skip
    keep = int(st.number_input(_("Megabytes to keep"), 0, None, int(total / shares.MIB) + 1, key="keep"))
    chosen = shares.oldest(keep)
    if not chosen:
        st.caption(_("Nothing is to be removed for that. What is in the queue or in training always stays."))
        return
    rows = [
        {
            _("What"): _(KINDS[one.kind]), _("Name"): csv_cell(one.name), _("By"): csv_cell(people.name_of(one.owner)),
            _("Megabytes"): one.size / shares.MIB, _("Last used"): pd.Timestamp(one.last, unit="s"),
        }
        for one in chosen
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config={
        _("Megabytes"): st.column_config.NumberColumn(format="%.1f")
    })  # fmt: skip
    freed = sum(one.size for one in chosen) / shares.MIB
    words = _("Remove these {count} for ever: {megabytes:,.0f} MB").format(count=len(chosen), megabytes=freed)
    with user_errors():
        if st.button(words, icon=":material/delete:", key="clear-out"):
            shares.clear_out(chosen, me())
            st.rerun()


def log() -> None:
    """The last lines of the log, the newest first."""
    file = events.log_file()
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:] if file.exists() else []
    st.code("\n".join(reversed(lines)) or _("Nothing yet."), language=None, height=300)
    st.caption(_("{file} on the server; times of the server, now {now}.").format(
        file="logs/atlas.log", now=time.strftime("%H:%M")
    ))  # fmt: skip
