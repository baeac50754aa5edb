"""torch's own optimisers on the same slope, from the same point."""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

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
    """The path of each optimiser, (steps + 1, D); NaN from where it diverged. All of them meet the same noise.

    They step side by side, so that the landscape is asked once for the slopes under all of them.
    """
    landscape = _surface(surface)
    draw = np.random.default_rng(seed).normal(0, 1, (steps, landscape.dimension)) * noise
    runners = [_runner(name, start, learning_rate) for name in optimisers]
    path = np.full((len(runners), steps + 1, landscape.dimension), np.nan)  # (R,steps + 1,D)
    path[:, 0] = start
    for step in range(steps):
        with np.errstate(all="ignore"):  # of those that have diverged
            slopes = landscape.gradient(path[:, step]) + draw[step]  # (R,D)
        for runner, (point, optimiser) in enumerate(runners):
            if np.isnan(path[runner, step, 0]):
                continue
            optimiser.param_groups[0]["lr"] = learning_rate * scheduled(schedule, step, steps)
            point.grad = torch.from_numpy(slopes[runner])
            optimiser.step()
            after = point.detach().numpy()
            if np.abs(after).max() <= FAR:  # NaN fails the comparison
                path[runner, step + 1] = after
    return dict(zip(optimisers, path, strict=True))


def _runner(name: str, start: tuple[float, ...], learning_rate: float) -> tuple[Tensor, torch.optim.Optimizer]:
    kind, settings = OPTIMISERS[name]
    point = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    return point, kind([point], lr=learning_rate, foreach=False, **settings)  # type: ignore[call-arg]


@cache
def _surface(name: str) -> Surface:
    return as_surface(trained()) if name == "digits" else SURFACES[name]
