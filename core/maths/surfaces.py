"""Landscapes to walk down: functions of one or two numbers with their gradients, in float64 NumPy.

Points are (..., D) with D = 1 or 2; values are (...), gradients (..., D).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Surface:
    """A function to be made small, its gradient, and where to look at it.

    `window` is (low, high) of each coordinate. `curvature` is the largest eigenvalue of the Hessian where that is the
    same everywhere, which is so for quadratics only: gradient descent on them converges below 2 / curvature
    (Boyd and Vandenberghe, Convex Optimization, 2004, section 9.3).
    """

    value: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
    window: tuple[tuple[float, float], ...]
    start: tuple[float, ...]
    learning_rate: float
    formula: str  # LaTeX
    curvature: float | None = None

    @property
    def dimension(self) -> int:
        return len(self.window)


def _quadratic(*curvatures: float) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Half the sum of a x² over the coordinates, and its gradient."""
    a = np.array(curvatures)
    return lambda p: 0.5 * (a * p**2).sum(-1), lambda p: a * p


def _double_well(p: Array) -> Array:
    x = p[..., 0]
    return np.asarray((x**2 - 1) ** 2 + 0.3 * x)


def _double_well_gradient(p: Array) -> Array:
    return 4 * p * (p**2 - 1) + 0.3


def _plateau(p: Array) -> Array:
    x = p[..., 0]
    return np.asarray(x**2 / (1 + x**2))


def _plateau_gradient(p: Array) -> Array:
    return 2 * p / (1 + p**2) ** 2


def _saddle(p: Array) -> Array:
    x, y = p[..., 0], p[..., 1]
    return np.asarray(0.5 * x**2 - 0.5 * y**2 + 0.1 * y**4)


def _saddle_gradient(p: Array) -> Array:
    x, y = p[..., 0], p[..., 1]
    return np.stack([x, -y + 0.4 * y**3], -1)


def _rosenbrock(p: Array) -> Array:
    """Rosenbrock, The Computer Journal 3 (1960): a bent valley with its floor at (1, 1)."""
    x, y = p[..., 0], p[..., 1]
    return np.asarray((1 - x) ** 2 + 100 * (y - x**2) ** 2)


def _rosenbrock_gradient(p: Array) -> Array:
    x, y = p[..., 0], p[..., 1]
    return np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], -1)


def _himmelblau(p: Array) -> Array:
    """Himmelblau, Applied Nonlinear Programming (1972): four minima, all of them 0."""
    x, y = p[..., 0], p[..., 1]
    return np.asarray((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2)


def _himmelblau_gradient(p: Array) -> Array:
    x, y = p[..., 0], p[..., 1]
    a, b = x**2 + y - 11, x + y**2 - 7
    return np.stack([4 * x * a + 2 * b, 2 * a + 4 * y * b], -1)


SURFACES = {
    "bowl": Surface(
        *_quadratic(1, 1), ((-4, 4), (-4, 4)), (3.0, 2.5), 0.2, r"\tfrac12(x^2+y^2)", curvature=1
    ),
    "ravine": Surface(
        *_quadratic(1, 25), ((-4, 4), (-2, 2)), (-3.5, 1.5), 0.03, r"\tfrac12(x^2+25y^2)", curvature=25
    ),
    "saddle": Surface(
        _saddle, _saddle_gradient, ((-3, 3), (-3, 3)), (2.5, 0.01), 0.2, r"\tfrac12x^2-\tfrac12y^2+\tfrac1{10}y^4"
    ),
    "rosenbrock": Surface(
        _rosenbrock, _rosenbrock_gradient, ((-2, 2), (-1, 3)), (-1.5, 2.0), 0.001, r"(1-x)^2+100(y-x^2)^2"
    ),
    "himmelblau": Surface(
        _himmelblau, _himmelblau_gradient, ((-5, 5), (-5, 5)), (0.0, 0.0), 0.01, r"(x^2+y-11)^2+(x+y^2-7)^2"
    ),
    "convex": Surface(*_quadratic(1), ((-4, 4),), (3.5,), 0.2, r"\tfrac12x^2", curvature=1),
    "double-well": Surface(_double_well, _double_well_gradient, ((-2, 2),), (1.8,), 0.02, r"(x^2-1)^2+0.3x"),
    "plateau": Surface(_plateau, _plateau_gradient, ((-8, 8),), (6.0,), 0.5, r"\frac{x^2}{1+x^2}"),
}  # fmt: skip


def curvature_at(surface: Surface, point: Array, h: float = 1e-4) -> float:
    """The largest eigenvalue of the Hessian at a point (D,), from differences of the gradient."""
    offsets = h * np.eye(surface.dimension)
    hessian = (surface.gradient(point + offsets) - surface.gradient(point - offsets)) / (2 * h)
    return float(np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1])
