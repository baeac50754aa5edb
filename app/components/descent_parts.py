"""The page on gradient steps: what can be set, and its three parts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from app.components.address import choice, log_number, number, several, switch
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.order import aside, later
from app.components.stepper import stepper
from app.figures import descent as figures
from app.language import _, mark
from core.maths import descent
from core.maths.digits_slice import as_surface
from core.maths.surfaces import SURFACES, Array, Surface, curvature_at
from core.runs import client

NAMES = {
    "ravine": mark("ravine"), "bowl": mark("bowl"), "saddle": mark("saddle"), "rosenbrock": "Rosenbrock",
    "himmelblau": "Himmelblau", "digits": mark("a trained network's loss on digits"),
    "convex": mark("1-D: convex"), "double-well": mark("1-D: double well"), "plateau": mark("1-D: plateau"),
}  # fmt: skip
SCHEDULES = {
    "constant": mark("constant"),
    "halved": mark("halved at each quarter"),
    "cosine": mark("cosine"),
    "warm-up": mark("warm-up, then cosine"),
}
RACERS = {
    "sgd": "SGD", "momentum": "Momentum", "nesterov": "Nesterov", "rmsprop": "RMSProp", "adam": "Adam",
    "adamw": "AdamW",
}  # fmt: skip
GRID = {1: 201, 2: 51}
LAST = "last-racers"


@dataclass(frozen=True)
class Walk:
    """What the controls say: the landscape, where to start, how to step."""

    name: str
    surface: Surface
    start: tuple[float, ...]
    learning_rate: float
    steps: int
    schedule: str
    noise: float
    seed: int

    @property
    def axes(self) -> tuple[Array, ...]:
        return tuple(np.linspace(low, high, GRID[self.surface.dimension]) for low, high in self.surface.window)

    def plain(self) -> tuple[Array, Array]:
        """Points and gradients of plain gradient descent."""
        return descent.descend(self.surface, np.array(self.start), self.learning_rate, self.steps, self.schedule,
                               self.noise, self.seed)  # fmt: skip

    def losses(self, points: Array) -> Array:
        with np.errstate(all="ignore"):
            return self.surface.value(points)


def controls() -> Walk:
    """Everything that can be turned; each in the link."""
    name = choice(st.selectbox, _("Landscape"), "surface", {key: _(words) for key, words in NAMES.items()})
    surface = _surface(name)
    start = tuple(
        number(_("Start {axis}").format(axis=axis), f"{axis}0-{name}", given, low, high, step=(high - low) / 100)
        for axis, given, (low, high) in zip("xy", surface.start, surface.window, strict=False)
    )
    if surface.dimension == 2:
        st.caption(_("Or press a point of the landscape."))
    rate = log_number(_("Learning rate η"), f"eta-{name}", surface.learning_rate, 1e-4, 10.0)
    steps = int(number(_("Steps"), "steps", 40, 5, 200, step=5))
    words = {key: _(text) for key, text in SCHEDULES.items()}
    schedule = choice(st.selectbox, _("Schedule of the learning rate"), "schedule", words)
    noise = number(_("Noise of the gradient, as from a small batch"), "noise", 0.0, 0.0, 5.0, step=0.1)
    seed = int(number(_("Seed"), "seed", 0, 0, 20, step=1)) if noise else 0
    return Walk(name, surface, start, rate, steps, schedule, noise, seed)


def one_step(walk: Walk) -> None:
    """One step at a time, with its numbers in the formula."""
    points, gradients = walk.plain()
    with aside():
        k = stepper(1, walk.steps) - 1
    rate = walk.learning_rate * descent.scheduled(walk.schedule, k, walk.steps)
    later(_formula, walk.surface.formula, points[k], rate, gradients[k], points[k + 1])
    paths = {"SGD": (points, walk.losses(points))}
    _landscape(walk, figures.landscape(walk.axes, _ground(walk), paths, _words(), shown=k + 1))
    before, after = (float(walk.losses(points[j])) for j in (k, k + 1))
    bend = curvature_at(walk.surface, points[k]) if np.isfinite(points[k]).all() else float("nan")
    st.markdown(
        _("Step {k}: f goes from {before:.5g} to {after:.5g}. The gradient has length {length:.4g}; the sharpest bend "
          "here is λ = {bend:.4g}, so η·λ = {product:.3g}. Below 1 a step stops short of that bend's floor, between 1 "
          "and 2 it leaps over it and still gets nearer, above 2 it lands higher than before.").format(
            k=k + 1, before=before, after=after, length=float(np.linalg.norm(gradients[k])), bend=bend,
            product=rate * bend)
    )  # fmt: skip


def _formula(formula: str, before: Array, rate: float, gradient: Array, after: Array) -> None:
    st.latex(rf"\theta\leftarrow\theta-\eta\,\nabla f(\theta)\qquad f={formula}")
    st.latex(rf"{_vector(before)}-{rate:.4g}\cdot{_vector(gradient)}={_vector(after)}")


def race(walk: Walk) -> None:
    """torch's own optimisers from the same point: a film."""
    with aside():
        racers = several(st.pills, _("Optimisers"), "optimisers", RACERS, selection_mode="multi", wrap=True)
        if not racers:
            st.info(_("Choose at least one optimiser; below are still the last ones."))
        solid = walk.surface.dimension == 2 and switch(_("In three dimensions"), "solid")
    racers = st.session_state[LAST] = racers or st.session_state.get(LAST, list(RACERS))
    found = _raced(walk.name, walk.start, tuple(racers), walk.learning_rate, walk.steps, walk.schedule, walk.noise,
                   walk.seed)  # fmt: skip
    paths = {RACERS[name]: path for name, path in found.items()}
    if solid:
        raised = {name: (points, _raised(walk, losses)) for name, (points, losses) in paths.items()}
        film = figures.film_3d(walk.axes, _ground(walk), raised, _words())
        show_chart(film, key="landscape-3d", alt=_("The race"))
    else:
        _landscape(walk, figures.film(walk.axes, _ground(walk), paths, _words()))
    last = {name: float(losses[-1]) for name, (_points, losses) in paths.items()}
    good = {name: value for name, value in last.items() if np.isfinite(value)}
    lost = [name for name in last if name not in good]
    if good:
        best = min(good, key=good.__getitem__)
        told = ", ".join(f"{name} {value:.3g}" for name, value in sorted(good.items(), key=lambda one: one[1]))
        st.markdown(_("After {steps} steps {best} is lowest: {told}.").format(steps=walk.steps, best=best, told=told))
    if lost:
        st.markdown(_("Diverged with this learning rate: {names}.").format(names=", ".join(lost)))
    st.caption(_("All share one learning rate, which is not fair: Adam and RMSProp divide by the size of the "
                 "gradients, so the same η means another length of step."))  # fmt: skip


