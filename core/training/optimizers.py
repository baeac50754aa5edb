"""Optimisers and learning-rate schedules, chosen by the recipe's words: torch's own, and Muon."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.training.muon import Muon, Together
from core.training.recipe import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """torch's optimiser for a recipe; weight decay leaves biases and normalisation alone.

    Decaying those one-dimensional parameters does not regularise (He et al. 2019, arXiv 1812.01187, §3.1).
    """
    rate = recipe.learning_rate
    matrices = hidden_matrices(model) if recipe.optimizer == "muon" else []
    left = [p for p in model.parameters() if all(p is not matrix for matrix in matrices)]
    groups = [
        {"params": [p for p in left if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in left if p.ndim <= 1], "weight_decay": 0.0},
    ]
    # One fused kernel instead of several for each tensor: same arithmetic, fewer passes over memory.
    match recipe.optimizer:
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, fused=True)
        case "momentum":
            return torch.optim.SGD(groups, lr=rate, momentum=0.9, fused=True)
        case "nesterov":
            return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True, fused=True)
        case "adam":
            return torch.optim.Adam(groups, lr=rate, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, fused=True)
        case "muon":
            rest = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)
            return Together([Muon(matrices, rate, weight_decay=recipe.weight_decay), rest]) if matrices else rest
    raise AssertionError(recipe.optimizer)


def hidden_matrices(model: nn.Module) -> list[Tensor]:
    """What Muon is made for: the weights of convolutions and linear layers, but for the last, which answers."""
    layers = [module.weight for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    return [weight for weight in layers[:-1] if weight.requires_grad]


def learning_rate_at(recipe: Recipe, steps: int) -> Callable[[int], float]:
    """The learning rate as a function of the step, from 0 to `steps` - 1."""
    peak = recipe.learning_rate

    def constant(step: int) -> float:
        del step
        return peak

    def linear(step: int) -> float:
        return peak * (steps - step) / steps

    def cosine(step: int) -> float:
        return peak * 0.5 * (1 + math.cos(math.pi * step / steps))

    def one_cycle(step: int) -> float:  # up to the peak during the first fifth, then down to nothing
        warm_up = max(1, steps // 5)
        return peak * (step + 1) / warm_up if step < warm_up else peak * (steps - step) / (steps - warm_up + 1)

    def drops(step: int) -> float:  # a tenth after half of the run, a hundredth after three quarters
        return peak * 0.1 ** ((step >= steps * 0.5) + (step >= steps * 0.75))

    known = {"constant": constant, "linear": linear, "cosine": cosine, "one-cycle": one_cycle, "step": drops}
    return known[recipe.schedule]
