"""Plain and residual stacks: against hand-written NumPy and torch's own derivatives, at the extremes, and the race."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from core.maths import residual
from core.maths.residual import ACTIVATIONS, INITIALISATIONS, Block, Stack, norms, race

DEPTHS = st.integers(1, 28).map(lambda half: 2 * half)


def stack(depth: int, residual: bool, normalised: bool = False, after: bool = True, seed: int = 0) -> Stack:
    return Stack(depth, residual, "relu", "he", normalised, after, seed).double()


@pytest.mark.parametrize("shortcut", [False, True])
def test_the_stack_is_what_the_formula_says(shortcut):
    """Against NumPy: y = φ(x + W2 φ(W1 x)), or without the x."""
    net = stack(6, shortcut)
    pixels = torch.randn(5, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weights = [layer.weight.detach().numpy() for layer in net.layers()]
    x = np.maximum(pixels.numpy() @ weights[0].T, 0)
    for first, second in ((weights[1], weights[2]), (weights[3], weights[4])):
        y = np.maximum(x @ first.T, 0) @ second.T
        x = np.maximum(x + y if shortcut else y, 0)
    expected = x @ net.last.weight.detach().numpy().T
    np.testing.assert_allclose(net(pixels).detach().numpy(), expected, atol=1e-10)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_derivative_of_a_residual_block_is_one_more(activation):
    torch.manual_seed(0)
    block = Block(True, activation, False, after=False).double()
    x = torch.randn(1, 64, dtype=torch.float64)
    whole = torch.autograd.functional.jacobian(block, x).reshape(64, 64)
    branch = torch.autograd.functional.jacobian(block.branch, x).reshape(64, 64)
    torch.testing.assert_close(whole, torch.eye(64, dtype=torch.float64) + branch, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["plain", "residual"])
def test_normalisation_is_torchs_own_and_signals_are_norms(name):
    found = norms(8, "relu", "he", True, True, "noise", 3)[name]
    net = stack(8, name == "residual", normalised=True, seed=3)
    generator = torch.Generator().manual_seed(3)
    pixels = torch.randn(256, 64, dtype=torch.float64, generator=generator)
    labels = torch.randint(10, (256,), generator=generator)
    flow = net.between(pixels)[0]
    np.testing.assert_allclose(found["signal"], [x.pow(2).sum(1).mean().sqrt().item() for x in flow], rtol=1e-9)
    assert found["loss"] == pytest.approx(torch.nn.functional.cross_entropy(net(pixels), labels).item(), rel=1e-9)


@pytest.mark.parametrize("name", ["plain", "residual"])
def test_the_gradient_is_the_slope_of_the_loss(name):
    """∂L/∂x before the first block, by differences in a direction; and ∂L/∂W of the first layer."""
    net = stack(6, name == "residual", after=False, seed=2)
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randn(256, 64, dtype=torch.float64, generator=generator)
    labels = torch.randint(10, (256,), generator=generator)
    found = norms(6, "relu", "he", False, False, "noise", 2)[name]

    def loss(x: torch.Tensor) -> torch.Tensor:
        for block in net.blocks:
            x = block(x)
        return torch.nn.functional.cross_entropy(net.classes(x), labels)

    start = net.between(pixels)[0][0].detach().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(start), start)
    assert found["gradient"][0] == pytest.approx((256 * gradient).pow(2).sum(1).mean().sqrt().item(), rel=1e-9)
    direction = gradient / gradient.norm()
    with torch.no_grad():
        slope = (loss(start + 1e-6 * direction) - loss(start - 1e-6 * direction)) / 2e-6
    assert slope.item() == pytest.approx(gradient.norm().item(), rel=1e-5)
    whole = torch.nn.functional.cross_entropy(net(pixels), labels)
    (weights,) = torch.autograd.grad(whole, net.first.weight)
    assert found["weights"][0] == pytest.approx(weights.norm().item(), rel=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("initialisation", INITIALISATIONS)
def test_norms_agree_with_autograd(activation, initialisation):
    """On the digits: the sum's gradient by each picture, whose quadratic mean over 256 is a 16th of the whole norm."""
    found = norms(6, activation, initialisation, normalised=False, after=False, data="digits", seed=1)
    pixels, labels = residual._batch("digits", 1)
    for name, ours in found.items():
        net = Stack(6, name == "residual", activation, initialisation, False, False, 1).double()
        flow = net.between(pixels)[0]
        loss = torch.nn.functional.cross_entropy(net.classes(flow[-1]), labels, reduction="sum")
        by = torch.autograd.grad(loss, flow)
        np.testing.assert_allclose(ours["gradient"], [float(g.norm()) / 16 for g in by], rtol=1e-6)
        np.testing.assert_allclose(ours["signal"], [float(x.detach().norm()) / 16 for x in flow], rtol=1e-6)


