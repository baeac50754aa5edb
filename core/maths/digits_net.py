"""Trains the small network whose loss surface is walked on."""

from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from core.maths.digits_slice import LAYERS
from core.maths.surfaces import Array

HIDDEN, PICTURES, STEPS = 16, 100, 150


@cache
def trained(seed: int = 0) -> dict[str, Array]:
    """A 64-16-10 network after 150 steps of Adam on 100 digits, with two directions; see `digits_slice`."""
    digits = load_digits()
    x = torch.tensor(digits.data[:PICTURES] / 16)
    y = F.one_hot(torch.tensor(digits.target[:PICTURES]), 10).double()
    generator = torch.Generator().manual_seed(seed)
    shapes = {"w1": (64, HIDDEN), "b1": (HIDDEN,), "w2": (HIDDEN, 10), "b2": (10,)}

    def draw(shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    weights = {name: draw(shape) / shape[0] ** 0.5 if len(shape) == 2 else torch.zeros(shape, dtype=torch.float64)
               for name, shape in shapes.items()}  # fmt: skip
    for weight in weights.values():
        weight.requires_grad_()
    optimiser = torch.optim.Adam(weights.values(), lr=0.03)
    for _ in range(STEPS):
        optimiser.zero_grad()
        logits = torch.tanh(x @ weights["w1"] + weights["b1"]) @ weights["w2"] + weights["b2"]
        F.cross_entropy(logits, y).backward()
        optimiser.step()
    net = {"x": x.numpy(), "y": y.numpy(), **{name: weights[name].detach().numpy() for name in LAYERS}}
    for way in "uv":
        for name, shape in shapes.items():
            direction = draw(shape).numpy()
            # Each unit is a column; a direction gets the length of the unit's own weights.
            scale = np.linalg.norm(net[name], axis=0) / np.linalg.norm(direction, axis=0)
            net[f"{way}_{name}"] = direction * scale
    return net