def rates(walk: Walk) -> None:
    """From crawling to diverging: the loss after the walk for every learning rate."""
    axis = np.geomspace(1e-4, 10, 160)
    losses = descent.loss_by_learning_rate(walk.surface, np.array(walk.start), axis, walk.steps)
    limit = None if walk.surface.curvature is None else 2 / walk.surface.curvature
    words = {
        "rate": _("Learning rate η"), "after": _("loss after {steps} steps").format(steps=walk.steps),
        "start": _("at the start"), "now": "η", "limit": "2/λ",
    }  # fmt: skip
    first = float(walk.losses(np.array(walk.start)))
    show_chart(
        figures.by_learning_rate(axis, losses, walk.learning_rate, first, limit, words), key="rates",
        alt=_("Loss against learning rate"),
    )  # fmt: skip
    best = int(np.argmin(losses))
    told = _("Best of these: η = {best:.3g}, which ends at {loss:.3g}.")
    st.markdown(told.format(best=axis[best], loss=losses[best]))
    lower = axis[losses <= first]
    if len(lower):
        st.markdown(_("The largest that ends no higher than it began: {largest:.3g}.").format(largest=lower.max()))
    if limit is not None:
        st.markdown(
            _("This landscape is quadratic with the largest curvature λ = {bend:g}: theory puts the limit at 2/λ = "
              "{limit:g}.").format(bend=walk.surface.curvature, limit=limit)
        )  # fmt: skip
    st.caption(_("Without schedule and noise."))
    shares = [walk.learning_rate * descent.scheduled(walk.schedule, k, walk.steps) for k in range(walk.steps)]
    show_chart(
        figures.schedule(shares, {"rate": _("Learning rate η"), "step": _("Step")}), key="schedule-chart",
        alt=_("Schedule of the learning rate"),
    )  # fmt: skip


