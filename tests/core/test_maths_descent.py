"""Surfaces, plain descent and the race against torch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.maths import descent
from core.maths.digits_net import trained
from core.maths.digits_slice import LAYERS, as_surface
from core.maths.race import OPTIMISERS, race
from core.maths.surfaces import SURFACES, Surface, curvature_at

TORCH = {
    "bowl": lambda x, y: 0.5 * (x**2 + y**2),
    "ravine": lambda x, y: 0.5 * (x**2 + 25 * y**2),
    "saddle": lambda x, y: 0.5 * x**2 - 0.5 * y**2 + 0.1 * y**4,
    "rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "convex": lambda x: 0.5 * x**2,
    "double-well": lambda x: (x**2 - 1) ** 2 + 0.3 * x,
    "plateau": lambda x: x**2 / (1 + x**2),
}


def digits() -> Surface:
    return as_surface(trained())


def test_every_surface_has_its_formula_here():
    assert set(TORCH) == set(SURFACES)


@pytest.mark.parametrize("name", TORCH)
@given(st.tuples(st.floats(-50, 50), st.floats(-50, 50)))
def test_values_and_gradients_agree_with_autograd(name, point):
    surface = SURFACES[name]
    point = np.array(point[: surface.dimension])
    there = torch.tensor(point, requires_grad=True)
    value = TORCH[name](*there)
    (by,) = torch.autograd.grad(value, there)
    np.testing.assert_allclose(surface.value(point), value.item(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(surface.gradient(point), by, rtol=1e-9, atol=1e-9)


@given(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_the_slice_of_the_network_agrees_with_autograd(a, b):
    net = {name: torch.tensor(value) for name, value in trained().items()}
    there = torch.tensor([a, b], dtype=torch.float64, requires_grad=True)
    w1, b1, w2, b2 = (net[n] + there[0] * net[f"u_{n}"] + there[1] * net[f"v_{n}"] for n in LAYERS)
    loss = torch.nn.functional.cross_entropy(torch.tanh(net["x"] @ w1 + b1) @ w2 + b2, net["y"])
    (by,) = torch.autograd.grad(loss, there)
    point = np.array([a, b])
    np.testing.assert_allclose(digits().value(point), loss.item(), atol=1e-9)
    np.testing.assert_allclose(digits().gradient(point), by, atol=1e-9)


def test_the_network_of_the_slice_has_learnt():
    assert digits().value(np.zeros(2)) < 0.05
    assert digits().value(np.array([1.0, -1.0])) > 0.3


@pytest.mark.parametrize("name", ["bowl", "ravine", "convex"])
def test_the_limit_of_the_learning_rate(name):
    surface = SURFACES[name]
    limit = 2 / surface.curvature
    start = np.array(surface.start)
    losses = descent.loss_by_learning_rate(surface, start, np.array([0.99 * limit, 1.01 * limit]), 400)
    assert losses[0] < surface.value(start) < losses[1]
    assert curvature_at(surface, start) == pytest.approx(surface.curvature, rel=1e-6)


@pytest.mark.parametrize("schedule", descent.SCHEDULES)
def test_plain_descent_is_torchs_sgd(schedule):
    surface = SURFACES["himmelblau"]
    ours, gradients = descent.descend(surface, np.array([0.0, 0.0]), 0.01, 30, schedule, noise=0.5, seed=3)
    theirs = race("himmelblau", (0.0, 0.0), ["sgd"], 0.01, 30, schedule, noise=0.5, seed=3)["sgd"]
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    assert gradients.shape == (30, 2)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_are_torchs_own(name):
    """The same walk with torch computing the gradients itself."""
    kind, settings = OPTIMISERS[name]
    point = torch.tensor([-3.5, 1.5], dtype=torch.float64, requires_grad=True)
    optimiser = kind([point], lr=0.02, **settings)
    for _ in range(25):
        optimiser.zero_grad()
        TORCH["ravine"](*point).backward()
        optimiser.step()
    ours = race("ravine", (-3.5, 1.5), [name], 0.02, 25)[name]
    np.testing.assert_allclose(ours[-1], point.detach(), atol=1e-9)


def test_a_walk_that_diverges_ends_in_nan():
    points, _gradients = descent.descend(SURFACES["rosenbrock"], np.array([-1.5, 2.0]), 1.0, 50)
    assert np.isfinite(points[0]).all()
    assert np.isnan(points[-1]).all()
    path = race("rosenbrock", (-1.5, 2.0), ["sgd", "adam"], 1.0, 50)
    assert path["sgd"].shape == path["adam"].shape == (51, 2)
    assert np.isnan(path["sgd"][-1]).all()
    assert np.isfinite(path["adam"]).all()


@given(st.sampled_from(descent.SCHEDULES), st.integers(1, 300))
def test_schedules_stay_between_0_and_1(schedule, steps):
    shares = [descent.scheduled(schedule, step, steps) for step in range(steps)]
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) == 1
