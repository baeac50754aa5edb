"""The parts of the page on cross-entropy, each shown for the case that the controls set."""

import numpy as np
import streamlit as st

from app.components.address import choice, log_number, number
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.logits import Case, step_button
from app.components.metrics import metrics
from app.components.order import aside, later
from app.figures import cross_entropy as figures
from app.language import _
from core.maths import cross_entropy as maths

STEPS = 40
NUMBER = st.column_config.NumberColumn(format="%.4g")


def numbers_now(case: Case) -> None:
    """The loss in four ways of saying it."""
    metrics((
        (_("Loss in nats"), f"{case.loss:.4f}"),
        (_("In bits"), f"{maths.bits(case.loss):.4f}"),
        (_("Perplexity"), f"{maths.perplexity(case.loss):.4g}"),
        (_("p of the true class"), f"{case.p[case.true]:.4f}"),
    ))  # fmt: skip


def steps(case: Case) -> None:
    """Softmax line by line, the sum term by term, the gradient."""
    gradient = maths.gradient(case.z, case.y, case.t)
    later(_line_by_line, case, gradient)
    words = {"p": _("Probabilities p and targets y"), "gradient": _("Gradient (p − y) / T")}
    show_chart(figures.bars(case.names, case.p, case.y, gradient, words), key="bars", alt=words["p"])
    _explain(case, gradient)
    step_button(case)


def _line_by_line(case: Case, gradient: maths.Array) -> None:
    scaled = case.z / case.t
    powers = np.exp(scaled - scaled.max())
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.latex(r"p_i=\frac{e^{z_i/T}}{\sum_j e^{z_j/T}}", width="content")
        st.latex(r"L=-\sum_i y_i\log p_i", width="content")
        st.latex(r"\frac{\partial L}{\partial z_i}=\frac{p_i-y_i}{T}", width="content")
    table = {
        "class": case.names,
        "z": case.z,
        "z / T": scaled,
        "e^(z/T − max)": powers,
        "p": case.p,
        "y": case.y,
        "−y log p": maths.terms(case.z, case.y, case.t),
        "(p − y) / T": gradient,
    }
    formats = {name: NUMBER for name in table if name != "class"}
    st.dataframe(table, hide_index=True, column_config={"class": _("Class"), **formats})
    st.caption(
        _("The exponentials add up to {total:.4g}; each divided by that is p. The largest logit, {largest:g} after "
          "division by T, is taken off first: it changes nothing, and nothing overflows.").format(
            total=powers.sum(), largest=scaled.max())
    )  # fmt: skip
    written = [
        rf"{y:.3g}\cdot({logp:.4g})" for y, logp in zip(case.y, maths.log_softmax(case.z, case.t), strict=True)
    ]
    lines = [" + ".join(written[start : start + 3]) for start in range(0, len(written), 3)]
    st.latex(r"\begin{aligned}L&=-\big[" + r"\\&\quad+".join(lines) + rf"\big]\\&={case.loss:.4f}\end{{aligned}}")


def _explain(case: Case, gradient: maths.Array) -> None:
    least = maths.entropy(case.y)
    st.markdown(
        _("The true class gets {p:.1%}. Its logit is pulled {way} by {pull:.3f}; the pulls of all classes add up to 0. "
          "With this target the loss cannot fall below {least:.4f} nats, so {over:.4f} are the model's own.").format(
            p=case.p[case.true], way=_("up") if gradient[case.true] < 0 else _("down"),
            pull=abs(gradient[case.true]), least=least, over=max(case.loss - least, 0.0))
    )  # fmt: skip


def fit(case: Case) -> None:
    """The step repeated: a film."""
    with aside():
        rate = log_number(_("Learning rate η"), "eta", 1.0, 0.01, 10.0)
    path = maths.descend(case.z, case.y, rate, STEPS, case.t)
    words = {
        "p": _("Probabilities p and targets y"), "loss": _("Loss"), "step": _("Step"), "frame": _("Step {number}"),
    }  # fmt: skip
    show_chart(figures.film(case.names, path, case.y, case.t, words), key="film", alt=_("Gradient steps"))
    last = float(maths.cross_entropy(path[-1], case.y, case.t))
    st.markdown(
        _("{steps} steps of size {rate:g} take the loss from {first:.4f} to {last:.4f}; the least possible is "
          "{least:.4f}. The steps shrink by themselves, because p − y does.").format(
            steps=STEPS, rate=rate, first=case.loss, last=last, least=maths.entropy(case.y))
    )  # fmt: skip


def surface(case: Case) -> None:
    """The loss over two of the logits."""
    options = {str(k): name for k, name in enumerate(case.names)}
    with aside(st.container(horizontal=True)):
        i = int(choice(st.selectbox, _("First logit"), "i", options, width=180))
        others = {k: name for k, name in options.items() if int(k) != i}
        j = int(choice(st.selectbox, _("Second logit"), "j", others, width=180))
    edge = max(6.0, abs(case.z[i]) + 1, abs(case.z[j]) + 1)
    axis = np.linspace(-edge, edge, 41)
    height = maths.surface(case.z, case.y, i, j, axis, case.t)
    point = (float(case.z[i]), float(case.z[j]), case.loss)
    labels = (f"z {case.names[i][:12]}", f"z {case.names[j][:12]}")
    show_chart(
        figures.loss_surface(axis, height, point, labels, {"loss": _("Loss")}), key="surface", alt=_("Loss surface")
    )
    st.markdown(
        _("The surface is convex: a valley without other valleys beside it. On this window the loss goes from "
          "{low:.3g} to {high:.3g}; you stand at {here:.3g}.").format(
            low=height.min(), high=height.max(), here=case.loss)
    )  # fmt: skip


