"""The page on residual connections: what can be set, what flows through both nets, and a block of each."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from app.components.address import choice, number, switch
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.metrics import metrics
from app.components.order import aside, later
from app.figures import residual as figures
from app.language import _, mark
from core.runs import client

ACTIVATIONS = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid", "gelu": "GELU"}
INITIALISATIONS = {
    "he": mark("He: variance 2/n"),
    "xavier": mark("Xavier: variance 1/n"),
    "small": mark("small: standard deviation 0.01"),
    "orthogonal": mark("orthogonal"),
}
DATA = {"digits": mark("real digits"), "noise": mark("noise")}
QUANTITIES = {"gradient": mark("by the signal, ∂L/∂x"), "weights": mark("by the weights, ∂L/∂W")}
NAMES = {"plain": mark("Plain net"), "residual": mark("Residual net")}
STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "paper": (mark("As in the paper: ReLU, normalised"), {}),
    "xavier": (mark("ReLU from Xavier, not normalised"), {"init": "xavier", "bn": "0"}),
    "he": (mark("ReLU from He, not normalised"), {"bn": "0"}),
    "sigmoid": (mark("Sigmoid, not normalised"), {"activation": "sigmoid", "init": "xavier", "bn": "0"}),
}
VANISHED, EXPLODED = 1e-2, 1e2
TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Nets:
    """What both nets have in common: all but the shortcut."""

    depth: int
    activation: str
    initialisation: str
    normalised: bool
    after: bool
    seed: int


def controls() -> Nets:
    """Everything that makes the nets; each in the link."""
    st.caption(_("Begin with"))
    with st.container(horizontal=True, gap="small"):
        for name, (words, parameters) in STARTS.items():
            st.button(_(words), key=f"start-{name}", on_click=_begin, args=(parameters,))
    depth = even_number(_("Depth: layers with weights"), "depth", 56, 56)
    activation = choice(st.selectbox, _("Activation"), "activation", ACTIVATIONS)
    initialisation = choice(st.selectbox, _("Initialisation"), "init", _all(INITIALISATIONS))
    normalised = switch(_("Batch normalisation"), "bn", True)
    after = switch(_("Activation after the sum (2015)"), "after", True)
    seed = int(number(_("Seed"), "seed", 0, 0, 99, step=1))
    return Nets(depth, activation, initialisation, normalised, after, seed)


def at_the_start(nets: Nets) -> None:
    """Signal and gradient by layer before any training, and what they say."""
    left, right = st.columns(2)
    with aside(left):
        data = choice(st.segmented_control, _("Input"), "data", _all(DATA), required=True)
    with aside(right):
        quantity = choice(st.segmented_control, _("Gradient"), "of", _all(QUANTITIES), required=True)
    found = measured(**asdict(nets), data=data)
    gradients = {name: _ratio(found[name][quantity]) for name in NAMES}
    signals = {name: 1 / max(_ratio(found[name]["signal"]), 1e-300) for name in NAMES}
    later(_question, gradients)
    words = {"layer": _("layer"), **_all(NAMES)}
    layers = found["plain"]["layers"]
    left, right = st.columns(2)
    with left:
        title = _("Forward: signal |x|")
        show_chart(figures.by_layer(found, "signal", layers, title, words), key="signal", alt=title)
        _ratios(_("{net}: last ÷ first"), signals)
    with right:
        every = layers if quantity == "gradient" else range(1, nets.depth)
        title = _("Backward: gradient |∂L/∂x|") if quantity == "gradient" else _("Backward: gradient |∂L/∂W|")
        show_chart(figures.by_layer(found, quantity, every, title, words), key="gradient", alt=title)
        _ratios(_("{net}: first ÷ last"), gradients)
    for sentence in _explained(nets, gradients, signals, found["residual"]["loss"]):
        st.markdown(sentence)


def a_block(nets: Nets) -> None:
    """The block with and without its shortcut, with what was measured at the middle one."""
    act = ACTIVATIONS[nets.activation]
    norm = [_("normalise")] if nets.normalised else []
    layer = _("layer, 64 × 64")
    order = [layer, *norm, act, layer, *norm] if nets.after else [*norm, act, layer, *norm, act, layer]
    blocks = (nets.depth - 2) // 2
    found = measured(**asdict(nets), data="digits") if blocks else {}
    k = blocks // 2
    for column, name in zip(st.columns(2), NAMES, strict=True):
        with column:
            later(_title, name, nets.after)
            sizes = _sizes(found[name], k) if blocks else {"x": "x", "F": "F(x)", "y": "y"}
            last = act if nets.after else ""
            picture = figures.block(order, name == "residual", last, sizes, figures.COLOURS[name])
            show_chart(picture, key=f"block-{name}", alt=_(NAMES[name]), still=True)
    if not blocks:
        st.info(_("With two layers there is no block between them: both nets are the same net."))
        return
    factors = {name: found[name]["gradient"][k] / max(found[name]["gradient"][k + 1], 1e-300) for name in NAMES}
    st.markdown(
        _("Measured before training at block {k} of {n}, quadratic means over 256 digits: back through the plain "
          "block the gradient is multiplied by {plain}, through the residual block by {residual}. Where F′ is small, "
          "F′ alone leaves nothing and 1 + F′ leaves the 1.").format(
            k=k + 1, n=blocks, plain=sized(factors["plain"]), residual=sized(factors["residual"])
        )
    )  # fmt: skip
    if nets.after:
        st.markdown(
            _("In the paper of 2015 an activation φ follows the sum, so its derivative multiplies everything, the 1 "
              "included. Its authors took it out of the way of x a year later (arXiv 1603.05027); the switch "
              "“Activation after the sum” does the same.")
        )  # fmt: skip


def _title(name: str, after: bool) -> None:
    st.subheader(_(NAMES[name]), anchor=False)
    st.latex(_formula(name == "residual", after))


@st.cache_data(max_entries=256, show_spinner=False)
def measured(
    depth: int, activation: str, initialisation: str, normalised: bool, after: bool, seed: int, data: str
) -> dict[str, Any]:
    """`core.maths.residual.norms`, kept by its inputs."""
    found: dict[str, Any] = client.call(
        "core.maths.residual:norms", timeout=TIMEOUT_S, depth=depth, activation=activation,
        initialisation=initialisation, normalised=normalised, after=after, data=data, seed=seed,
    )  # fmt: skip
    return found


def gradient_ratio(nets: Nets, name: str) -> float:
    """The gradient at the first layer as a multiple of that at the last block's end, on digits."""
    return _ratio(measured(**asdict(nets), data="digits")[name]["gradient"])


