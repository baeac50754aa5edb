"""Gradient descent written out, and the learning rates it can take."""

import math

import numpy as np

from core.maths.surfaces import Array, Surface

FAR = 1e6  # beyond this a walk has diverged; its further points are NaN
SCHEDULES = ("constant", "halved", "cosine", "warm-up")


def scheduled(schedule: str, step: int, steps: int) -> float:
    """The share of the learning rate that is used at `step` of `steps`, counted from 0.

    Halved: again at each quarter. Cosine: half a wave from 1 to 0 (Loshchilov and Hutter 2017, equation 5).
    Warm-up: from 0 to 1 over the first tenth, then cosine.
    """
    match schedule:
        case "halved":
            return float(0.5 ** (4 * step // steps))
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * step / steps))
        case "warm-up":
            rise = max(1, steps // 10)
            return (step + 1) / rise if step < rise else scheduled("cosine", step - rise, max(1, steps - rise))
    return 1.0


def descend(
    surface: Surface, start: Array, learning_rate: float, steps: int, schedule: str = "constant",
    noise: float = 0.0, seed: int = 0,
) -> tuple[Array, Array]:  # fmt: skip
    """Plain gradient descent from `start` (..., D): points (steps + 1, ..., D) and the gradients used (steps, ..., D).

    `learning_rate` may be an array that fits `start`. `noise` is the standard deviation of what is added to each
    gradient, as a small batch would; what noise there is depends on the seed only.
    """
    draw = np.random.default_rng(seed).normal(0, 1, (steps, surface.dimension)) * noise
    points, gradients = [np.asarray(start, np.float64)], []
    with np.errstate(all="ignore"):
        for step in range(steps):
            gradient = surface.gradient(points[-1]) + draw[step]
            after = points[-1] - learning_rate * scheduled(schedule, step, steps) * gradient
            gradients.append(gradient)
            points.append(np.where(np.abs(after).max(-1, keepdims=True) > FAR, np.nan, after))
    return np.stack(points), np.stack(gradients)


def loss_by_learning_rate(surface: Surface, start: Array, learning_rates: Array, steps: int) -> Array:
    """The loss after `steps` steps with each learning rate (n,); infinite where the walk diverged."""
    starts = np.tile(np.asarray(start, np.float64), (len(learning_rates), 1))
    points, _gradients = descend(surface, starts, learning_rates[:, None], steps)  # type: ignore[arg-type]
    with np.errstate(all="ignore"):
        return np.nan_to_num(surface.value(points[-1]), nan=np.inf)
