"""Plain and residual stacks: the same weights, norms that agree with autograd, and a race that repeats itself."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.maths import residual as maths

START = {"activation": "relu", "initialisation": "he", "normalised": False, "after": True}


def stack(residual: bool, depth: int = 10, seed: int = 3, **changes) -> maths.Stack:
    return maths.Stack(depth, residual, seed=seed, **{**START, **changes})


def test_both_nets_begin_with_the_same_weights():
    plain, residual = stack(False), stack(True)
    for a, b in zip(plain.parameters(), residual.parameters(), strict=True):
        assert torch.equal(a, b)
    assert len(list(plain.layers())) == 9


def test_a_residual_block_adds_its_input():
    x = torch.randn(5, 64)
    block = maths.Block(True, "gelu", normalised=False, after=False)
    assert torch.allclose(block(x), x + block.branch(x))
    block = maths.Block(True, "relu", normalised=False, after=True)
    assert torch.allclose(block(x), torch.relu(x + block.branch(x)))
    plain = maths.Block(False, "tanh", normalised=False, after=False)
    assert torch.allclose(plain(x), plain.branch(x))


@pytest.mark.parametrize("activation", maths.ACTIVATIONS)
@pytest.mark.parametrize("initialisation", maths.INITIALISATIONS)
def test_norms_agree_with_autograd(activation, initialisation):
    found = maths.norms(6, activation, initialisation, normalised=False, after=False, data="digits", seed=1)
    pixels, labels = maths._batch("digits", 1)
    for name in ("plain", "residual"):
        net = maths.Stack(6, name == "residual", activation, initialisation, False, False, 1).double()
        flow = net.between(pixels)
        loss = F.cross_entropy(net.classes(flow[-1]), labels, reduction="sum")
        by = torch.autograd.grad(loss, flow)
        ours = found[name]
        np.testing.assert_allclose(ours["gradient"], [float(g.norm()) / 16 for g in by], rtol=1e-6)
        np.testing.assert_allclose(ours["signal"], [float(x.detach().norm()) / 16 for x in flow], rtol=1e-6)
        assert ours["loss"] == pytest.approx(float(loss.detach()) / 256, rel=1e-6)
        assert len(ours["weights"]) == 5
        assert ours["layers"] == [1, 3, 5]


def test_sigmoids_vanish_and_shortcuts_keep():
    found = maths.norms(56, "sigmoid", "xavier", normalised=False, after=False, data="digits", seed=0)
    ratios = {name: net["gradient"][0] / net["gradient"][-1] for name, net in found.items()}
    assert ratios["plain"] < 1e-10
    assert 0.1 < ratios["residual"] < 10


def test_a_plain_net_with_a_fitting_start_does_not_vanish():
    """The legend says it does."""
    found = maths.norms(56, "relu", "he", normalised=False, after=True, data="digits", seed=0)
    gradient = found["plain"]["gradient"]
    assert 1e-2 < gradient[0] / gradient[-1] < 1e2


def test_the_race_repeats_itself_and_learns():
    recipe = {"depth": 8, "shallow": 4, "seed": 0, "learning_rate": 0.03, "epochs": 3, **START, "normalised": True}
    first, second = maths.race(**recipe), maths.race(**recipe)
    assert first == second
    assert set(first) == {"plain", "residual", "shallow"}
    for net in first.values():
        assert net["loss"][-1] < net["loss"][0]
        assert net["test"][-1] > 0.8
        assert net["steps"] == [11, 22, 33]


def test_divergence_is_told():
    found = maths.race(depth=20, shallow=4, seed=0, learning_rate=50.0, epochs=2, **START)
    assert found["plain"]["diverged"] or found["residual"]["diverged"]


@pytest.mark.parametrize(
    "wrong", [{"depth": 3}, {"depth": 58}, {"depth": 0}, {"activation": "step"}, {"initialisation": "zero"}]
)
def test_what_does_not_exist_is_refused(wrong):
    with pytest.raises(ValueError, match=r"must be|is none of"):
        maths.norms(**{"depth": 6, **START, "data": "digits", "seed": 0, **wrong})
    with pytest.raises(ValueError, match="data must be"):
        maths.norms(6, **START, data="cats", seed=0)
