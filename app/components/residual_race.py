"""The race of the page on residual connections, and the paper's figures beside ours."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from app.components.address import log_number, number
from app.components.chart import show_chart
from app.components.page import user_errors
from app.components.residual_parts import ACTIVATIONS, NAMES, Nets, even_number, gradient_ratio, sized, verdict
from app.figures import residual as figures
from app.language import _, mark
from core.runs import client

TIMEOUT_S = 90.0
MOST_KEPT = 12
RACE, LAST, KEPT = "race", "residual-last-race", "residual-races"
# He et al. 2015, arXiv 1512.03385. Top-1 error on ImageNet's validation pictures, 10 crops each, in per cent.
TABLE_2 = {18: (27.94, 27.88), 34: (28.54, 25.03)}  # layers: plain, residual
TABLE_6 = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43}  # layers: error of ResNets on CIFAR-10's test pictures
VERDICTS = {"vanishes": mark("it vanishes"), "keeps": mark("it neither vanishes nor explodes"),
            "explodes": mark("it explodes")}  # fmt: skip
Recipe = dict[str, Any]


def the_race(nets: Nets) -> None:
    """Settings, button, film and what it shows. The link holds the recipe, and whether it was raced."""
    columns = st.columns(3)
    with columns[0]:
        rate = log_number(_("Learning rate"), "lr", 0.03, 0.001, 1.0)
    with columns[1]:
        epochs = int(number(_("Epochs"), "epochs", 15, 5, 25, step=1))
    with columns[2]:
        shallow = even_number(_("The shallow plain net's depth"), "shallow", 20, 30)
    recipe = {**asdict(nets), "shallow": shallow, "learning_rate": rate, "epochs": epochs}
    st.caption(
        _("Three nets learn the same 1,437 digits in the same order: plain and residual with {depth} layers from the "
          "same weights, and a shallow plain one with {shallow}. Stochastic gradient descent, momentum 0.9, batches "
          "of 128; 360 digits are kept for the test.").format(depth=nets.depth, shallow=recipe["shallow"])
    )  # fmt: skip
    st.button(
        _("Race"), key="run-race", type="primary", icon=":material/flag:", on_click=_start, args=(_digest(recipe),)
    )
    asked = st.query_params.get(RACE) == _digest(recipe)
    if asked:
        with user_errors(), st.spinner(_("Three nets are learning; that takes up to 20 seconds …")):
            _keep(recipe, raced(**recipe))
    last = st.session_state.get(LAST)
    if last is None:
        if RACE in st.query_params and not asked:
            st.info(_("The link tells of a race with other settings than these. Press “Race” to run these."))
        else:
            st.info(_("Which of the three will have the lowest loss on what it learns from? Decide, then press."))
        _paper()
        return
    shown, runners = last
    if shown != recipe:
        st.info(
            _("The picture shows the last race: {depth} layers, {activation}, learning rate {rate:g}, {epochs} "
              "epochs. The settings have changed since; press “Race” to run them.").format(
                depth=shown["depth"], activation=ACTIVATIONS[shown["activation"]], rate=shown["learning_rate"],
                epochs=shown["epochs"],
            )
        )  # fmt: skip
    show_chart(figures.race(runners, _words(shown)), key="race-film", alt=_("The race"))
    _said(shown, runners)
    _kept()
    _paper()


@st.cache_data(max_entries=64, show_spinner=False)
def raced(**recipe: Any) -> dict[str, Any]:
    """`core.maths.residual.race`, kept by its inputs."""
    found: dict[str, Any] = client.call("core.maths.residual:race", timeout=TIMEOUT_S, **recipe)
    return found


def _said(recipe: Recipe, runners: Mapping[str, Any]) -> None:
    """What this race shows of degradation, and what of vanishing gradients."""
    words = _words(recipe)
    for name, net in runners.items():
        if net["diverged"]:
            st.warning(
                _("{net}: the loss stopped being a number in epoch {epoch}; the learning rate is too large.").format(
                    net=words[name], epoch=len(net["steps"]) + 1
                )
            )
    if any(net["diverged"] for net in runners.values()):
        return
    loss = {name: net["loss"][-1] for name, net in runners.items()}
    error = {name: 1 - net["training"][-1] for name, net in runners.items()}
    columns = st.columns(3)
    for column, name in zip(columns, runners, strict=True):
        column.metric(words[name], f"{loss[name]:.3f}", help=_("Training loss of the last epoch"))
        column.caption(
            _("wrong in training {training:.1%}, in the test {test:.1%}").format(
                training=error[name], test=1 - runners[name]["test"][-1]
            )
        )
    fields = {**recipe, **{name: f"{value:.3f}" for name, value in loss.items()}}
    if recipe["depth"] <= recipe["shallow"]:
        st.markdown(_("To see whether depth harms, the deep nets must be deeper than the shallow one."))
    elif loss["plain"] > 1.1 * loss["shallow"]:
        st.markdown(
            _("**Degradation**: {depth} plain layers end with a training loss of {plain}, {layers} with {few}. It is "
              "the error on what they learn from, so it is no over-fitting. The deeper net could imitate the "
              "shallower; training does not find how.").format(
                depth=recipe["depth"], layers=recipe["shallow"], plain=fields["plain"], few=fields["shallow"]
            )
        )  # fmt: skip
    else:
        st.markdown(
            _("**No degradation here**: {depth} plain layers end with a training loss of {plain}, {layers} with "
              "{few}. Try a deeper net, or without normalisation.").format(
                depth=recipe["depth"], layers=recipe["shallow"], plain=fields["plain"], few=fields["shallow"]
            )
        )  # fmt: skip
    _shortcuts(recipe, loss)


def _shortcuts(recipe: Recipe, loss: Mapping[str, float]) -> None:
    if recipe["depth"] == 2:
        return
    if loss["residual"] < loss["plain"] / 1.1:
        template = _("With shortcuts the same {depth} layers end at {residual} instead of {plain}.")
    elif loss["residual"] > 1.1 * loss["plain"]:
        template = _("Shortcuts do not help here: the same {depth} layers end at {residual}, without them at {plain}.")
    else:
        template = _("Shortcuts change little here: {residual} with them, {plain} without, at {depth} layers.")
    st.markdown(
        template.format(depth=recipe["depth"], residual=f"{loss['residual']:.3f}", plain=f"{loss['plain']:.3f}")
    )
    ratio = gradient_ratio(Nets(**{name: recipe[name] for name in Nets.__dataclass_fields__}), "plain")
    st.markdown(
        _("Was it the vanishing gradient? Before training, the gradient at the plain net's first layer is {ratio} "
          "times that at the last: {verdict}.").format(ratio=sized(ratio), verdict=_(VERDICTS[verdict(ratio)]))
    )  # fmt: skip


def _kept() -> None:
    """All races of this session, to compare depths with."""
    rows = [
        {
            _("Layers"): str(recipe["depth"]),
            _("Activation"): ACTIVATIONS[recipe["activation"]],
            _("Batch normalisation"): "✓" if recipe["normalised"] else "–",
            _("Learning rate"): f"{recipe['learning_rate']:g}",
            _("Epochs"): str(recipe["epochs"]),
            **{_("{net}: training loss").format(net=_(NAMES[name])): _last(runners[name], "loss") for name in NAMES},
            **{_("{net}: test error").format(net=_(NAMES[name])): _last(runners[name], "test") for name in NAMES},
        }
        for recipe, runners in st.session_state.get(KEPT, {}).values()
    ]
    if len(rows) > 1:
        st.caption(_("Your races in this session"))
        st.dataframe(rows, hide_index=True)


def _paper() -> None:
    """What the paper measured, and the same comparison with ours where there is one."""
    st.subheader(_("The paper's figures, and ours"), anchor=False)
    left, right = st.columns(2)
    layers, plain, residual = _("Layers"), _(NAMES["plain"]), _(NAMES["residual"])
    with left:
        st.caption(_("He et al. 2015, table 2: top-1 error on ImageNet's validation pictures, 10 crops each"))
        st.table(
            [{layers: str(depth), plain: f"{a:.2f} %", residual: f"{b:.2f} %"} for depth, (a, b) in TABLE_2.items()],
            hide_index=True,
        )
    with right:
        st.caption(_("He et al. 2015, table 6: error of residual nets on CIFAR-10's test pictures"))
        rows = [{layers: str(depth), residual: f"{value:.2f} %"} for depth, value in TABLE_6.items()]
        st.table(rows, hide_index=True)
    (plain_18, residual_18), (plain_34, residual_34) = TABLE_2.values()
    st.markdown(
        _("Theirs: from 18 to 34 layers the plain net's error changes by {plain} points, the residual net's by "
          "{residual}.").format(
            plain=_signed(plain_34 - plain_18, 2), residual=_signed(residual_34 - residual_18, 2)
        )
    )  # fmt: skip
    last = st.session_state.get(LAST)
    if last is not None and not any(net["diverged"] for net in last[1].values()):
        recipe, runners = last
        error = {name: 100 * (1 - net["test"][-1]) for name, net in runners.items()}
        st.markdown(
            _("Ours, on digits: from {few} to {many} plain layers the test error changes by {plain} points, to "
              "{error:.1f} %; the residual net of {many} layers has {residual:.1f} %. Small pictures, fully connected "
              "layers, {epochs} epochs: compare the direction, not the size.").format(
                few=recipe["shallow"], many=recipe["depth"], plain=_signed(error["plain"] - error["shallow"], 1),
                error=error["plain"], residual=error["residual"], epochs=recipe["epochs"],
            )
        )  # fmt: skip
    st.markdown(
        _("Source: [He, Zhang, Ren, Sun, “Deep Residual Learning for Image Recognition”, arXiv 1512.03385]"
          "(https://arxiv.org/abs/1512.03385). What the paper fights is degradation, a training error that rises "
          "with depth; §4.1 argues that vanishing gradients are unlikely to be its cause.")
    )  # fmt: skip


def _start(digest: str) -> None:
    st.query_params[RACE] = digest


def _keep(recipe: Recipe, runners: dict[str, Any]) -> None:
    st.session_state[LAST] = (recipe, runners)
    kept = st.session_state.setdefault(KEPT, {})
    kept[_digest(recipe)] = (recipe, runners)
    while len(kept) > MOST_KEPT:
        kept.pop(next(iter(kept)))


def _signed(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def _digest(recipe: Recipe) -> str:
    """Names a recipe in the link, so that a changed slider does not start a race."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:8]


def _last(net: Mapping[str, Any], key: str) -> str:
    if net["diverged"]:
        return "∞" if key == "loss" else "–"
    return f"{net[key][-1]:.3f}" if key == "loss" else f"{1 - net[key][-1]:.1%}"


def _words(recipe: Recipe) -> dict[str, str]:
    """What the figure calls its nets and axes."""
    return {
        "plain": _("Plain, {depth} layers").format(depth=recipe["depth"]),
        "residual": _("Residual, {depth} layers").format(depth=recipe["depth"]),
        "shallow": _("Plain, {depth} layers").format(depth=recipe["shallow"]),
        "loss": _("Training loss"),
        "accuracy": _("Accuracy: thick in training, thin in the test"),
        "step": _("Step"),
        "frame": _("Epoch {number}"),
    }