def verdict(ratio: float) -> str:
    """ "vanishes", "keeps" or "explodes": what became of a gradient that is `ratio` times what it was."""
    if ratio < VANISHED:
        return "vanishes"
    return "explodes" if ratio > EXPLODED else "keeps"


def sized(value: float) -> str:
    """A positive number to be read: 0.152, 46.9, 28,879 or 3.4 × 10⁻²⁸."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞"
    if 0.01 <= value < 1e6:
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    power = math.floor(math.log10(value))
    return f"{value / 10.0**power:.1f} × 10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _ratio(values: list[float]) -> float:
    """First as a multiple of last."""
    return values[0] / values[-1] if values[-1] else (math.inf if values[0] else 1.0)


def _ratios(label: str, ratios: Mapping[str, float]) -> None:
    metrics((label.format(net=_(NAMES[name])), sized(ratio)) for name, ratio in ratios.items())


def _question(gradients: Mapping[str, float]) -> None:
    change = {name: abs(math.log10(min(max(ratio, 1e-300), 1e300))) for name, ratio in gradients.items()}
    apart = abs(change["plain"] - change["residual"])
    right = "equal" if apart < math.log10(3) else min(change, key=lambda name: change[name])
    predict_first(
        "residual-gradient",
        _("The gradient goes from the last block back to the first layer. In which net does it change by less?"),
        {**_all(NAMES), "equal": _("In both alike, within a factor of 3")},
        right,
        _("In the plain net it becomes {plain} times what it was, in the residual net {residual} times.").format(
            **{name: sized(ratio) for name, ratio in gradients.items()}
        ),
    )


def _explained(
    nets: Nets, gradients: Mapping[str, float], signals: Mapping[str, float], loss: float
) -> list[str]:
    """What the numbers on the screen say of vanishing gradients, and what they do not say."""
    if nets.depth == 2:
        return [_("With two layers there is no block between them: both nets are the same net.")]
    said = {name: verdict(ratio) for name, ratio in gradients.items()}
    sentences = [_fate(name, gradients[name], nets.depth) for name in NAMES]
    if said["plain"] == "vanishes" and said["residual"] != "vanishes":
        sentences.append(
            _("**Here the shortcuts do keep the gradient from vanishing**: a block multiplies it by 1 + F′ instead of "
              "F′, and the 1 stays. Note what it took: a plain net without normalisation, or with a start that does "
              "not suit its activation.")
        )  # fmt: skip
    elif said["plain"] == said["residual"] == "vanishes":
        sentences.append(
            _("**Both vanish**, shortcuts or not: the activation after the sum stands in the way of x, and its "
              "derivative multiplies at every block. Switch it off and the way of x is free.")
            if nets.after
            else _("**Both vanish**, shortcuts or not.")
        )  # fmt: skip
    elif nets.normalised:
        sentences.append(
            _("**So vanishing gradients cannot be what is wrong with this plain net.** He et al. say the same of "
              "theirs (§4.1): they were batch-normalised, neither signal nor gradient vanished, and yet the training "
              "error rose with depth. They call that degradation; the race shows whether it happens here.")
        )  # fmt: skip
    elif said["plain"] == "keeps":
        sentences.append(
            _("**The plain gradient does not vanish, even without normalisation**: this initialisation suits this "
              "activation. How deep a net can be is not a question of shortcuts alone.")
        )  # fmt: skip
    if nets.normalised and said["plain"] == "explodes":
        sentences.append(
            _("The plain net's gradient grows instead, layer by layer. Theory expects that of fully connected nets at "
              "the start: batch normalisation without shortcuts makes gradients grow exponentially with depth "
              "(Yang et al. 2019, arXiv 1902.08129). He et al. call theirs healthy; they trained convolutions.")
        )  # fmt: skip
    if signals["residual"] > EXPLODED:
        sentences.append(
            _("The residual net has trouble of its own: every block adds the variance of F(x) to that of x. After "
              "{n} blocks the signal is {signal} times as large, and the loss before training is {loss}; guessing "
              "costs ln 10 ≈ 2.3. Normalisation, or a smaller start, mends it.").format(
                n=(nets.depth - 2) // 2, signal=sized(signals["residual"]), loss=sized(loss)
            )
        )  # fmt: skip
    return sentences


def _fate(name: str, ratio: float, depth: int) -> str:
    template = {
        "vanishes": _("{net}: at the first layer the gradient is {ratio} times what it is at the last, "
                      "a factor of {factor} per layer. It vanishes."),
        "keeps": _("{net}: at the first layer the gradient is {ratio} times what it is at the last, "
                   "a factor of {factor} per layer. Within a factor of {limit:g}, so it neither vanishes nor "
                   "explodes."),
        "explodes": _("{net}: at the first layer the gradient is {ratio} times what it is at the last, "
                      "a factor of {factor} per layer. It explodes."),
    }[verdict(ratio)]  # fmt: skip
    factor = ratio ** (1 / (depth - 2)) if math.isfinite(ratio) else ratio
    return "- " + template.format(net=_(NAMES[name]), ratio=sized(ratio), factor=sized(factor), limit=EXPLODED)


def _formula(residual: bool, after: bool) -> str:
    inner, slope = ("x+F(x)", "1+F'(x)") if residual else ("F(x)", "F'(x)")
    if after:
        factor = rf"\left({slope}\right)" if residual else slope
        return rf"y=\varphi\left({inner}\right)\qquad\frac{{\partial y}}{{\partial x}}=\varphi'\cdot {factor}"
    return rf"y={inner}\qquad\frac{{\partial y}}{{\partial x}}={slope}"


def _sizes(net: Mapping[str, Any], k: int) -> dict[str, str]:
    into, out = (
        f"|{name}| = {sized(net['signal'][place])} · |∂L/∂{name}| = {sized(net['gradient'][place])}"
        for name, place in (("x", k), ("y", k + 1))
    )
    return {"x": into, "F": f"|F(x)| = {sized(net['branch'][k])}", "y": out}


def even_number(label: str, name: str, default: int, most: int) -> int:
    """A slider of depths. A block has two layers, so the number of layers is even; an odd one in the link is told."""
    try:
        given = float(st.query_params.get(name, "")[:40])
    except ValueError:  # `number` tells it
        given = math.nan
    if 2 <= given <= most and given % 2 == 1:
        st.query_params[name] = str(int(given) - 1)
        st.warning(
            _("A block has two layers, so the depth is an even number; {even} is used.").format(even=int(given) - 1)
        )
    return int(number(label, name, default, 2, most, step=2))


def _begin(parameters: Mapping[str, str]) -> None:
    for name in ("activation", "init", "bn", "after"):
        st.query_params.pop(name, None)
    for name, value in parameters.items():
        st.query_params[name] = value


def _all(words: Mapping[str, str]) -> dict[str, str]:
    return {key: _(text) for key, text in words.items()}
