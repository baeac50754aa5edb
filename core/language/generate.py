"""Writing on: one token after the other, each drawn from the model's distribution of the next."""

import torch
from torch import Tensor

from core.errors import UserError
from core.language.model import LanguageModel
from core.threads import one_thread


@torch.inference_mode()
def generate(
    model: LanguageModel,
    prompt: list[int],
    count: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    use_cache: bool = True,
) -> list[int]:
    """The `count` tokens that follow a prompt. Temperature 0 always takes the most probable one.

    Raises `UserError` for an empty prompt, one that leaves no room in the context, and settings out of range.
    """
    if not prompt:
        raise UserError("Begin with at least one token.")
    if len(prompt) + count > model.size.context:
        raise UserError(
            "The model reads at most {context} tokens; prompt and answer together have {given}.",
            context=model.size.context,
            given=len(prompt) + count,
        )
    if not temperature >= 0 or top_k < 0 or not 0 < top_p <= 1:
        raise UserError("Temperature is at least 0, top-k at least 0, and top-p between 0 and 1.")
    generator, device = torch.Generator().manual_seed(seed), next(model.parameters()).device
    tokens, cache, new = list(prompt), None, list(prompt)
    with one_thread():  # one token is too little to share; threads that wait for each other cost all the time
        for _ in range(count):
            logits, cache = model.with_cache(torch.tensor([new], device=device), cache if use_cache else None)
            tokens.append(_draw(logits[0, -1].float().cpu(), temperature, top_k, top_p, generator))
            new = tokens[-1:] if use_cache else tokens
    return tokens[len(prompt) :]


def check_room(prompt: list[int], context: int) -> None:
    """Raises `UserError` for a prompt that is empty or leaves no room for an answer."""
    if not prompt:
        raise UserError("Begin with at least one token.")
    if len(prompt) >= context:
        raise UserError(
            "The prompt has {given} tokens; the model reads at most {context}, and one must be left for the answer.",
            given=len(prompt), context=context,
        )  # fmt: skip


def _draw(logits: Tensor, temperature: float, top_k: int, top_p: float, generator: torch.Generator) -> int:
    if temperature == 0:
        return int(logits.argmax())
    # The first token whose summed probability exceeds a random share; torch.multinomial takes 150 µs for the same.
    sums = distribution(logits, temperature, top_k, top_p).double().cumsum(0)
    place = torch.rand((), dtype=torch.float64, generator=generator) * sums[-1]
    return int(torch.searchsorted(sums, place, right=True))


def distribution(logits: Tensor, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0) -> Tensor:
    """Probabilities (V,) of the next token: logits over temperature, cut to the k best and to the nucleus p.

    The nucleus is the smallest set of tokens whose probability reaches p (Holtzman et al. 2020, arXiv
    1904.09751, §3.1).
    """
    scaled = logits / temperature
    if 0 < top_k < len(scaled):
        scaled = scaled.masked_fill(scaled < scaled.topk(top_k).values[-1], float("-inf"))
    probabilities = scaled.softmax(0)
    if top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        outside = ordered.cumsum(0) - ordered >= top_p  # what stands before it is enough already
        probabilities = probabilities.index_fill(0, order[outside], 0.0)
        probabilities = probabilities / probabilities.sum()
    return probabilities


@torch.no_grad()
def log_likelihoods(model: LanguageModel, tokens: list[int]) -> list[float]:
    """Log-probability in nats of each token but the first, given those before it."""
    row = torch.tensor([tokens], device=next(model.parameters()).device)
    scores = model(row[:, :-1]).log_softmax(2)
    return [float(value) for value in scores.gather(2, row[:, 1:, None]).flatten()]
