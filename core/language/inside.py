"""A finished model, looked into: what it expects next, where it looks, and what it thinks after each layer."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from core.errors import UserError
from core.language.generate import distribution, generate, log_likelihoods
from core.language.model import LanguageModel, Size
from core.language.recipe import LanguageRecipe
from core.language.skills import weights_hash
from core.language.text_recipe import TextRecipe
from core.language.tokens import Tokens
from core.runs import store
from core.training.weights import NOT_OURS, read_metadata

MOST_LETTERS = 2_000


def look(
    run: str, prompt: str, temperature: float = 1.0, top_k: int = 0, top_p: float = 1.0, seed: int = 0, count: int = 4
) -> dict[str, Any]:
    """What the model of a finished run makes of a prompt: any text, or for a life words with spaces between.

    {"tokens": (T), "text": whether they stand without spaces between, "next": the probability of each token of the
    vocabulary after temperature, top-k and top-p, "vocabulary", "goes_on": tokens drawn, "attention": (layers, heads,
    T, T), "guesses": for the embedding and each layer the three most probable next tokens with their probability,
    "likelihoods": log p of each token but the first in nats, "parameters": rows of name, shape and count, "hash": of
    all weights}.
    Raises `UserError` for a run without a language model, what it has no token for, and a prompt too long.
    """
    model, words, digest = _loaded(_weights_of(run))
    tokens, vocabulary = _tokens(prompt, words, model.size.context)
    room = min(count, model.size.context - len(tokens))
    goes_on = generate(model, tokens, room, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
    row = torch.tensor([tokens])
    with torch.no_grad():
        logits = model(row)[0, -1]
    attention, guesses = model.look_inside(row)
    return {
        "tokens": [vocabulary[i] for i in tokens],
        "next": _next(logits, temperature, top_k, top_p),
        "vocabulary": vocabulary,
        "text": isinstance(words, Tokens),
        "goes_on": [vocabulary[i] for i in goes_on],
        "attention": torch.cat(attention).numpy(),
        "guesses": [_best(guess[0, -1], vocabulary) for guess in guesses],
        "likelihoods": log_likelihoods(model, tokens) if len(tokens) > 1 else [],
        "parameters": [
            {"name": name, "shape": list(p.shape), "count": p.numel()} for name, p in model.named_parameters()
        ],
        "hash": digest,
    }


def _next(logits: torch.Tensor, temperature: float, top_k: int, top_p: float) -> list[float]:
    if temperature == 0:  # all of the probability on the best
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).float().tolist()
    return [float(p) for p in distribution(logits, temperature, top_k, top_p)]


def _best(logits: torch.Tensor, vocabulary: list[str]) -> list[tuple[str, float]]:
    best = logits.softmax(0).topk(3)
    return [(vocabulary[i], float(p)) for p, i in zip(best.values, best.indices.tolist(), strict=True)]


def _tokens(prompt: str, words: Tokens | tuple[str, ...], context: int) -> tuple[list[int], list[str]]:
    """The prompt's tokens, and the whole vocabulary."""
    if len(prompt) > MOST_LETTERS:
        raise UserError("A prompt has at most {maximum} characters; this one has {given}.",
                        maximum=f"{MOST_LETTERS:,}", given=f"{len(prompt):,}")  # fmt: skip
    if isinstance(words, Tokens):
        tokens, vocabulary = words.encode(prompt), words.vocabulary
    else:
        tokens, vocabulary = _words(prompt, words), list(words)
    if len(tokens) >= context:
        raise UserError(
            "The prompt has {given} tokens; the model reads at most {context}, and one must be left for the answer.",
            given=len(tokens), context=context,
        )  # fmt: skip
    return tokens, vocabulary


def _words(prompt: str, vocabulary: tuple[str, ...]) -> list[int]:
    places = {word: i for i, word in enumerate(vocabulary)}
    words = prompt.split()
    for word in words:
        if word not in places:
            raise UserError("The model does not know the word “{word}”. It knows only its own world.", word=word[:30])
    return [places[word] for word in words]


def _weights_of(run: str) -> Path:
    found = store.get(run)
    if not isinstance(found.recipe, LanguageRecipe | TextRecipe):
        raise UserError("The run {name} has learnt pictures, not a language.", name=found.name)
    if found.state != "finished":
        raise UserError("The run {name} has no weights yet: let it finish first.", name=found.name)
    return found.folder.weights_file


@lru_cache(maxsize=8)
def _loaded(path: Path) -> tuple[LanguageModel, Tokens | tuple[str, ...], str]:
    """The model of a weights file, its vocabulary, and its hash; weights of a finished run never change."""
    metadata = read_metadata(path)
    try:
        model = LanguageModel(Size(**metadata["size"]))
        model.load_state_dict(safetensors.torch.load(path.read_bytes()))
    except NOT_OURS:
        raise UserError("The weights of this run cannot be read; train it anew.") from None
    model.eval()
    if "tokenizer" in metadata:
        return model, Tokens.from_json(metadata["tokenizer"]), weights_hash(model)
    return model, tuple(metadata["vocabulary"]), weights_hash(model)