@settings(max_examples=25)
@given(
    DEPTHS, st.sampled_from(sorted(ACTIVATIONS)), st.sampled_from(sorted(INITIALISATIONS)), st.booleans(),
    st.booleans(), st.sampled_from(["digits", "noise"]), st.integers(0, 99),
)  # fmt: skip
def test_every_setting_gives_finite_numbers(depth, activation, initialisation, normalised, after, data, seed):
    found = norms(depth, activation, initialisation, normalised, after, data, seed)
    for net in found.values():
        assert net["layers"][0] == 1
        assert net["layers"][-1] == depth - 1
        assert len(net["signal"]) == len(net["gradient"]) == len(net["layers"]) == depth // 2
        assert len(net["weights"]) == depth - 1
        assert len(net["branch"]) == (depth - 2) // 2
        values = [*net["signal"], *net["gradient"], *net["weights"], *net["branch"], net["loss"]]
        assert all(math.isfinite(value) and value >= 0 for value in values)
        assert net["gradient"][0] > 0  # float64 reaches far enough for the deepest
    if depth == 2:
        assert found["plain"] == found["residual"]
    assert found["plain"]["signal"][0] == found["residual"]["signal"][0]  # the same weights


def test_a_seed_is_a_net_and_threads_stay_as_they_were():
    before = torch.get_num_threads()
    assert norms(10, "gelu", "orthogonal", True, True, "digits", 4) == norms(
        10, "gelu", "orthogonal", True, True, "digits", 4
    )
    assert torch.get_num_threads() == before


def test_vanishing_depends_on_normalisation_not_on_shortcuts_alone():
    """What the page says of the cases it offers, as of the start of training."""
    normal = norms(56, "relu", "he", True, True, "digits", 0)
    assert normal["plain"]["gradient"][0] > normal["plain"]["gradient"][-1]  # with BN the plain gradient grows
    bare = norms(56, "relu", "xavier", False, True, "digits", 0)
    assert bare["plain"]["gradient"][0] < 1e-6 * bare["plain"]["gradient"][-1]
    assert bare["residual"]["gradient"][0] > bare["residual"]["gradient"][-1]
    old = norms(56, "sigmoid", "xavier", False, True, "digits", 0)  # the sigmoid after the sum stands in the way
    assert old["residual"]["gradient"][0] < 1e-6 * old["residual"]["gradient"][-1]
    freed = norms(56, "sigmoid", "xavier", False, False, "digits", 0)
    assert freed["residual"]["gradient"][0] == pytest.approx(freed["residual"]["gradient"][-1], rel=0.5)


@pytest.mark.parametrize(
    ("depth", "activation", "initialisation"),
    [(1e308, "relu", "he"), (8.0, "relu", "he"), (math.nan, "relu", "he"), (0, "relu", "he"), (58, "relu", "he"),
     (7, "relu", "he"), (8, "swish", "he"), (8, "relu", "lecun")],
)  # fmt: skip
def test_wrong_settings_are_told(depth, activation, initialisation):
    with pytest.raises(ValueError, match=r"must be an even number|is none of"):
        norms(depth, activation, initialisation, True, True, "digits", 0)
    with pytest.raises(ValueError, match=r"must be an even number|is none of"):
        race(depth, 4, activation, initialisation, True, True, 0, 0.1, 1)


def test_unknown_data_is_told():
    with pytest.raises(ValueError, match="'digits' or 'noise'"):
        norms(4, "relu", "he", True, True, "faces", 0)


def test_the_race_repeats_and_the_residual_net_wins_where_depth_degrades():
    found = race(32, 8, "relu", "he", True, True, 0, 0.03, 4)
    assert found == race(32, 8, "relu", "he", True, True, 0, 0.03, 4)
    for net in found.values():
        assert net["steps"] == [11, 22, 33, 44]
        assert not net["diverged"]
    assert found["plain"]["loss"][-1] > 2 * found["shallow"]["loss"][-1]  # degradation, on the training data
    assert found["residual"]["loss"][-1] < found["plain"]["loss"][-1] / 2
    assert found["residual"]["test"][-1] > 0.85


def test_of_two_layers_all_three_run_alike():
    found = race(2, 2, "tanh", "xavier", False, True, 1, 0.1, 3)
    assert found["plain"] == found["residual"] == found["shallow"]


def test_a_race_that_diverges_says_so():
    found = race(40, 4, "relu", "he", False, True, 0, 1.0, 3)
    assert found["residual"]["diverged"]
    for net in found.values():
        assert len(net["steps"]) == len(net["loss"]) == len(net["test"])
        assert all(math.isfinite(loss) for loss in net["loss"])


def test_learning_and_testing_share_no_digit():
    pixels, labels = residual._digits(torch.float64)
    packed = load_digits()
    assert sorted(labels.tolist()) == sorted(packed.target.tolist())
    assert pixels.mean().item() == pytest.approx(0, abs=1e-12)
    assert pixels.std().item() == pytest.approx(1)
    assert len(pixels) - residual.TEST == 1437
