"""A real loss surface: a small network trained on digits, seen along two directions in the space of its weights.

The directions are random and have, for each unit, the length of the unit's own weights, so that a step of 1 means
the same everywhere (Li et al., Visualizing the Loss Landscape of Neural Nets, 2018, section 4). NumPy only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.maths.surfaces import Array, Surface

LAYERS = ("w1", "b1", "w2", "b2")
WAYS = ("", "u_", "v_")
AT_ONCE = 16  # points, whose numbers stay in the cache of a processor core


def as_surface(net: Mapping[str, Array]) -> Surface:
    """The loss around the trained weights: at (0, 0) it is theirs, (a, b) adds a times one direction, b the other.

    `net` holds x (N,64), labels as one-hot y (N,10), the weights w1 (64,H), b1 (H,), w2 (H,10), b2 (10,), and two
    directions for each: u_w1, v_w1 and so on.
    """
    # x (w + a u + b v) = x w + a x u + b x v: the large products are computed once for the whole surface.
    before = np.stack([net["x"] @ net[f"{way}w1"] + net[f"{way}b1"] for way in WAYS])  # (3,N,H)
    w2, b2 = (np.stack([net[f"{way}{name}"] for way in WAYS]) for name in ("w2", "b2"))  # (3,H,10), (3,10)
    slice_ = _Slice(before, w2, b2, net["y"])

    def value(point: Array) -> Array:
        return _in_parts(slice_.loss, point).reshape(point.shape[:-1])

    def gradient(point: Array) -> Array:
        return _in_parts(slice_.gradient, point).reshape(point.shape)

    return Surface(value, gradient, ((-1.5, 1.5), (-1.5, 1.5)), (1.1, -1.0), 0.05,
                   r"L(\theta^*+x\,u+y\,v)")  # fmt: skip


def _in_parts(function: Callable[[Array], Array], point: Array) -> Array:
    """`function` of all points (..., 2), `AT_ONCE` at a time."""
    flat = point.reshape(-1, 2)
    return np.concatenate([function(flat[k : k + AT_ONCE]) for k in range(0, len(flat), AT_ONCE)])


@dataclass(frozen=True)
class _Slice:
    """What the first layer gives before its tanh (3,N,H), the second layer's weights (3,H,10) and biases (3,10), each
    at the centre and along both directions; and the labels (N,10)."""

    before: Array
    w2: Array
    b2: Array
    y: Array

    def loss(self, point: Array) -> Array:
        """(P,2) → (P,)."""
        z = self._forward(point)[2]
        return np.asarray((np.log(np.exp(z).sum(-1)) - (z * self.y).sum(-1)).mean(-1))

    def gradient(self, point: Array) -> Array:
        """Backpropagation to both layers, then along the two directions: (P,2) → (P,2)."""
        hidden, w2, z = self._forward(point)
        p = np.exp(z)
        p /= p.sum(-1, keepdims=True)
        by_z = (p - self.y) / len(self.y)  # (P,N,10)
        by_before = (by_z @ w2.swapaxes(1, 2)) * (1 - hidden * hidden)  # (P,N,H)
        by_w2, by_b2 = hidden.swapaxes(1, 2) @ by_z, by_z.sum(1)
        return _onto(by_before, self.before) + _onto(by_w2, self.w2) + _onto(by_b2, self.b2)

    def _forward(self, point: Array) -> tuple[Array, Array, Array]:
        """At points (P,2): hidden units (P,N,H), the second layer's weights (P,H,10), logits (P,N,10) of at most 0."""
        hidden = np.tanh(_along(point, self.before))
        w2 = _along(point, self.w2)
        z = hidden @ w2 + _along(point, self.b2)[:, None]
        return hidden, w2, z - z.max(-1, keepdims=True)


def _along(point: Array, parts: Array) -> Array:
    """parts[0] + a parts[1] + b parts[2] for each of the points (P,2): (P,...)."""
    shares = np.concatenate([np.ones((len(point), 1)), point], axis=1)  # (P,3)
    return (shares @ parts.reshape(3, -1)).reshape(-1, *parts.shape[1:])


def _onto(by: Array, parts: Array) -> Array:
    """The chain rule from `_along` back to the point: (P,...) → (P,2)."""
    return np.asarray(by.reshape(len(by), -1) @ parts[1:].reshape(2, -1).T)
