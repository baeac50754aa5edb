"""Every function against torch in float64, at ordinary and at extreme numbers."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from core.maths import cross_entropy as maths

logit = st.one_of(st.floats(-30, 30), st.sampled_from([-1000.0, 1000.0, 0.0, 1e-12, -1e6, 1e6, 1e300, -1e300]))
temperatures = st.floats(0.05, 20)


@st.composite
def cases(draw):
    z = draw(st.lists(logit, min_size=2, max_size=10))
    weights = draw(st.lists(st.floats(0, 1), min_size=len(z), max_size=len(z)).filter(lambda w: sum(w) > 0.1))
    return np.array(z), np.array(weights) / sum(weights)


def close(ours, theirs):
    theirs = theirs.detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * max(1.0, float(np.abs(theirs).max(initial=0))))


@given(cases(), temperatures)
def test_softmax_and_loss_agree_with_torch(case, t):
    z, y = case
    logits = torch.tensor(z, requires_grad=True)
    close(maths.log_softmax(z, t), F.log_softmax(logits / t, 0))
    close(maths.softmax(z, t), F.softmax(logits / t, 0))
    loss = -(torch.tensor(y) * F.log_softmax(logits / t, 0)).where(torch.tensor(y) != 0, torch.zeros(())).sum()
    close(maths.cross_entropy(z, y, t), loss)
    close(maths.cross_entropy(z, y, t), F.cross_entropy((logits / t)[None], torch.tensor(y)[None]))


@given(cases(), temperatures)
def test_gradients_agree_with_autograd(case, t):
    z, y = np.clip(case[0], -1000, 1000), case[1]
    logits = torch.tensor(z, requires_grad=True)
    (by,) = torch.autograd.grad(F.cross_entropy((logits / t)[None], torch.tensor(y)[None]), logits)
    np.testing.assert_allclose(maths.gradient(z, y, t), by, atol=1e-6)
    error = ((F.softmax(logits / t, 0) - torch.tensor(y)) ** 2).sum()
    (by,) = torch.autograd.grad(error, logits)
    np.testing.assert_allclose(maths.squared_error_gradient(z, y, t), by, atol=1e-6)
    close(maths.squared_error(z, y, t), error)


@given(cases())
def test_probabilities_taken_for_logits(case):
    z, y = np.clip(case[0], -1000, 1000), case[1]
    logits = torch.tensor(z, requires_grad=True)
    loss = F.cross_entropy(F.softmax(logits, 0)[None], torch.tensor(y)[None])
    (by,) = torch.autograd.grad(loss, logits)
    ours, gradient = maths.twice_softmaxed(z, y)
    close(ours, loss)
    np.testing.assert_allclose(gradient, by, atol=1e-6)


@given(st.floats(-1e6, 1e6), st.floats(0, 1))
def test_the_binary_case_agrees_with_torch_and_with_two_classes(z, y):
    logit, target = torch.tensor(z, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    close(maths.binary_cross_entropy(z, y), F.binary_cross_entropy_with_logits(logit, target))
    close(maths.sigmoid(z), torch.sigmoid(logit))
    np.testing.assert_allclose(
        maths.binary_cross_entropy(z, y), maths.cross_entropy([0.0, z], [1 - y, y]), rtol=1e-9, atol=1e-9
    )


@given(st.integers(2, 10), st.floats(0, 1))
def test_smoothing_agrees_with_torch(classes, epsilon):
    z = np.linspace(-2, 3, classes)
    ours = maths.cross_entropy(z, maths.smoothed(maths.one_hot(1, classes), epsilon))
    close(ours, F.cross_entropy(torch.tensor(z)[None], torch.tensor([1]), label_smoothing=epsilon))


def test_steps_on_the_logits_fit_the_target():
    y = maths.smoothed(maths.one_hot(2, 4), 0.1)
    path = maths.descend([3.0, 0, -1, 0.5], y, 1.0, 400)
    losses = maths.cross_entropy(path, y)
    assert path.shape == (401, 4)
    assert (np.diff(losses) <= 1e-12).all()
    assert losses[-1] == pytest.approx(maths.entropy(y), abs=1e-4)


def test_the_surface_passes_through_the_point():
    z, y, axis = np.array([2.0, 1.0, -1.0]), maths.one_hot(0, 3), np.linspace(-3, 3, 61)
    height = maths.surface(z, y, 0, 2, axis)
    assert height.shape == (61, 61)
    assert height[20, 50] == pytest.approx(maths.cross_entropy(z, y))


def test_the_careless_formulas_fail_as_they_are_shown_to():
    assert np.isnan(maths.naive_softmax([1000, 0, -1000])[0])
    assert maths.naive_softmax([-1000, 0])[0] == 0
    assert maths.naive_cross_entropy(maths.naive_softmax([-1000.0, 0.0]), 0) == np.inf
    assert maths.cross_entropy([-1000.0, 0.0], [1.0, 0.0]) == 1000
    assert maths.twice_softmaxed([1000.0, 0, 0], [1, 0, 0])[0] == pytest.approx(0.5514, abs=1e-4)


def test_perplexity_and_bits():
    loss = float(maths.cross_entropy(np.zeros(8), maths.one_hot(0, 8)))
    assert maths.perplexity(loss) == pytest.approx(8)
    assert maths.bits(loss) == pytest.approx(3)
