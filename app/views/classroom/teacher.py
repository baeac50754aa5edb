"""Your name for everybody; settings, disk and log for the teacher."""

import streamlit as st

from app.components import classroom
from app.components.page import page_header
from app.components.who import me
from app.language import _

TITLE = "Name and teacher"
ICON = ":material/badge:"
ORDER = 90

page_header(_("Name and teacher"), _("Say what you want to be called. The teacher signs in here and runs the server."))
classroom.your_name()
if me().teacher:
    st.subheader(_("Settings"), anchor=False)
    classroom.change_settings()
    st.subheader(_("Disk"), anchor=False)
    classroom.disk()
    st.subheader(_("Log"), anchor=False)
    classroom.log()
    classroom.sign_out()
else:
    st.subheader(_("For the teacher"), anchor=False)
    classroom.sign_in()
