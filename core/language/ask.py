"""Questions to the models of a life: what a prompt makes of each of its versions. For the pages; loads weights."""

from typing import Any

import torch

from core.errors import UserError
from core.language import world
from core.language.generate import check_room, generate
from core.language.life import State
from core.language.model import LanguageModel
from core.language.recipe import LanguageRecipe
from core.language.shelf import FOLDER, read_model
from core.language.skills import weights_hash
from core.language.update import unknown_version
from core.runs import store
from core.runs.store import Run

MOST_LETTERS = 500
BEST = 8


def ask(run: str, prompt: str, versions: list[str] | None = None) -> list[dict[str, Any]]:
    """How each of these versions of a run's life goes on from a prompt; without versions, the base.

    Each {"version", "best": the most probable next words with their probabilities, "goes_on": words, "before" and
    "after": the hash of the weights before and after the question}.
    Raises `UserError` for a run or version that is not there, a word it does not know, and a prompt too long.
    """
    found = _life(run)
    state = State.from_json(found.folder.life_file.read_text(encoding="utf-8"))
    return [_asked(found, state, name, prompt) for name in versions or [state.base]]


def draw_prompt(per_class: int, seed: int, unseen: bool = False) -> tuple[str, str]:
    """A few-shot question with so many examples of each class, and its right answer."""
    generator = torch.Generator().manual_seed(seed)
    questions, answers = world.prompts(1, per_class, generator, unseen)
    return world.text_of(questions[0].tolist()), world.text_of(answers.tolist())


def _life(run: str) -> Run:
    found = store.get(run)
    if not isinstance(found.recipe, LanguageRecipe):
        raise UserError("The run {name} has learnt pictures, not a language.", name=found.name)
    if not found.folder.life_file.exists():
        raise UserError("The run {name} has not begun yet: there is no model to ask.", name=found.name)
    return found


def _asked(run: Run, state: State, version: str, prompt: str) -> dict[str, Any]:
    if version not in state.versions.known:
        raise unknown_version(version)
    model = read_model(run.folder.path / FOLDER / f"{version}.safetensors")
    tokens = world.tokens_of(prompt[:MOST_LETTERS])
    check_room(tokens, model.size.context)
    before = weights_hash(model)
    return {
        "version": version, "best": _best(model, tokens), "before": before,
        "goes_on": world.text_of(generate(model, tokens, min(4, model.size.context - len(tokens)), temperature=0)),
        "after": weights_hash(model),
    }  # fmt: skip


@torch.no_grad()
def _best(model: LanguageModel, tokens: list[int]) -> list[tuple[str, float]]:
    best = model(torch.tensor([tokens]))[0, -1].softmax(0).topk(BEST)
    return [(world.VOCABULARY[i], float(p)) for p, i in zip(best.values, best.indices.tolist(), strict=True)]
