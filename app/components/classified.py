"""Pictures of a person, decoded and classified in other processes, and what came of it."""

from typing import Any

import pandas as pd
import streamlit as st

from app.components.pixels import encoded
from app.figures.classification import heat_over
from app.language import _, explain
from app.text import csv_cell, literal
from core.errors import UserError
from core.runs import client

DECODE_S = 10.0
LONGEST_SIDE = 640  # pixels: more than the page shows and a network sees


@st.cache_data(max_entries=64, show_spinner=False)  # 80 MB at most; the answers below as much
def decode(data: bytes) -> Any:
    """The pixels of an encoded picture, (H,W,3) uint8. Raises `UserError`."""
    return client.call(
        "core.vision.decoding:decode_picture", pool="decode", timeout=DECODE_S, data=data, longest_side=LONGEST_SIDE
    )


@st.cache_data(max_entries=8, show_spinner=False)
def classify(data: tuple[bytes, ...], model: str) -> list[dict[str, Any]]:
    """The answers of a model for encoded pictures that can be decoded."""
    pictures = [decode(one) for one in data]
    found: list[dict[str, Any]] = client.call(
        "core.vision.classification:classify", pictures=pictures, model=model, explain=True
    )
    return found


def readable(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files that are pictures; each of the others is answered with a sentence beside its name."""
    good: dict[str, bytes] = {}
    for name, data in files.items():
        try:
            decode(data)
            good[name] = data
        except UserError as error:
            st.text(name)
            st.error(explain(error))
    return good


def show(name: str, data: bytes, result: dict[str, Any]) -> None:
    """One picture: what it shows, what the network got to see, and where it looked."""
    st.text(name)
    answers, picture, seen, where = st.columns([2, 1, 1, 1])  # on a phone they stand below each other
    for entry in result["top"]:  # first, and no chart: a browser has to fetch and start plotly before it draws one
        answers.progress(min(1.0, entry["probability"]), f"{literal(entry['label'])} · {entry['probability']:.1%}")
    heat = encoded(heat_over(result["seen"], result["heatmap"]))
    picture.image(encoded(decode(data)), caption=_("Your picture"), width="stretch")
    seen.image(encoded(result["seen"]), caption=_("As the network sees it"), width="stretch")
    where.image(heat, caption=_("Where it looked (Grad-CAM)"), width="stretch")
    if result["inverted"]:
        st.caption(_("Light and dark were exchanged: this network learnt from light shapes on a dark ground."))
    if result["trimmed"]:
        st.caption(_("The empty ground around the shape was cut off, as in the pictures it learnt from."))


def table(results: dict[str, dict[str, Any]]) -> None:
    """All answers as a table to download."""
    rows = [
        {_("File"): name, **{f"{k + 1}": e["label"] for k, e in enumerate(r["top"])}, "p": r["top"][0]["probability"]}
        for name, r in results.items()
    ]
    frame = pd.DataFrame(rows).map(csv_cell)  # here too: a table has a button of Streamlit's to download it
    st.dataframe(frame, hide_index=True)
    csv = frame.to_csv(index=False)
    st.download_button(_("Download the table"), csv, "classified.csv", "text/csv", on_click="ignore")
