"""A real loss surface: a small network trained on digits, seen along two directions in the space of its weights.

The directions are random and have, for each unit, the length of the unit's own weights, so that a step of 1 means
the same everywhere (Li et al., Visualizing the Loss Landscape of Neural Nets, 2018, section 4). NumPy only.
"""

from collections.abc import Callable, Mapping

import numpy as np

from core.maths.surfaces import Array, Surface

LAYERS = ("w1", "b1", "w2", "b2")
AT_ONCE = 16  # points, whose numbers stay in the cache of a processor core


def as_surface(net: Mapping[str, Array]) -> Surface:
    """The loss around the trained weights: at (0, 0) it is theirs, (a, b) adds a times one direction, b the other.

    `net` holds x (N,64), labels as one-hot y (N,10), the weights w1 (64,H), b1 (H,), w2 (H,10), b2 (10,), and two
    directions for each: u_w1, v_w1 and so on.
    """
    # x (w + a u + b v) = x w + a x u + b x v: the large products are computed once for the whole surface.
    before = np.stack([net["x"] @ net[f"{way}w1"] + net[f"{way}b1"] for way in ("", "u_", "v_")])  # (3,N,H)

    def value(point: Array) -> Array:
        return _in_parts(lambda some: _loss(net, before, some), point).reshape(point.shape[:-1])

    def gradient(point: Array) -> Array:
        return _in_parts(lambda some: _gradient(net, before, some), point).reshape(point.shape)

    return Surface(value, gradient, ((-1.5, 1.5), (-1.5, 1.5)), (1.1, -1.0), 0.05,
                   r"L(\theta^*+x\,u+y\,v)")  # fmt: skip


def _in_parts(function: Callable[[Array], Array], point: Array) -> Array:
    """`function` of all points (..., 2), `AT_ONCE` at a time."""
    flat = point.reshape(-1, 2)
    return np.concatenate([function(flat[k : k + AT_ONCE]) for k in range(0, len(flat), AT_ONCE)])


def _along(point: Array, parts: Array) -> Array:
    """parts[0] + a parts[1] + b parts[2] for each of the points (P,2): (P,...)."""
    shares = np.concatenate([np.ones((len(point), 1)), point], axis=1)  # (P,3)
    return (shares @ parts.reshape(3, -1)).reshape(-1, *parts.shape[1:])


def _second_layer(net: Mapping[str, Array], name: str) -> Array:
    return np.stack([net[f"{way}{name}"] for way in ("", "u_", "v_")])


def _forward(net: Mapping[str, Array], before: Array, point: Array) -> tuple[Array, Array, Array]:
    """At points (P,2): hidden units (P,N,H), the second layer's weights (P,H,10), and log p (P,N,10)."""
    hidden = np.tanh(_along(point, before))
    w2 = _along(point, _second_layer(net, "w2"))
    z = hidden @ w2 + _along(point, _second_layer(net, "b2"))[:, None]
    z -= z.max(-1, keepdims=True)
    return hidden, w2, z - np.log(np.exp(z).sum(-1, keepdims=True))


def _loss(net: Mapping[str, Array], before: Array, point: Array) -> Array:
    """(P,2) → (P,)."""
    log_p = _forward(net, before, point)[2]
    return np.asarray(-(net["y"] * log_p).sum((1, 2)) / len(net["y"]))


def _gradient(net: Mapping[str, Array], before: Array, point: Array) -> Array:
    """Backpropagation to both layers, then along the two directions: (P,2) → (P,2)."""
    hidden, w2, log_p = _forward(net, before, point)
    by_z = (np.exp(log_p) - net["y"]) / len(net["y"])  # (P,N,10)
    by_before = (by_z @ w2.swapaxes(1, 2)) * (1 - hidden**2)  # (P,N,H)
    by_w2, by_b2 = hidden.swapaxes(1, 2) @ by_z, by_z.sum(1)
    return np.stack([
        (by_before * along).sum((1, 2)) + (by_w2 * net[f"{way}_w2"]).sum((1, 2)) + by_b2 @ net[f"{way}_b2"]
        for way, along in (("u", before[1]), ("v", before[2]))
    ], axis=-1)  # fmt: skip
