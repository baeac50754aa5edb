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

    def value(point: Array) -> Array:
        flat = point.reshape(-1, 2)
        return np.array([_loss(net, one) for one in flat]).reshape(point.shape[:-1])

    def gradient(point: Array) -> Array:
        flat = point.reshape(-1, 2)
        return np.array([_gradient(net, one) for one in flat]).reshape(point.shape)

    return Surface(value, gradient, ((-1.5, 1.5), (-1.5, 1.5)), (1.1, -1.0), 0.05,
                   r"L(\theta^*+x\,u+y\,v)")  # fmt: skip


def _weights(net: Mapping[str, Array], point: Array) -> list[Array]:
    return [net[name] + point[0] * net[f"u_{name}"] + point[1] * net[f"v_{name}"] for name in LAYERS]


def _log_probabilities(hidden: Array, w2: Array, b2: Array) -> Array:
    z = hidden @ w2 + b2
    z = z - z.max(1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(1, keepdims=True)))


def _loss(net: Mapping[str, Array], point: Array) -> float:
    w1, b1, w2, b2 = _weights(net, point)
    return float(-(net["y"] * _log_probabilities(np.tanh(net["x"] @ w1 + b1), w2, b2)).sum(1).mean())


def _gradient(net: Mapping[str, Array], point: Array) -> Array:
    """Backpropagation to all weights, then along the two directions."""
    w1, b1, w2, b2 = _weights(net, point)
    hidden = np.tanh(net["x"] @ w1 + b1)
    by_z = (np.exp(_log_probabilities(hidden, w2, b2)) - net["y"]) / len(net["x"])
    by_before = (by_z @ w2.T) * (1 - hidden**2)
    by = {"w1": net["x"].T @ by_before, "b1": by_before.sum(0), "w2": hidden.T @ by_z, "b2": by_z.sum(0)}
    return np.array([sum((by[name] * net[f"{way}_{name}"]).sum() for name in LAYERS) for way in "uv"])