def curve(case: Case) -> None:
    """Why cross-entropy and not the squared error."""
    p = float(case.p[case.true])
    words = {
        "loss": _("Loss"), "pull": _("Size of the gradient by the logit"), "cross-entropy": _("cross-entropy, −log p"),
        "squared": _("squared error"), "probability": _("probability of the true class"),
    }  # fmt: skip
    show_chart(figures.against_probability(p, words), key="curve", alt=_("Loss against probability"))
    y = maths.one_hot(case.true, len(case.z))
    ours = float(np.linalg.norm(maths.gradient(case.z, y, case.t)))
    theirs = float(np.linalg.norm(maths.squared_error_gradient(case.z, y, case.t)))
    st.markdown(
        _("At your logits (p = {p:.4f}) the gradient of cross-entropy has length {ours:.3g}, that of the squared error "
          "{theirs:.3g}. Where the network is sure and wrong, the squared error hardly pulls: its gradient carries a "
          "factor p, so the worst mistakes are learnt slowest.").format(p=p, ours=ours, theirs=theirs)
    )  # fmt: skip


def trouble(case: Case) -> None:
    """What goes wrong when the formula is typed as it stands in the book."""
    scale = log_number(_("Multiply all logits by"), "scale", 500.0, 1.0, 1000.0)
    z = case.z * scale
    naive, right = maths.naive_softmax(z), maths.softmax(z)
    every = range(len(z))
    table = {
        "class": case.names,
        "z": z,
        "p1": [f"{v:.4g}" for v in naive],
        "p2": [f"{v:.4g}" for v in right],
        "l1": [f"{maths.naive_cross_entropy(naive, k):.4g}" for k in every],
        "l2": [f"{float(-maths.log_softmax(z)[k]) + 0.0:.6g}" for k in every],
    }
    words = {
        "class": _("Class"), "p1": _("softmax as written, float32"), "p2": _("log-sum-exp"),
        "l1": _("−log p as written"), "l2": _("−log p from the logits"),
    }  # fmt: skip
    st.dataframe(table, hide_index=True, column_config=words)
    wrong = maths.naive_cross_entropy(naive, case.true)
    y = maths.one_hot(case.true, len(z))
    st.markdown(
        _("exp overflows above {limit:.2f} in float32, and inf / inf is nan; a p that was rounded to 0 costs −log 0 = "
          "inf. Loss of the true class: **{wrong:.4g}** as written, **{right:.6g}** from the logits.").format(
            limit=float(np.log(np.finfo(np.float32).max)), wrong=wrong, right=float(maths.cross_entropy(z, y)))
    )  # fmt: skip
    st.markdown("**" + _("Probabilities where logits belong") + "**")
    loss, gradient = maths.twice_softmaxed(case.z, y)
    count = len(z)
    st.markdown(
        _("The article's formula takes probabilities, −Σ y log p; the loss in its code takes logits. Whoever "
          "follows the formula and puts a softmax before that loss takes it twice. Here: loss {twice:.4f} instead of "
          "{once:.4f}, and a gradient of length {short:.3g} instead of {long:.3g}. Even a perfect answer then costs "
          "{least:.4f} with {count} classes.").format(
            twice=loss, once=float(maths.cross_entropy(case.z, y)), short=float(np.linalg.norm(gradient)),
            long=float(np.linalg.norm(maths.gradient(case.z, y))), least=float(np.log(np.e + count - 1) - 1),
            count=count)
    )  # fmt: skip


def binary(case: Case) -> None:
    """Two classes with one logit, and that it is the same thing."""
    del case
    with aside(st.container(horizontal=True)):
        z = number(_("Logit z"), "bz", 1.0, -10.0, 10.0, step=0.1, width=260)
        y = number(_("Target y"), "by", 1.0, 0.0, 1.0, step=0.05, width=260)
    loss, p = float(maths.binary_cross_entropy(z, y)), float(maths.sigmoid(z))
    later(_binary_formula, z, y, loss)
    show_chart(figures.binary(z, y, {"loss": _("Loss")}), key="binary", alt=_("Loss of one logit"))
    same = float(maths.cross_entropy([0.0, z], [1 - y, y]))
    st.markdown(
        _("p = {p:.4f}, gradient σ(z) − y = {gradient:+.4f}. Softmax over the two logits (0, z) gives the same loss: "
          "{same:.4f}.").format(p=p, gradient=p - y, same=same)
    )  # fmt: skip


def _binary_formula(z: float, y: float, loss: float) -> None:
    log_q, log_p = (float(value) for value in maths.log_softmax([0.0, z]))
    st.latex(r"p=\sigma(z)=\frac{1}{1+e^{-z}}\qquad L=-y\log p-(1-y)\log(1-p)")
    st.latex(rf"L=-{y:.3g}\cdot({log_p:.4g})-{1 - y:.3g}\cdot({log_q:.4g})={loss:.4f}")


def question(case: Case) -> None:
    """Doubling all logits: what does the loss do?"""
    now, then = case.loss, float(maths.cross_entropy(2 * case.z, case.y, case.t))
    right = "same" if abs(now - then) < 5e-5 else "up" if then > now else "down"
    predict_first(
        "double",
        _("Double all the logits. What does the loss do?"),
        {"down": _("it falls"), "same": _("it stays"), "up": _("it rises")},
        right,
        _("It goes from {now:.4f} to {then:.4f}: doubling makes the model surer, and being surer pays only for who is "
          "right.").format(now=now, then=then),
    )  # fmt: skip
