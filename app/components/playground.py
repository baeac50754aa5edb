"""The playground: points, a network that learns them in a film, and other models on the same points."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from app.components.address import choice, log_number, number, several, switch
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.metrics import metrics
from app.components.page import user_errors
from app.components.playground_points import choose_points, words
from app.figures.playground import boundary, film, units
from app.language import _
from core.maths.plane import Sample
from core.runs import client

FIT_S, FILM_S = 20.0, 60.0
NETWORK = "mlp"
TIE = "tie"
GOOD = "playground-good"  # what was last on the screen and right: it stays when something is wrong


@dataclass(frozen=True)
class Shown:
    """What is on the screen: points, the network's settings, and what it did."""

    sample: Sample
    settings: dict[str, Any]
    made: dict[str, Any]


def models() -> dict[str, str]:
    """All models and what they are called."""
    return {
        "logistic": _("Logistic regression"), "tree": _("Decision tree"), "forest": _("Random forest"),
        "neighbours": _("k nearest neighbours"), "svm": _("Support vector machine (RBF)"),
        "bayes": _("Naive Bayes"), NETWORK: _("Neural network"),
    }  # fmt: skip


@st.fragment
def laboratory() -> None:
    """Everything that can be turned, and what comes of it."""
    sample = choose_points()
    st.header(_("A network learns"), anchor=False)
    controls, picture = st.columns([2, 3], gap="medium")
    with controls:
        settings = _network_settings()
    if sample is not None:
        with user_errors(), st.spinner(_("The network learns …"), show_time=True):
            made = _train(sample.points, sample.labels, sample.held_out, sample.box, **settings)
            st.session_state[GOOD] = Shown(sample, settings, made)
    shown: Shown | None = st.session_state.get(GOOD)
    if shown is None:
        return
    if shown.sample is not sample:
        picture.caption(_("This still shows the last points from which something could be learnt."))
    with picture:
        show_chart(film(shown.sample, shown.made, words()), key="film", alt=_("How it learns"), tools=False)
    with controls:
        _tell_network(shown)
    if len(shown.made["units"]):
        picture.markdown(
            _(
                "The features it has learnt, at the end: each square is one unit of the last hidden layer over the "
                "whole picture, bright where it is active. What comes after is only a straight line between them."
            )
        )
        with picture:
            show_chart(units(shown.made), key="units", alt=_("Learnt features"), still=True)
    _gallery(shown)


def _network_settings() -> dict[str, Any]:
    activations = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "Sigmoid", "none": _("none")}
    left, right = st.columns(2)
    with left:
        depth = number(_("Hidden layers"), "depth", 3, 0, 8, step=1)
        rate = log_number(_("Learning rate"), "rate", 0.01, 0.0001, 10.0)
        epochs = number(_("Epochs"), "epochs", 200, 10, 300, step=10)
    with right:
        width = number(_("Units in each"), "width", 16, 1, 64, step=1)
        decays = {"0": "0", "0.01": "0.01", "0.1": "0.1", "1": "1", "3": "3", "10": "10"}
        decay = choice(st.select_slider, _("Weight decay"), "decay", decays)
        start = number(_("Seed of the weights"), "start", 0, 0, 99, step=1)
    activation = choice(st.segmented_control, _("Activation function"), "activation", activations)
    return {
        "depth": int(depth), "width": int(width), "activation": activation, "learning_rate": rate,
        "weight_decay": float(decay), "epochs": int(epochs), "seed": int(start),
    }  # fmt: skip


