"""The entry of the app: ``streamlit run app/Home.py``. Page config, language, navigation, and nothing else."""

import streamlit as st

from app.language import language_switch
from app.navigation import pages

st.set_page_config(layout="wide")
language_switch()
st.navigation(pages(), position="top").run()
