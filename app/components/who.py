"""Who looks at this page."""

import ipaddress
import os
from pathlib import Path

import streamlit as st

from core import people, teacher
from core.errors import UserError
from core.people import Person

PASSED_ON = ("x-forwarded-for", "forwarded", "x-real-ip", "via")  # what a server says that asks for somebody else


def me() -> Person:
    """The person of this browser, by its signed cookie; without one, as in tests, of this session."""
    owner = people.owner_of(st.context.cookies.get(people.cookie_name()))
    owner = owner or str(st.session_state.setdefault("owner", people.new_id()))
    return Person(owner, teacher.is_signed_in(owner))


def check_folder(dataset: str) -> None:
    """Raises `UserError` when a data set is a folder of the server that is not this person's to look into.

    A path leads anywhere. So folders are for the teacher and whoever sits at the server, who could open them anyway;
    ``ATLAS_FOLDERS`` names those whose folders everybody may train on.
    """
    kind, _colon, path = dataset.partition(":")
    if kind == "folder" and not (at_the_server() or me().teacher or _is_open_to_all(path)):
        raise UserError(
            "Folders of the server are for the teacher and whoever sits at it. Upload your pictures as a zip file."
        )


def at_the_server() -> bool:
    """Whether the browser runs on the machine of the server, and asks for nobody else."""
    return _is_loopback(st.context.ip_address) and not any(name in st.context.headers for name in PASSED_ON)


def _is_loopback(address: str | None) -> bool:
    """None is what Streamlit makes of the plain ones; where IPv4 comes over IPv6 it knows them not."""
    if address is None:
        return True
    try:
        place = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(place, "ipv4_mapped", None) or place).is_loopback


def _is_open_to_all(path: str) -> bool:
    """Whether a path, wherever its dots and links lead, is in one of the folders in ``ATLAS_FOLDERS``."""
    place = _real(path)
    opened = filter(None, os.environ.get("ATLAS_FOLDERS", "").split(os.pathsep))
    return any(place.is_relative_to(_real(folder)) for folder in opened)


def _real(path: str) -> Path:
    return Path(os.path.realpath(os.path.expanduser(path)))