def question(walk: Walk) -> None:
    """Twice the learning rate: lower, higher or diverged?"""
    now, twice = descent.loss_by_learning_rate(
        walk.surface, np.array(walk.start), walk.learning_rate * np.array([1.0, 2.0]), walk.steps
    )
    right = "diverges" if not np.isfinite(twice) else "lower" if twice < now else "higher"
    predict_first(
        "twice",
        _("Plain gradient descent with twice the learning rate: where does it end?"),
        {"lower": _("lower or level"), "higher": _("higher"), "diverges": _("it diverges")},
        right if twice != now else "lower",
        _("With η = {rate:g} it ends at {now:.3g} after {steps} steps, with {double:g} at {twice:.3g}.").format(
            rate=walk.learning_rate, now=now, steps=walk.steps, double=2 * walk.learning_rate, twice=twice),
    )  # fmt: skip


def _landscape(walk: Walk, figure: Any) -> None:
    """The picture; pressing a point of it makes that the start."""
    if walk.surface.dimension == 1:
        show_chart(figure, key="landscape-1d", alt=_("Landscape"))
        return
    show_chart(figure, key="landscape", alt=_("Landscape"), on_press=_pressed)


def _pressed(x: float, y: float) -> None:
    name = st.session_state["surface"]
    st.query_params[f"x0-{name}"], st.query_params[f"y0-{name}"] = f"{x:.4g}", f"{y:.4g}"


def _words() -> dict[str, str]:
    return {
        "landscape": _("Landscape"), "loss": "f", "step": _("Step"), "frame": _("Step {number}"),
        "height": "log(1 + f)",
    }  # fmt: skip


def _vector(point: Array) -> str:
    numbers = [f"{value:.4g}" for value in point]
    return numbers[0] if len(numbers) == 1 else r"\begin{pmatrix}" + r"\\".join(numbers) + r"\end{pmatrix}"


@st.cache_data(max_entries=20, show_spinner=False)
def _height(name: str) -> Array:
    surface = _surface(name)
    axes = [np.linspace(low, high, GRID[surface.dimension]) for low, high in surface.window]
    if surface.dimension == 1:
        return surface.value(axes[0][:, None])
    return surface.value(np.stack(np.meshgrid(*axes), -1))


def _ground(walk: Walk) -> Array:
    """The heights on the grid, as they are drawn."""
    return _raised(walk, _height(walk.name)) if walk.surface.dimension == 2 else _height(walk.name)


def _raised(walk: Walk, losses: Array) -> Array:
    """Losses as heights in two dimensions: a logarithm, or walls would hide the valleys."""
    return np.log1p(losses - min(0.0, float(_height(walk.name).min())))


@st.cache_resource
def _digits() -> Surface:
    return as_surface(client.call("core.maths.digits_net:trained"))


def _surface(name: str) -> Surface:
    return _digits() if name == "digits" else SURFACES[name]


@st.cache_data(max_entries=200, show_spinner=False)
def _raced(
    surface: str, start: tuple[float, ...], optimisers: tuple[str, ...], learning_rate: float, steps: int,
    schedule: str, noise: float, seed: int,
) -> dict[str, tuple[Array, Array]]:  # fmt: skip
    """Points and losses of each optimiser's path."""
    found: dict[str, Array] = client.call(
        "core.maths.race:race", surface=surface, start=start, optimisers=list(optimisers), learning_rate=learning_rate,
        steps=steps, schedule=schedule, noise=noise, seed=seed,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        losses = _surface(surface).value(np.stack(list(found.values())))
    return {name: (points, losses[place]) for place, (name, points) in enumerate(found.items())}