def _tell_network(shown: Shown) -> None:
    """What the network did, in numbers and a sentence made of them."""
    made, sample = shown.made, shown.sample
    metrics((
        (_("Training error"), _percent(made["train_error"])), (_("Test error"), _percent(made["test_error"])),
        (_("Parameters"), f"{made['parameters']:,}"),
    ))  # fmt: skip
    learnt = int((~sample.held_out).sum())
    start, end = float(made["train_loss"][0]), float(made["train_loss"][-1])
    told = _(
        "{parameters:,} parameters were fitted to {points} points in {steps:,} steps; the loss went from "
        "{start:.3g} to {end:.3g}."
    )
    epochs = len(made["train_loss"]) - 1
    st.markdown(told.format(parameters=made["parameters"], points=learnt, steps=epochs * -(-learnt // 32),
                            start=start, end=end))  # fmt: skip
    if made["broken"] is not None:
        told = _("In epoch {epoch} the numbers became too large to go on: take a smaller learning rate.")
        st.warning(told.format(epoch=made["broken"]))
    elif not end < start:
        st.warning(_("It has learnt nothing: the loss is no smaller than before. Take a smaller learning rate."))
    best = int(np.argmin(made["test_loss"])) if sample.held_out.any() else epochs
    fell = made["train_loss"][-1] < made["train_loss"][best]
    if made["broken"] is None and fell and best < epochs // 2 and made["test_loss"][-1] > 1.3 * made["test_loss"][best]:
        told = _(
            "It over-fits: the loss on the test points was lowest after epoch {epoch}, {low:.3g}, and is {end:.3g} "
            "now, while that on the training points went on falling."
        )
        st.info(told.format(epoch=best, low=made["test_loss"][best], end=made["test_loss"][-1]))


@st.fragment
def _gallery(shown: Shown) -> None:
    """The chosen models side by side; turning one of them leaves the network and its film alone."""
    st.header(_("Other models on the same points"), anchor=False)
    names = models()
    chosen = several(st.pills, _("Models"), "models", names, selection_mode="multi")
    with st.expander(_("Turn the classics"), icon=":material/tune:"):
        settings = _classic_settings()
    sample = shown.sample
    fits: dict[str, dict[str, Any]] = {}
    for name in (name for name in names if name in chosen):
        with user_errors():
            if name == NETWORK:
                fits[name] = {**shown.made, "grid": shown.made["grids"][-1]}
            else:
                mine = (sample.points, sample.labels, sample.held_out, sample.box)
                fits[name] = _fit(name, *mine, **settings[name])
    if not fits:
        st.info(_("Choose a model above."))
        return
    _ask(shown, fits, names)
    texts = words()
    st.markdown(_("Under each model its error: the share of the training points and of the test points it gets wrong."))
    with st.container(horizontal=True, gap="small"):
        for name, fit in fits.items():
            with st.container(width=264, border=True, key=f"model-{name}"):
                st.markdown(f"**{names[name]}**")
                show_chart(boundary(sample, fit["grid"], texts), key=f"plane-{name}", alt=names[name], still=True)
                told = _("training **{train}** · test **{test}**")
                st.markdown(told.format(train=_percent(fit["train_error"]), test=_percent(fit["test_error"])))
    _tell_difference(shown, fits, names, settings["logistic"])


def _classic_settings() -> dict[str, dict[str, Any]]:
    """The settings of each classic."""
    st.markdown(_("What the logistic regression sees, besides x and y:"))
    with st.container(horizontal=True):
        linear = {
            "squares": switch("x², y²", "squares"),
            "product": switch("x · y", "product"),
            "sine": switch("sin πx, sin πy", "sine"),
        }
    left, middle, right = st.columns(3)
    with left:
        depth = number(_("Depth of the trees"), "tree_depth", 6, 1, 20, step=1)
        trees = number(_("Trees in the forest"), "trees", 50, 1, 200, step=1)
    with middle:
        neighbours = number(_("k, the neighbours that vote"), "k", 5, 1, 50, step=1)
    with right:
        gamma = log_number(_("γ of the SVM: how near a point must be to count"), "gamma", 5.0, 0.1, 1000.0)
        c = log_number(_("C of the SVM: the price of a point on the wrong side"), "c", 3.0, 0.01, 1000.0)
    return {
        "logistic": linear, "tree": {"tree_depth": int(depth)}, "neighbours": {"neighbours": int(neighbours)},
        "forest": {"tree_depth": int(depth), "trees": int(trees)}, "svm": {"gamma": gamma, "c": c}, "bayes": {},
    }  # fmt: skip


def _ask(shown: Shown, fits: dict[str, dict[str, Any]], names: dict[str, str]) -> None:
    """Which of the models is best? Asked before the pictures; a new question for new points."""
    errors = {name: fit["test_error"] for name, fit in fits.items() if fit["test_error"] is not None}
    if len(errors) < 2:
        return
    low = min(errors.values())
    best = [name for name in errors if errors[name] == low]
    told = _("{names}: wrong on {low} of the test points; the worst, {worst}, on {high}.")
    worst = max(errors, key=lambda name: errors[name])
    because = told.format(
        names=", ".join(names[name] for name in best), low=_percent(low), worst=names[worst],
        high=_percent(errors[worst]),
    )  # fmt: skip
    digest = zlib.crc32(shown.sample.points.tobytes() + ",".join(errors).encode())
    options = {name: names[name] for name in errors} | {TIE: _("several are equally good")}
    question = _("Which of these is wrong on the fewest of the {n} test points?").format(n=shown.sample.held_out.sum())
    predict_first(f"playground-{digest}", question, options, best[0] if len(best) == 1 else TIE, because)


def _tell_difference(
    shown: Shown, fits: dict[str, dict[str, Any]], names: dict[str, str], linear: dict[str, bool]
) -> None:
    """What is the difference between machine learning and deep learning? Answered with the numbers on the screen."""
    if not shown.sample.held_out.any():
        st.markdown(_("No point is held out for the test, so nothing shows what these models make of new points."))
        return
    told = []
    errors = {name: float(fit["test_error"]) for name, fit in fits.items()}
    bends = shown.settings["depth"] > 0 and shown.settings["activation"] != "none"
    if {"logistic", NETWORK} <= set(fits) and (bends or not any(linear.values())):
        if not bends:
            sentence = _(
                "A network without hidden layers, or without an activation function between them, is a straight "
                "line like the logistic regression, however deep it is: it is wrong on {network} of the test "
                "points, the logistic regression on {linear}."
            )
        elif any(linear.values()):
            sentence = _(
                "The logistic regression sees features that you have thought of, and is wrong on {linear} of the "
                "test points. The network has to find its own, in {depth} hidden layers, and is wrong on "
                "{network}. This is the difference between classic machine learning and deep learning."
            )
        else:
            sentence = _(
                "Both learn from the same {n} points. The logistic regression can only draw a straight line: it is "
                "wrong on {linear} of the test points. The network first learns features, in {depth} hidden "
                "layers, for a straight line to part: it is wrong on {network}. Learning the features too is what "
                "makes machine learning deep."
            )
        told.append(sentence.format(
            linear=_percent(errors["logistic"]), network=_percent(errors[NETWORK]), depth=shown.settings["depth"],
            n=int((~shown.sample.held_out).sum()),
        ))  # fmt: skip
    classics = {name: error for name, error in errors.items() if name != NETWORK}
    if NETWORK in errors and classics and min(classics.values()) <= errors[NETWORK]:
        best = min(classics, key=lambda name: classics[name])
        sentence = _(
            "Deep is not always better: {name} is wrong on {error} of the test points, no more than the network."
        )
        told.append(sentence.format(name=names[best], error=_percent(classics[best])))
    gaps = {name: errors[name] - fit["train_error"] for name, fit in fits.items()}
    widest = max(gaps, key=lambda name: gaps[name])
    if gaps[widest] >= 0.05:
        sentence = _(
            "{name} over-fits most: wrong on {train} of the points it has learnt, and on {test} of the others."
        )
        train, test = fits[widest]["train_error"], errors[widest]
        told.append(sentence.format(name=names[widest], train=_percent(train), test=_percent(test)))
    for sentence in told:
        st.markdown(sentence)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


@st.cache_data(max_entries=400, show_spinner=False)
def _fit(name: str, points: Any, labels: Any, held_out: Any, box: float, **settings: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.call(
        "core.maths.playground:fit", timeout=FIT_S, name=name, points=points, labels=labels, held_out=held_out,
        box=box, **settings,
    )  # fmt: skip
    return made


@st.cache_data(max_entries=60, show_spinner=False)
def _train(points: Any, labels: Any, held_out: Any, box: float, **settings: Any) -> dict[str, Any]:
    made: dict[str, Any] = client.call(
        "core.maths.playground:train_network", timeout=FILM_S, points=points, labels=labels, held_out=held_out,
        box=box, **settings,
    )  # fmt: skip
    return made
