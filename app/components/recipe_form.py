"""The form of a recipe, made from the recipe's own fields, in the order of the six steps of training.

What the form shows is in the link (only what differs from the preset), so that a link reproduces it.
"""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from app.components.shape_factors import shape_factors
from app.language import _, explain, mark
from core import registry
from core.errors import UserError
from core.vision.recipe import DATASETS, MODELS, PictureRecipe

FIRST_PRESET = "quick-look"
PRESETS = {
    "quick-look": mark("Quick look"),
    "article": mark("The article's recipe"),
    "fashion-cpu": mark("Fashion on a CPU"),
    "good-resnet": mark("A good ResNet"),
    "speed-run": mark("Speed run on a GPU"),
    "overfit": mark("Overfit on purpose"),
    "learning-rate-x100": mark("Learning rate × 100"),
}
LABELS = {
    "dataset": mark("Data set"),
    "image_size": mark("Picture size"),
    "train_limit": mark("Training pictures"),
    "model": mark("Model"),
    "seed": mark("Seed"),
    "device": mark("Device"),
    "optimizer": mark("Optimiser"),
    "learning_rate": mark("Learning rate"),
    "schedule": mark("Schedule"),
    "batch_size": mark("Batch size"),
    "epochs": mark("Epochs"),
    "weight_decay": mark("Weight decay"),
    "label_smoothing": mark("Label smoothing"),
    "crop": mark("Random crop"),
    "flip": mark("Random flip"),
    "alternating_flip": mark("Alternating flip"),
    "cutout": mark("Cutout"),
    "flip_test": mark("Mirror when judging"),
    "validation_share": mark("Validation share"),
    "early_stopping": mark("Early stopping"),
    "keep_best": mark("Keep the best epoch"),
}
NEEDS_ARGUMENT = {
    "folder": mark("Path of a folder with one folder per class"),
}
_SHOWN = "shown-recipe"  # session: the recipe behind the form, kept while other pages are open
_PRESET = "preset"
_NEXT = "next-recipe"  # session: what the form shows from the next run of the page on


def start_recipe() -> None:
    """Before any widget: take the recipe from the link, else from this session, else the first preset.

    Streamlit forgets what a widget shows when the browser, in a hurry, does not know of it yet: what is lacking is
    filled in again, one by one.
    """
    if _NEXT in st.session_state:
        fill(st.session_state.pop(_NEXT))
    lacking = [name for name in PictureRecipe.settings() if _key(name) not in st.session_state]
    if not lacking:
        return
    given = {name: st.query_params[name] for name in PictureRecipe.settings() if name in st.query_params}
    preset = st.query_params.get(_PRESET, FIRST_PRESET)
    recipe = PictureRecipe.preset(FIRST_PRESET)
    try:
        if given or _PRESET in st.query_params:
            recipe = PictureRecipe.preset(preset, **given)
        elif _SHOWN in st.session_state:
            preset, recipe = st.session_state[_SHOWN]
    except UserError as error:
        st.error(explain(error))
        preset = FIRST_PRESET
    st.session_state.setdefault(_PRESET, preset)
    fill(recipe, lacking)


def fill(recipe: PictureRecipe, names: Iterable[str] | None = None) -> None:
    """Put a recipe's values, or those of some fields, into the form's widgets."""
    values = recipe.to_mapping()
    for name in values if names is None else names:
        st.session_state[_key(name)] = values[name]
        if name == "dataset":
            st.session_state[_key(name)], _colon, st.session_state[_key("argument")] = recipe.dataset.partition(":")


def fill_next(recipe: PictureRecipe) -> None:
    """Fill the form when the page runs next: the widgets of this run are already drawn."""
    st.session_state[_NEXT] = recipe


def choose_preset() -> None:
    """The row of presets; choosing one fills the form."""
    st.segmented_control(
        _("Preset"),
        list(PRESETS),
        key=_PRESET,
        required=True,
        format_func=lambda name: _(PRESETS[name]),
        on_change=lambda: fill(PictureRecipe.preset(st.session_state[_PRESET])),
    )


def read_recipe() -> PictureRecipe:
    """The recipe the form shows, checked; the link is brought up to date. Raises `UserError`."""
    values = {name: st.session_state[_key(name)] for name in PictureRecipe.settings()}
    argument = st.session_state.get(_key("argument"), "").strip()
    if argument and values["dataset"] in (*NEEDS_ARGUMENT, "shapes", "upload"):
        values["dataset"] += f":{argument}"
    recipe = PictureRecipe.from_mapping(values)
    preset = st.session_state[_PRESET]
    st.session_state[_SHOWN] = (preset, recipe)
    link = {_PRESET: preset, **{k: str(v) for k, v in recipe.changes(PictureRecipe.preset(preset)).items()}}
    for name in (*PictureRecipe.settings(), _PRESET):
        if name in link and st.query_params.get(name) != link[name]:
            st.query_params[name] = link[name]
        elif name not in link and name in st.query_params:
            del st.query_params[name]
    return recipe


def choose_dataset() -> None:
    """The data sets, and the argument of those that take one."""
    name = _choice("dataset", registry.names(DATASETS))
    st.caption(_(registry.summary(DATASETS, name)))
    if name in NEEDS_ARGUMENT:
        st.text_input(_(NEEDS_ARGUMENT[name]), key=_key("argument"), max_chars=400)
    if name == "shapes":
        shape_factors(_key("argument"))


def choose_model() -> None:
    name = _choice("model", registry.names(MODELS))
    st.caption(_(registry.summary(MODELS, name)))


def fields(*names: str) -> None:
    """Widgets for the named fields, with the bounds and the description of each."""
    for name in names:
        kind, allowed = PictureRecipe.settings()[name]
        label, about = _(LABELS[name]), _(allowed.help)
        if allowed.choices:
            _choice(name, allowed.choices)
        elif kind is bool:
            st.toggle(label, key=_key(name), help=about)
        else:
            number: Any = int if kind is int else float
            st.number_input(
                label,
                min_value=number(allowed.minimum),
                max_value=number(allowed.maximum),
                step=1 if kind is int else None,
                format=None if kind is int else "%g",
                key=_key(name),
                help=about,
            )


def _choice(name: str, options: tuple[str, ...]) -> str:
    about = _(PictureRecipe.settings()[name][1].help)
    return str(st.selectbox(_(LABELS[name]), options, key=_key(name), help=about))


def _key(name: str) -> str:
    return f"recipe-{name}"


def use_dataset(dataset: str) -> None:
    """Fill the form, when the page runs next, with this data set and all else as it is."""
    _preset, recipe = st.session_state[_SHOWN]
    fill_next(PictureRecipe.from_mapping(recipe.to_mapping() | {"dataset": dataset}))
