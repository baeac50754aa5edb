"""A decoder-only transformer, to be read from top to bottom.

Pre-norm blocks (Xiong et al. 2020, arXiv 2002.04745) with learned positions, as in GPT-2. Its one speciality are
*smeared keys* (Olsson et al. 2022, "In-context Learning and Induction Heads", §Argument 2): each key is mixed with
the key before it, so that a single layer can match "the word before this one", which in-context learning needs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Size:
    """What the model is built from; the default has about 110,000 parameters."""

    vocabulary: int
    context: int = 36
    width: int = 64
    heads: int = 2
    layers: int = 2
    smeared_keys: bool = True


Past = tuple[Tensor, Tensor, Tensor]
"""Of one layer: keys and values so far, (B, heads, T, head width), and the last key before it was smeared."""
Cache = list[Past]
"""For each layer its past."""


class Attention(nn.Module):
    """Causal self-attention over several heads."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.qkv = nn.Linear(size.width, 3 * size.width)
        self.out = nn.Linear(size.width, size.width)
        self.smear = nn.Parameter(torch.zeros(size.heads, 1, 1)) if size.smeared_keys else None

    def forward(self, x: Tensor, past: Past | None = None) -> tuple[Tensor, Tensor, Past]:
        """x (B, T, width) → the same shape, the attention weights (B, heads, T, past + T), and what to remember."""
        queries, keys, values = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        last = keys[:, :, -1:]
        if self.smear is not None:
            before = torch.zeros_like(last) if past is None else past[2]
            before = torch.cat([before, keys[:, :, :-1]], 2) if keys.shape[2] > 1 else before
            share = self.smear.sigmoid()
            keys = (1 - share) * keys + share * before
        if past is not None:
            keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
        scores = queries @ keys.transpose(2, 3) / queries.shape[3] ** 0.5
        new, every = scores.shape[2:]
        if new > 1:  # a single new token has no future to hide
            hidden = torch.ones(new, every, dtype=torch.bool, device=x.device).triu(every - new + 1)
            scores = scores.masked_fill(hidden, float("-inf"))
        weights = scores.softmax(3)
        mixed = (weights @ values).transpose(1, 2).flatten(2)
        return self.out(mixed), weights, (keys, values, last)


class Block(nn.Module):
    """Attention, then a perceptron for each token, each added to the residual stream."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(size.width), Attention(size)
        self.norm2 = nn.LayerNorm(size.width)
        self.up, self.down = nn.Linear(size.width, 4 * size.width), nn.Linear(4 * size.width, size.width)

    def forward(self, x: Tensor, past: Past | None = None) -> tuple[Tensor, Tensor, Past]:
        mixed, weights, remember = self.attention(self.norm1(x), past)
        x = x + mixed
        return x + self.down(F.gelu(self.up(self.norm2(x)))), weights, remember


class LanguageModel(nn.Module):
    """From tokens to the logits of the token that comes next."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.tokens = nn.Embedding(size.vocabulary, size.width)
        self.positions = nn.Embedding(size.context, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Linear(size.width, size.vocabulary, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:  # as GPT-2; what ends in the residual stream is smaller the more layers add to it
                deep = name.endswith(("out.weight", "down.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * size.layers) ** 0.5 if deep else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T) int64 → logits (B, T, vocabulary); T is at most the context."""
        return self.with_cache(tokens)[0]

    def with_cache(self, tokens: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """Logits of `tokens` (B, T), which go on behind those of the cache, and the cache with them added."""
        begun = cache[0][0].shape[2] if cache else 0
        x = self.tokens(tokens) + self.positions.weight[begun : begun + tokens.shape[1]]
        longer: Cache = []
        for place, block in enumerate(self.blocks):
            x, _weights, remember = block(x, cache[place] if cache else None)
            longer.append(remember)
        return self.head(self.norm(x)), longer

    @torch.no_grad()
    def look_inside(self, tokens: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Attention of each layer (B, heads, T, T), and the guess after each layer, logits (B, T, vocabulary).

        The guess reads the residual stream through the last norm and head ("logit lens", nostalgebraist 2020).
        """
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        attention, guesses = [], [self.head(self.norm(x))]
        for block in self.blocks:
            x, weights, _remember = block(x)
            attention.append(weights)
            guesses.append(self.head(self.norm(x)))
        return attention, guesses
