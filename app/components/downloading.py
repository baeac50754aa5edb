"""What is fetched once from the internet: when somebody presses the button, and with a bar while it comes."""

import time
from urllib.parse import urlsplit

import streamlit as st

from app.components.page import HintError
from app.language import _
from core import registry
from core.errors import UserError, message
from core.runs import client
from core.vision.recipe import DATASETS

PIECE_S = 1.0  # between two looks at how far it is; others use the same process in between
_here: dict[str, float] = {}  # what lacked nothing when it was looked at, in epoch seconds


def bring(what: str) -> None:
    """See to it that a data set or a model is here: a button where it is not, a bar when that has been pressed.

    Raises `HintError` until it is pressed, `UserError` when it cannot be had. Whoever leaves the page interrupts it;
    the next visit of the same session goes on from there.
    """
    what = _name(what)
    wanted = f"wanted-{what}"
    if not st.session_state.get(wanted):
        if (hosts := _lacking(what)) is None:
            return
        if not st.button(_("Download {name}").format(name=what), icon=":material/download:", key=f"download-{what}"):
            raise _not_here(what, hosts)
        st.session_state[wanted] = True
    try:
        _fetch(what)
    except UserError:
        del st.session_state[wanted]
        raise
    del st.session_state[wanted]
    _here[what] = time.time()


def check_here(what: str) -> None:
    """Raises `HintError` when a data set has to be downloaded first: nobody outside is asked for it unasked."""
    if hosts := _lacking(_name(what)):
        raise _not_here(_name(what), hosts)


def look_again(what: str, failed: float) -> None:
    """Whoever needed it failed at that time: it may have been deleted since it was looked at."""
    if _here.get(_name(what), failed) < failed:
        _here.pop(_name(what), None)


def _fetch(what: str) -> None:
    bar = None
    while not (state := client.call("core.vision.downloads:go_on", what=what, seconds=PIECE_S))["ready"]:
        bar = bar or st.empty()
        done, total = state["done"], state["total"]
        told = _("Downloading {file}: {done:.1f} of {total:.1f} MB").format(
            file=state["file"], done=done / 1e6, total=total / 1e6
        )
        bar.progress(min(1.0, done / total) if total else 0.0, text=told)
    if bar is not None:
        bar.empty()


def _lacking(what: str) -> str | None:
    """The servers that have what is not here, or None when nothing is missing."""
    if what in _here or not _may_lack(what):
        return None
    addresses: list[str] = client.call("core.vision.downloads:lacking", what=what)
    if not addresses:
        _here[what] = time.time()
        return None
    return ", ".join(sorted({urlsplit(address).hostname or "" for address in addresses}))


def _may_lack(what: str) -> bool:
    """Whether it is one of those that are fetched at all; nobody is asked, so that no worker has to be free."""
    if what.startswith("imagenet"):
        return what != "imagenet"  # which comes with the installation
    return what in registry.names(DATASETS) and registry.defines(DATASETS, what, "missing")


def _name(what: str) -> str:
    return what.partition(":")[0]  # a folder's path makes no difference


def _not_here(what: str, hosts: str) -> HintError:
    return HintError(message("{name} is not on this machine yet. It is fetched from {host} when you say so."),
                name=what, host=hosts)  # fmt: skip
