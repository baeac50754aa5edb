"""Cross-entropy from the logits on, in float64 NumPy.

Shapes: z, p, y are (..., K) with K classes on the last axis; losses are (...). `z` are logits, `p` probabilities, `y`
targets (one-hot, soft or smoothed; they sum to 1), `t` the temperature, which divides the logits.
Goodfellow, Bengio, Courville, Deep Learning (2016), sections 3.13, 4.1 and 6.2.2.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def log_softmax(z: ArrayLike, t: float = 1.0) -> Array:
    """log p for logits z. Shifted by the largest logit, so that nothing overflows (the log-sum-exp trick)."""
    z = np.asarray(z, np.float64) / t
    shifted = z - z.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def softmax(z: ArrayLike, t: float = 1.0) -> Array:
    """Probabilities for logits z: exp z divided by the sum of all exp z."""
    return np.asarray(np.exp(log_softmax(z, t)))


def naive_softmax(z: ArrayLike, dtype: type = np.float32) -> NDArray[np.floating]:
    """The formula as it stands in a book, in the precision that networks use: exp overflows beyond 88.7."""
    with np.errstate(all="ignore"):
        powers = np.exp(np.asarray(z, dtype))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def one_hot(k: int, classes: int) -> Array:
    """All of the probability on class k."""
    return np.asarray(np.eye(classes)[k])


def smoothed(y: ArrayLike, epsilon: float) -> Array:
    """Label smoothing: a share epsilon of the target goes to all classes alike (Szegedy et al. 2016, section 7)."""
    y = np.asarray(y, np.float64)
    return np.asarray((1 - epsilon) * y + epsilon / y.shape[-1])


def terms(z: ArrayLike, y: ArrayLike, t: float = 1.0) -> Array:
    """-y log p of each class; a class whose target is 0 contributes 0."""
    y = np.asarray(y, np.float64)
    return np.where(y == 0, 0.0, y * -log_softmax(z, t))


def cross_entropy(z: ArrayLike, y: ArrayLike, t: float = 1.0) -> Array:
    """The loss in nats: the sum of -y log p over the classes. From logits, never from probabilities."""
    return np.asarray(terms(z, y, t).sum(axis=-1))


def gradient(z: ArrayLike, y: ArrayLike, t: float = 1.0) -> Array:
    """The loss's derivative by the logits: (p - y) / t."""
    return np.asarray((softmax(z, t) - np.asarray(y, np.float64)) / t)


def squared_error(z: ArrayLike, y: ArrayLike, t: float = 1.0) -> Array:
    """The sum of (p - y)² over the classes: the loss that cross-entropy replaced."""
    return np.asarray(((softmax(z, t) - np.asarray(y)) ** 2).sum(axis=-1))


def squared_error_gradient(z: ArrayLike, y: ArrayLike, t: float = 1.0) -> Array:
    """Its derivative by the logits. The factor p makes it vanish where the network is sure, right or wrong."""
    p = softmax(z, t)
    error = 2 * (p - np.asarray(y))
    return np.asarray(p * (error - (error * p).sum(axis=-1, keepdims=True)) / t)


def descend(z: ArrayLike, y: ArrayLike, learning_rate: float, steps: int, t: float = 1.0) -> Array:
    """Gradient steps on the logits themselves: all of the path, (steps + 1, K)."""
    path = [np.asarray(z, np.float64)]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * gradient(path[-1], y, t))
    return np.stack(path)


def surface(z: ArrayLike, y: ArrayLike, i: int, j: int, axis: Array, t: float = 1.0) -> Array:
    """The loss where logits i and j take the values of `axis` (n,) and the others stay: (n,n), rows are logit j."""
    grid = np.tile(np.asarray(z, np.float64), (len(axis), len(axis), 1))
    grid[:, :, i] = axis[None, :]
    grid[:, :, j] = axis[:, None]
    return cross_entropy(grid, y, t)


def perplexity(loss: float) -> float:
    """exp of the loss: between how many equally likely classes the model seems to hesitate."""
    return float(np.exp(loss))


def bits(loss: float) -> float:
    """The loss in bits instead of nats."""
    return float(loss / np.log(2))


def entropy(y: ArrayLike) -> float:
    """The entropy of the target in nats: the least value that cross-entropy can take."""
    y = np.asarray(y, np.float64)
    return float((y[y > 0] * -np.log(y[y > 0])).sum())


def sigmoid(z: ArrayLike) -> Array:
    """1 / (1 + exp -z), from whichever side does not overflow: the softmax of two classes with logits (0, z)."""
    z = np.asarray(z, np.float64)
    small = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1 / (1 + small), small / (1 + small)))


def binary_cross_entropy(z: ArrayLike, y: ArrayLike) -> Array:
    """-y log p - (1 - y) log(1 - p) for one logit z and p = sigmoid z, with no logarithm of 0."""
    z, y = np.asarray(z, np.float64), np.asarray(y, np.float64)
    return np.asarray(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def naive_cross_entropy(p: ArrayLike, k: int, dtype: type = np.float32) -> float:
    """-log of the k-th probability as a formula without care: infinite when the probability was rounded to 0."""
    with np.errstate(all="ignore"):
        return float(-np.log(np.asarray(p, dtype)[k]))


def twice_softmaxed(z: ArrayLike, y: ArrayLike) -> tuple[float, Array]:
    """Loss and gradient by z when probabilities are passed to a loss that wants logits: softmax is taken twice.

    The inner probabilities differ by at most 1, so the outer ones never come near 0 or 1, and the loss never near 0.
    """
    p, y = softmax(z), np.asarray(y, np.float64)
    by_p = softmax(p) - y
    return float(cross_entropy(p, y)), p * (by_p - (by_p * p).sum())
