"""A real loss surface: a small network trained on digits, seen along two directions in the space of its weights.

The directions are random and have, for each unit, the length of the unit's own weights, so that a step of 1 means
the same everywhere (Li et al., Visualizing the Loss Landscape of Neural Nets, 2018, section 4). NumPy only.
"""

from collections.abc import Mapping

import numpy as np

from core.maths.surfaces import Array, Surface

LAYERS = ("w1", "b1", "w2", "b2")


def as_surface(net: Mapping[str, Array]) -> Surface:
    """The loss around the trained weights: at (0, 0) it is theirs, (a, b) adds a times one direction, b the other.

    `net` holds x (N,64), labels as one-hot y (N,10), the weights w1 (64,H), b1 (H,), w2 (H,10), b2 (10,), and two
    directions for each: u_w1, v_w1 and so on.
    """
    # x (w + a u + b v) = x w + a x u + b x v: the large products are computed once for the whole surface.
    before = [net["x"] @ net[f"{way}w1"] + net[f"{way}b1"] for way in ("", "u_", "v_")]

    def value(point: Array) -> Array:
        flat = point.reshape(-1, 2)
        return np.array([_loss(net, before, one) for one in flat]).reshape(point.shape[:-1])

    def gradient(point: Array) -> Array:
        flat = point.reshape(-1, 2)
        return np.array([_gradient(net, before, one) for one in flat]).reshape(point.shape)

    return Surface(value, gradient, ((-1.5, 1.5), (-1.5, 1.5)), (1.1, -1.0), 0.05,
                   r"L(\theta^*+x\,u+y\,v)")  # fmt: skip


def _forward(net: Mapping[str, Array], before: list[Array], point: Array) -> tuple[Array, Array, Array]:
    """Hidden units (N,H), the second layer's weights (H,10), and log p (N,10)."""
    a, b = point
    hidden = np.tanh(before[0] + a * before[1] + b * before[2])
    w2, b2 = (net[name] + a * net[f"u_{name}"] + b * net[f"v_{name}"] for name in ("w2", "b2"))
    z = hidden @ w2 + b2
    z = z - z.max(1, keepdims=True)
    return hidden, w2, z - np.log(np.exp(z).sum(1, keepdims=True))


def _loss(net: Mapping[str, Array], before: list[Array], point: Array) -> float:
    return float(-(net["y"] * _forward(net, before, point)[2]).sum(1).mean())


def _gradient(net: Mapping[str, Array], before: list[Array], point: Array) -> Array:
    """Backpropagation to both layers, then along the two directions."""
    hidden, w2, log_p = _forward(net, before, point)
    by_z = (np.exp(log_p) - net["y"]) / len(hidden)
    by_before = (by_z @ w2.T) * (1 - hidden**2)
    by_w2, by_b2 = hidden.T @ by_z, by_z.sum(0)
    return np.array([
        (by_before * along).sum() + (by_w2 * net[f"{way}_w2"]).sum() + (by_b2 * net[f"{way}_b2"]).sum()
        for way, along in (("u", before[1]), ("v", before[2]))
    ])  # fmt: skip
