"""torch's own optimisers on the same slope, from the same point."""

from functools import cache
from typing import Any

import numpy as np
import torch

from core.maths.descent import FAR, scheduled
from core.maths.digits_net import trained
from core.maths.digits_slice import as_surface
from core.maths.surfaces import SURFACES, Array, Surface

OPTIMISERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
}


def race(
    surface: str, start: tuple[float, ...], optimisers: list[str], learning_rate: float, steps: int,
    schedule: str = "constant", noise: float = 0.0, seed: int = 0,
) -> dict[str, Array]:  # fmt: skip
    """The path of each optimiser, (steps + 1, D); NaN from where it diverged. All of them meet the same noise."""
    landscape = _surface(surface)
    draw = np.random.default_rng(seed).normal(0, 1, (steps, landscape.dimension)) * noise
    return {
        name: _run(landscape, name, np.array(start, np.float64), learning_rate, schedule, draw) for name in optimisers
    }


def _run(surface: Surface, name: str, start: Array, learning_rate: float, schedule: str, draw: Array) -> Array:
    kind, settings = OPTIMISERS[name]
    point = torch.tensor(start, requires_grad=True)
    optimiser = kind([point], lr=learning_rate, foreach=False, **settings)  # type: ignore[call-arg]
    path = [start]
    for step, noise in enumerate(draw):
        optimiser.param_groups[0]["lr"] = learning_rate * scheduled(schedule, step, len(draw))
        point.grad = torch.from_numpy(surface.gradient(path[-1]) + noise)
        optimiser.step()
        path.append(point.detach().numpy().copy())
        if not np.abs(path[-1]).max() <= FAR:
            path += [np.full_like(start, np.nan)] * (len(draw) - step)
            path[step + 1] = np.full_like(start, np.nan)
            return np.stack(path[: len(draw) + 1])
    return np.stack(path)


@cache
def _surface(name: str) -> Surface:
    return as_surface(trained()) if name == "digits" else SURFACES[name]
