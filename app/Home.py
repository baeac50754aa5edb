"""The entry of the app: ``streamlit run app/Home.py``. Page config, language, navigation, and nothing else.

Streamlit imports this file once, to find the server, and runs it as its script for everybody who looks.
"""

from pathlib import Path

import streamlit as st

if __name__ == "__main__":
    from app.language import language_switch
    from app.navigation import pages

    # An icon of ours: for a page's own icon the browser would ask a server on the internet.
    st.set_page_config(layout="wide", page_icon=Path(__file__).with_name("icon.png"))
    language_switch()
    st.navigation(pages(), position="top").run()
else:
    from app.serving.server import parts

    app = st.App(__file__, **parts())
