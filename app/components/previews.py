"""What a recipe is about, before it runs: its pictures, its classes, the layers of its model."""

import contextlib
import hashlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
import streamlit as st

from app.components import recipe_form
from app.components.chart import show_chart
from app.components.downloading import bring
from app.components.page import user_errors
from app.components.pixels import crisp
from app.components.who import check_folder, me
from app.figures.training import class_counts
from app.language import _, _n
from core.errors import UserError
from core.runs import client, shares
from core.vision.recipe import PictureRecipe

DATA_FIELDS = ("dataset", "image_size", "seed", "validation_share", "train_limit")
LOAD_S = 300.0  # sixty thousand files may have to be decoded
IMPORT_S = 150.0  # of a zip; longer than the import itself allows
_importing: set[str] = set()  # owners whose zip is being read
_importing_lock = threading.Lock()


def show_dataset(recipe: PictureRecipe) -> None:
    """Sample pictures, class counts, sizes of the parts, source. Raises `UserError` when the data cannot be had."""
    check_folder(recipe.dataset)
    bring(recipe.dataset)
    found = _facts(recipe)
    parts = {"train": _("Training"), "validation": _("Validation"), "test": _("Test")}
    sizes = " · ".join(f"{parts[part]} {sum(n):,}" for part, n in found["counts"].items())
    st.markdown(f"**{sizes}**")
    _grid(found)
    _class_counts(found, parts)
    st.text(f"{found['source']} · {found['version']}")
    if found["skipped"]:
        told = _n("{n} file could not be read and is left out.", "{n} files could not be read and are left out.",
                  found["skipped"])  # fmt: skip
        st.warning(told, icon=":material/broken_image:")


def show_layers(recipe: PictureRecipe) -> None:
    """A table of the model's layers for this data set, and how many parameters it has."""
    with user_errors():
        found = _facts(recipe)
        _table(_layers(recipe.model, tuple(found["input_shape"]), len(found["classes"])))


# What a closed panel holds is drawn all the same, and charts and tables are the slowest to draw: these two are filled
# when they are opened.


@st.fragment
def _class_counts(found: dict[str, Any], parts: dict[str, str]) -> None:
    title = _("Pictures of each class")
    panel = st.expander(title, key="counts", bind="query-params")
    if panel.open:
        with panel:
            show_chart(class_counts(found["counts"], found["classes"], parts), key="class-counts", alt=title)


@st.fragment
def _table(rows: list[dict[str, Any]]) -> None:
    total = sum(row["parameters"] for row in rows)
    told = _("{n:,} parameters in {layers} layers").format(n=total, layers=len(rows))
    panel = st.expander(told, key="layers", bind="query-params")
    if panel.open:
        table = pd.DataFrame(rows)
        table["output_shape"] = ["×".join(map(str, shape)) for shape in table["output_shape"]]
        names = (_("Name"), _("Kind"), _("Output"), _("Parameters"))
        panel.dataframe(table.set_axis(names, axis=1), hide_index=True, height=260)


def upload_zip() -> None:
    """Your own pictures: a zip with one folder a class becomes a data set of its own."""
    with st.expander(_("Your own pictures")):
        st.markdown(_("A zip file with one folder for each class; each folder holds PNG, JPEG or WebP pictures."))
        file = st.file_uploader(_("A zip file"), type="zip", key="zip-upload")
        if file is None:
            return
        data = file.getvalue()
        digest = hashlib.sha256(data).hexdigest()
        if st.session_state.get("imported-zip") == digest:
            return
        owner = me().id
        with st.spinner(_("Looking at every picture …")), _one_at_a_time(owner):
            shares.check_disk(owner)
            most = shares.pictures_left(owner)
            found = client.call("core.vision.uploads:import_zip", pool="import", timeout=IMPORT_S, data=data, most=most)
            shares.enter_upload(owner, found["dataset"], sum(found["counts"]))
        st.session_state["imported-zip"] = digest
        recipe_form.use_dataset(found["dataset"])
        st.rerun()


@contextlib.contextmanager
def _one_at_a_time(owner: str) -> Iterator[None]:
    """So that nobody takes all the processes that read zip files, or more than their share, with many tabs."""
    with _importing_lock:
        if owner in _importing:
            raise UserError("Your zip file before this one is still being read. Try again when it is done.")
        _importing.add(owner)
    try:
        yield
    finally:
        _importing.discard(owner)


def _facts(recipe: PictureRecipe) -> dict[str, Any]:
    """A person's folder may change at any time: what was found there is believed for a minute only."""
    fields = {name: getattr(recipe, name) for name in DATA_FIELDS}
    minute = int(time.time() // 60) if recipe.dataset.startswith("folder:") else 0
    return _dataset(minute, **fields)


@st.cache_data(max_entries=32, show_spinner=False)
def _dataset(minute: int, **fields: Any) -> dict[str, Any]:
    del minute
    found: dict[str, Any] = client.call("core.vision.preview:dataset_preview", timeout=LOAD_S, recipe=fields)
    return found


@st.cache_data(max_entries=64, show_spinner=False)
def _layers(model: str, input_shape: tuple[int, int, int], num_classes: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.call(
        "core.vision.summary:layer_table", model=model, input_shape=input_shape, num_classes=num_classes
    )
    return rows


def _grid(found: dict[str, Any]) -> None:
    images = [crisp(image) for image in found["samples"][:20]]
    captions = [str(found["classes"][label])[:12] for label in found["sample_labels"][:20]]
    with st.container(horizontal=True, gap="small"):
        for image, caption in zip(images, captions, strict=True):
            with st.container(width=56, gap=None):
                st.image(image, width=48)
                st.text(caption)
