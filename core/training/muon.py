"""Muon: momentum whose every matrix is made orthogonal before the step (Jordan et al. 2024).

Source: https://kellerjordan.github.io/posts/muon. A gradient's momentum M = U S Vᵀ mostly points in a few directions;
Muon takes the step U Vᵀ, which moves the weights equally far in all of them. The singular value decomposition is not
computed: a polynomial in M, applied a few times, pushes all singular values towards 1 and consists of matrix products
only. Steps have the size that AdamW's have, so that its learning rate and weight decay carry over (Liu et al. 2025,
arXiv 2502.16982, §2.2).

torch has `torch.optim.Muon` for two-dimensional weights; this one takes the filters of convolutions too, does matrices
of one shape at once, computes in float32 where bfloat16 is slow, and can be recorded as a CUDA graph.
"""

import math
from collections import ChainMap
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from core.device import computes_in_bfloat16

# Of the polynomial a s + b s³ + c s⁵. Steep at 0, so that small singular values grow fast; it ends near 1, between
# 0.7 and 1.2, and does not converge to it, which costs nothing (Jordan et al. 2024, "Tuning our coefficients").
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor, iterations: int = 5) -> Tensor:
    """(n,A,B) → (n,A,B): the same singular vectors, all singular values near 1, by Newton–Schulz iteration."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices  # the products below are as small as the shorter side
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)  # no singular value above 1
    for _ in range(iterations):
        square = x @ x.mT
        weights = torch.baddbmm(square, square, square, beta=b, alpha=c)  # b x xᵀ + c (x xᵀ)²
        x = torch.baddbmm(x, weights, x, beta=a)  # a x + b (x xᵀ) x + c (x xᵀ)² x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon for weights of two or more dimensions; a filter (out, in, h, w) is the matrix (out, in·h·w).

    Not for embeddings, biases and the layer that gives the answers, which want AdamW.
    """

    def __init__(
        self, params: Iterable[Any], lr: float, momentum: float = 0.95, weight_decay: float = 0.0, iterations: int = 5
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "iterations": iterations}
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step for every weight that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            same_shape: dict[torch.Size, list[Tensor]] = {}
            for weight in group["params"]:
                if weight.grad is not None:
                    same_shape.setdefault(weight.shape, []).append(weight)
            for weights in same_shape.values():
                self._update(weights, group)

    def _update(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        """θ ← θ − η (λ θ + 0.2 √max(A,B) orthogonalise(g + momentum)) for weights of one shape."""
        rate, momentum = group["lr"], group["momentum"]  # the rate is a tensor while a CUDA graph is recorded
        means = [self._mean(weight) for weight in weights]
        grads = [weight.grad for weight in weights if weight.grad is not None]
        torch._foreach_lerp_(means, grads, 1 - momentum)
        ahead = torch._foreach_lerp(grads, means, momentum)  # Nesterov: as if the mean had already moved on
        matrices = torch.stack([gradient.flatten(1) for gradient in ahead])  # (n,A,B)
        if computes_in_bfloat16(matrices.device):
            matrices = matrices.bfloat16()
        size = 0.2 * math.sqrt(max(matrices.shape[1:]))  # entries of an orthogonal matrix shrink with its longer side
        steps = orthogonalise(matrices, group["iterations"]).to(weights[0].dtype) * (rate * size)
        torch._foreach_mul_(weights, 1 - rate * group["weight_decay"])
        torch._foreach_sub_(weights, [step.reshape(weights[0].shape) for step in steps])

    def _mean(self, weight: Tensor) -> Tensor:
        """The running mean of the weight's gradients, zero at first."""
        state = self.state[weight]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(weight, memory_format=torch.preserve_format)
        mean: Tensor = state["mean"]
        return mean


class Together(torch.optim.Optimizer):
    """Several optimisers, each with weights of its own, that step as one."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        super().__init__([group for part in parts for group in part.param_groups], {})
        self._share()

    def _share(self) -> None:
        """The groups are the parts' own, so that a learning rate set here is theirs; so is what they remember."""
        self.param_groups = [group for part in self.parts for group in part.param_groups]
        self.state = ChainMap(*(part.state for part in self.parts))  # type: ignore[assignment]

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        assert closure is None
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share()
