"""Low-rank adaptation: train a small product of two matrices beside a frozen weight.

Hu et al. 2021, "LoRA", arXiv 2106.09685, §4.1: h = W x + (α / r) B A x, with A random and B zero at the start.
"""

import math

import torch
from torch import Tensor, nn

from core.errors import UserError
from core.language.model import Attention, Block, LanguageModel
from core.language.recipe import MATRICES


class LowRank(nn.Module):
    """A frozen linear layer with a low-rank change that can be switched off."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        self.base, self.scale, self.on = base.requires_grad_(False), alpha / rank, True
        self.a = nn.Parameter(torch.empty(rank, base.in_features))
        self.b = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.base(x)
        return y + self.scale * (x @ self.a.T @ self.b.T) if self.on else y

    def merged(self) -> nn.Linear:
        """One linear layer that does the same."""
        with torch.no_grad():
            self.base.weight += self.scale * self.b @ self.a
        return self.base


def add_lora(
    model: LanguageModel, rank: int, alpha: float | None = None, matrices: tuple[str, ...] = MATRICES
) -> list[LowRank]:
    """Freeze a model and put an adapter beside the named matrices of every block; returns the adapters.

    Raises `UserError` for a rank below 1 or above the model's width.
    """
    if not 1 <= rank <= model.size.width:
        raise UserError("The rank lies between 1 and the width of the model, {width}.", width=model.size.width)
    model.requires_grad_(False)
    adapters = []
    for owner, name, layer in _layers(model):
        if name in matrices and isinstance(layer, nn.Linear):
            adapters.append(LowRank(layer, rank, alpha or 2.0 * rank))
            setattr(owner, name, adapters[-1])
    return adapters


def merge_lora(model: LanguageModel) -> None:
    """Fold the adapters into the weights: the same model as before without any cost in speed."""
    for owner, name, layer in _layers(model):
        if isinstance(layer, LowRank):
            setattr(owner, name, layer.merged())


def switch(adapters: list[LowRank], on: bool) -> None:
    """With the adapters off, the model is the base it was, bit for bit."""
    for adapter in adapters:
        adapter.on = on


def _layers(model: LanguageModel) -> list[tuple[nn.Module, str, nn.Module]]:
    """The layers of every block, each with what owns it and its name there."""
    owners = [module for module in model.modules() if isinstance(module, Block | Attention)]
    return [(owner, name, layer) for owner in owners for name, layer in owner.named_children()]
