"""Who looks at this page."""

import streamlit as st

from core import people, teacher
from core.people import Person


def me() -> Person:
    """The person of this browser, by its signed cookie; without one, as in tests, of this session."""
    owner = people.owner_of(st.context.cookies.get(people.cookie_name()))
    owner = owner or str(st.session_state.setdefault("owner", people.new_id()))
    return Person(owner, teacher.is_signed_in(owner))
