"""The whole life of a small language model, node by node, in about a minute on two CPU cores."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from core.language import continual, world
from core.language.continual import learn_in_turn, replayed
from core.language.generate import generate
from core.language.lora import add_lora, switch
from core.language.model import LanguageModel, Size
from core.language.recipe import LanguageRecipe
from core.language.skills import SHOTS, few_shot, new_task, old_skills, weights_hash, zero_shot
from core.language.training import BATCH, Stopped, train, tuning
from core.language.update import Version, Versions
from core.training.loop import Event

RATE, LORA_RATE = 3e-3, 2e-2
TASK = world.NEW_TASKS[0]


@dataclass
class Life:
    """A recipe, where it runs, and what later nodes take from earlier ones."""

    recipe: LanguageRecipe
    device: torch.device
    pulse: Callable[[], bool] = lambda: False
    say: Callable[[Event], None] = lambda _event: None
    documents: Tensor = field(default_factory=lambda: torch.empty(0))
    base: LanguageModel | None = None
    tuned: LanguageModel | None = None
    rehearsed: LanguageModel | None = None
    updated: LanguageModel | None = None
    routes: dict[str, Event] = field(default_factory=dict)

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @property
    def model(self) -> LanguageModel:
        assert self.base is not None, "pre-training comes first"
        return self.base

    @property
    def in_use(self) -> LanguageModel:
        """The version that passed the gate, or the base."""
        return self.updated or self.model


def live(life: Life) -> Iterator[Event]:
    """Run every node in order; yields "begun" before and "node" with what it measured after each."""
    for node, run in NODES.items():
        if life.pulse():
            raise Stopped
        yield {"event": "begun", "node": node}
        began = time.monotonic()
        found = run(life)
        yield {"event": "node", "node": node, **found, "seconds": round(time.monotonic() - began, 2)}


def large_scale_text(life: Life) -> Event:
    """Documents of the word world, and what guessing costs on them."""
    life.documents = world.pretraining_documents(life.recipe.documents, _generator(life.seed))
    counts = torch.bincount(life.documents.flatten(), minlength=len(world.VOCABULARY)).double()
    shares = counts[counts > 0] / counts.sum()
    return {
        "documents": len(life.documents),
        "tokens": life.documents.numel(),
        "vocabulary": len(world.VOCABULARY),
        "duplicates": len(life.documents) - len(torch.unique(life.documents, dim=0)),
        "uniform_loss": math.log(len(world.VOCABULARY)),
        "unigram_loss": float(-(shares * shares.log()).sum()),
        "example": world.text_of(life.documents[0].tolist()),
    }


def pre_training(life: Life) -> Event:
    torch.manual_seed(life.seed)
    size = Size(len(world.VOCABULARY), smeared_keys=life.recipe.smeared_keys)
    life.base = LanguageModel(size).to(life.device)
    fresh = world.pretraining_documents(256, _generator(life.seed + 7_919))

    def step(event: Event) -> None:
        if event["event"] == "step":
            life.say({"node": "pre-training"} | event)

    done = train(life.base, life.documents, fresh, life.recipe, pulse=life.pulse, say=step)
    return {
        "accuracy": done.finished["test_accuracy"],
        "validation_loss": done.finished["test_loss"],
        "steps": done.steps,
        "old_skills": old_skills(life.base, life.seed),
    }


def language_model(life: Life) -> Event:
    prompt = [world.token(word) for word in ("[name]", "cat", "animal", "苹果")]
    return {
        "parameters": sum(p.numel() for p in life.model.parameters()),
        "prompt": world.text_of(prompt),
        "goes_on": world.text_of(generate(life.model, prompt, 5, temperature=0)),
        "weights": weights_hash(life.model),
    }


def zero_shot_node(life: Life) -> Event:
    before = weights_hash(life.model)
    found = zero_shot(life.model, life.seed)
    life.routes["zero-shot"] = {
        "accuracy": new_task(life.model, TASK, life.seed), "examples": 0, "weights_changed": 0, "seconds": 0.0,
        "old_skills": old_skills(life.model, life.seed),
    }  # fmt: skip
    return {
        "accuracy": found.accuracy, "confidence_95": [found.low, found.high],
        "weights_unchanged": before == weights_hash(life.model),
    }  # fmt: skip


def few_shot_node(life: Life) -> Event:
    before, began = weights_hash(life.model), time.monotonic()
    found = {shots: few_shot(life.model, shots, life.seed) for shots in SHOTS}
    life.routes["few-shot"] = {
        "accuracy": few_shot(life.model, 1, life.seed, task=TASK).accuracy, "examples": 2, "weights_changed": 0,
        "seconds": round(time.monotonic() - began, 2), "old_skills": old_skills(life.model, life.seed),
    }  # fmt: skip
    return {
        "accuracy": found[1].accuracy,
        "confidence_95": [found[1].low, found[1].high],
        "by_examples_per_class": {str(shots): measured.accuracy for shots, measured in found.items()},
        "pairs_never_seen": few_shot(life.model, 1, life.seed, unseen=True).accuracy,
        "weights_unchanged": before == weights_hash(life.model),
    }


def full_fine_tuning(life: Life) -> Event:
    life.tuned = copy.deepcopy(life.model)
    return _tuned(life, "full-fine-tuning", life.tuned, _new_documents(life), RATE)


def lora(life: Life) -> Event:
    model = copy.deepcopy(life.model)
    torch.manual_seed(life.seed)
    adapters = add_lora(model, life.recipe.lora_rank)
    model.to(life.device)
    found = _tuned(life, "lora", model, _new_documents(life), LORA_RATE, weight_decay=0.0)
    switch(adapters, False)
    probe = life.documents[:32, :-1].to(life.device)
    with torch.no_grad():
        found["off_is_the_base"] = torch.equal(model(probe), life.model(probe))
    found["rank"] = life.recipe.lora_rank
    found["old_skills_when_off"] = old_skills(model, life.seed)
    return found


def adaptation(life: Life) -> Event:
    """Fine-tuning once more with old documents among the new, then all routes beside each other."""
    life.rehearsed = copy.deepcopy(life.model)
    old = world.pretraining_documents(life.recipe.tuning_steps * BATCH // 2, _generator(life.seed + 11))
    documents = replayed(_new_documents(life)[: len(old)], old, life.seed)
    found = _tuned(life, "replay", life.rehearsed, documents, RATE)
    return {**found, "routes": life.routes}


def continual_learning(life: Life) -> Event:
    found = {method: learn_in_turn(life.model, method, life.seed, life.pulse) for method in continual.METHODS}
    table = {
        method: {
            "accuracy": s.average_accuracy, "forgetting": s.forgetting, "backward_transfer": s.backward_transfer,
            "matrix": s.matrix, "old_skills": s.old_skills,
        }
        for method, s in found.items()
    }  # fmt: skip
    return {"accuracy": table["replay"]["accuracy"], "old_skills": table["replay"]["old_skills"], "methods": table}


def update(life: Life) -> Event:
    """Two candidates at the gate: the plain fine-tuning, and the one with replay."""
    versions = Versions()
    base = Version(weights_hash(life.model), None, old_skills(life.model, life.seed), "base")
    versions.first(base)
    told = {}
    assert life.tuned is not None
    assert life.rehearsed is not None
    for label, model in (("full-fine-tuning", life.tuned), ("replay", life.rehearsed)):
        skills = {**old_skills(model, life.seed), TASK: new_task(model, TASK, life.seed)}
        version = Version(weights_hash(model), base.id, skills, label)
        fallen = versions.propose(version)
        if not fallen:
            life.updated = model
        told[label] = {"fallen": fallen, "promoted": not fallen, **skills}
    current = versions.known[versions.current or base.id]
    return {
        "accuracy": current.skills.get(TASK, 0.0),
        "old_skills": {skill: current.skills[skill] for skill in base.skills},
        "in_use": current.label,
        "version": current.id,
        "candidates": told,
    }


NODES = {
    "large-scale-text": large_scale_text,
    "pre-training": pre_training,
    "language-model": language_model,
    "zero-shot": zero_shot_node,
    "few-shot": few_shot_node,
    "full-fine-tuning": full_fine_tuning,
    "lora": lora,
    "adaptation": adaptation,
    "continual-learning": continual_learning,
    "update": update,
}


def _tuned(life: Life, route: str, model: LanguageModel, documents: Tensor, rate: float, **recipe: Any) -> Event:
    """Train a model on documents of the new task and say what came of it."""
    done = train(model, documents, documents[:64], tuning(life.seed, rate, **recipe), pulse=life.pulse)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    skills = old_skills(model, life.seed)
    life.routes[route] = {
        "accuracy": new_task(model, TASK, life.seed), "examples": documents.shape[0] * world.PAIRS,
        "weights_changed": trained, "seconds": round(done.seconds, 2), "old_skills": skills,
    }  # fmt: skip
    return {
        "accuracy": life.routes[route]["accuracy"], "old_skills": skills, "steps": done.steps,
        "trained_parameters": trained, "share_trained": trained / sum(p.numel() for p in life.model.parameters()),
        "bytes_to_store": 4 * trained,
    }  # fmt: skip


def _new_documents(life: Life) -> Tensor:
    return world.new_documents(TASK, life.recipe.tuning_steps * BATCH, _generator(life.seed + 5))


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
