"""What each node of a language model's life does, in about a minute altogether on two CPU cores."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from core.language import continual, world
from core.language.continual import learn_in_turn, replayed
from core.language.generate import generate
from core.language.life import Life, Node
from core.language.lora import LowRank, add_lora, merge_lora, switch
from core.language.model import LanguageModel, Size
from core.language.skills import SHOTS, few_shot, new_task, old_skills, weights_hash, zero_shot
from core.language.training import BATCH, Trained, train, tuning
from core.language.update import Version, Versions
from core.training.loop import Event
from core.training.weights import weights_bytes

PROMPT = "[name] cat animal 苹果"
RANKS = (1, 2, 4, 8, 16)
LOOKS = 8  # how often the skills are measured in the course of a fine-tuning
SAMPLES = 6


def large_scale_text(life: Life) -> Event:
    """Documents of the word world, and what guessing costs on them."""
    documents = life.documents
    counts = torch.bincount(documents.flatten(), minlength=len(world.VOCABULARY)).double()
    shares = counts[counts > 0] / counts.sum()
    return {
        "documents": len(documents),
        "tokens": documents.numel(),
        "vocabulary": len(world.VOCABULARY),
        "duplicates": len(documents) - len(torch.unique(documents, dim=0)),
        "uniform_loss": math.log(len(world.VOCABULARY)),
        "unigram_loss": float(-(shares * shares.log()).sum()),
        "example": world.text_of(documents[0].tolist()),
    }


def pre_training(life: Life) -> Event:
    """The base of the first round; with it begins a new tree of versions."""
    torch.manual_seed(life.seed)
    model = _fresh_model(life)
    documents, curve, samples = life.documents, [], []
    fresh = world.pretraining_documents(256, _generator(life.seed + 7_919))
    steps = -(-len(documents) // life.recipe.batch_size)

    def step(event: Event) -> None:
        if event["event"] == "step":
            curve.append([event["step"], round(event["loss"], 4)])
            life.say({"node": "pre-training"} | event)
            life.progress("pre-training", event["step"] / steps)

    def look(done: int) -> None:
        samples.append({"step": done, "text": _written(model)})
        life.say({"event": "sample", "node": "pre-training", **samples[-1]})

    pulse = _Pulse(life.pulse, _marks(steps, SAMPLES), look)
    done = train(model, documents, fresh, life.recipe, pulse=pulse, say=step)
    look(steps)
    skills = old_skills(model, life.seed)
    life.state.round, life.state.candidates, life.state.versions = 1, {}, Versions()
    life.state.base = life.shelf.put(model)
    life.state.versions.first(Version(life.state.base, None, skills, "base"))
    return {
        "accuracy": done.finished["test_accuracy"], "validation_loss": done.finished["test_loss"],
        "steps": done.steps, "old_skills": skills, "curve": curve, "samples": samples,
    }  # fmt: skip


def language_model(life: Life) -> Event:
    """The base as it goes into the round."""
    prompt = [world.token(word) for word in PROMPT.split()]
    return {
        "parameters": sum(p.numel() for p in life.base.parameters()),
        "prompt": PROMPT,
        "goes_on": world.text_of(generate(life.base, prompt, 5, temperature=0)),
        "weights": life.state.base,
        "learnt": life.learnt,
    }


def zero_shot_node(life: Life) -> Event:
    before = weights_hash(life.base)
    found = zero_shot(life.base, life.seed)
    return {
        "accuracy": found.accuracy, "confidence_95": [found.low, found.high], "weights_before": before,
        "weights_after": weights_hash(life.base),
        "route": _route(life, life.base, new_task(life.base, life.recipe.new_task, life.seed), examples=0),
    }  # fmt: skip


def few_shot_node(life: Life) -> Event:
    before = weights_hash(life.base)
    found = {shots: few_shot(life.base, shots, life.seed) for shots in SHOTS}
    unseen = {shots: few_shot(life.base, shots, life.seed, unseen=True) for shots in SHOTS}
    began = time.monotonic()
    on_new_task = few_shot(life.base, 1, life.seed, task=life.recipe.new_task).accuracy
    seconds = time.monotonic() - began
    return {
        "accuracy": found[1].accuracy,
        "confidence_95": [found[1].low, found[1].high],
        "by_examples_per_class": {str(shots): measured.accuracy for shots, measured in found.items()},
        "intervals": {str(shots): [measured.low, measured.high] for shots, measured in found.items()},
        "pairs_never_seen": unseen[1].accuracy,
        "unseen_by_examples_per_class": {str(shots): measured.accuracy for shots, measured in unseen.items()},
        "unseen_intervals": {str(shots): [measured.low, measured.high] for shots, measured in unseen.items()},
        "weights_before": before, "weights_after": weights_hash(life.base),
        "route": _route(life, life.base, on_new_task, examples=2, seconds=seconds),
    }  # fmt: skip


def full_fine_tuning(life: Life) -> Event:
    """All weights may change; beside it the same training from random weights."""
    model, documents = life.copy_of_base(), _new_documents(life)
    found = _taught(life, "full-fine-tuning", model, documents, life.recipe.tuning_rate)
    torch.manual_seed(life.seed + 1)
    scratch = _Course(life, "full-fine-tuning", _fresh_model(life))
    scratch.train(documents, life.recipe.tuning_rate)
    life.state.candidates["full-fine-tuning"] = life.shelf.put(model)
    return {**found, "bytes_to_store": len(weights_bytes(model, {})), "from_scratch": scratch.curve}


def lora(life: Life) -> Event:
    """A low-rank change beside frozen weights; switched off, the base is what it was."""
    rank, found = life.recipe.lora_rank, {}
    model, adapters = _with_adapters(life, rank)
    found = _taught(life, "lora", model, _new_documents(life), life.recipe.lora_rate, weight_decay=0.0)
    small = {f"{i}.{name}": p for i, adapter in enumerate(adapters) for name, p in (("a", adapter.a), ("b", adapter.b))}
    found["bytes_to_store"] = len(safetensors.torch.save({name: p.detach().cpu() for name, p in small.items()}))
    merged = copy.deepcopy(model)
    merge_lora(merged)
    life.state.candidates["lora"] = life.shelf.put(merged)
    switch(adapters, False)
    probe = life.documents[:32, :-1].to(life.device)
    with torch.no_grad():
        found["off_is_the_base"] = torch.equal(model(probe), life.base(probe))
    found["old_skills_when_off"] = old_skills(model, life.seed, life.learnt)
    found["rank"], found["matrices"] = rank, life.recipe.lora_matrices.split(",")
    if life.recipe.compare_ranks:
        found["by_rank"] = {str(other): _at_rank(life, other) for other in RANKS if other <= life.base.size.width}
    return found


def adaptation(life: Life) -> Event:
    """Fine-tuning once more with old documents among the new, then all routes beside each other."""
    model, share = life.copy_of_base(), life.recipe.replay_share
    count = life.recipe.tuning_steps * BATCH
    old = continual.old_documents(life.learnt, round(count * share), life.seed + 11)
    documents = replayed(_new_documents(life)[: count - len(old)], old, life.seed)
    found = _taught(life, "adaptation", model, documents, life.recipe.tuning_rate)
    life.state.candidates["replay"] = life.shelf.put(model)
    others = ("zero-shot", "few-shot", "full-fine-tuning", "lora")
    routes = {node: life.state.measured[node]["route"] for node in others}
    return {
        **found, "bytes_to_store": len(weights_bytes(model, {})), "routes": {**routes, "replay": found["route"]},
        "before": old_skills(life.base, life.seed, life.learnt),
    }  # fmt: skip


def continual_learning(life: Life) -> Event:
    """The new tasks one after another, in five ways."""
    table = {}
    for place, method in enumerate(continual.METHODS):

        def step(share: float, place: int = place) -> bool:
            life.progress("continual-learning", (place + share) / len(continual.METHODS))
            return life.pulse()

        s = learn_in_turn(life.base, method, life.recipe, life.learnt, step)
        table[method] = {
            "accuracy": s.average_accuracy, "forgetting": s.forgetting, "backward_transfer": s.backward_transfer,
            "matrix": s.matrix, "old_skills": s.old_skills,
        }  # fmt: skip
    return {"accuracy": table["replay"]["accuracy"], "old_skills": table["replay"]["old_skills"], "methods": table}


def update(life: Life) -> Event:
    """Every way of teaching has made a candidate; the gate decides which of them comes into use."""
    versions, base, task = life.state.versions, life.state.base, life.recipe.new_task
    versions.use(base)  # whatever was decided before is decided anew
    r = life.recipe
    tolerance = {"name": r.tolerance_name, "pick": r.tolerance_pick, "learnt": r.tolerance_learnt}
    told = {}
    for label, name in life.state.candidates.items():
        model = life.shelf.get(name)
        skills = {**old_skills(model, life.seed, life.learnt), task: new_task(model, task, life.seed)}
        fallen = versions.propose(Version(name, base, skills, label, life.state.round), tolerance)
        told[label] = {"version": name, "fallen": fallen, "promoted": not fallen, "skills": skills}
    current = versions.known[versions.current or base]
    return {
        "accuracy": current.skills.get(task, 0.0),
        "old_skills": {skill: current.skills[skill] for skill in versions.known[base].skills},
        "before": {**versions.known[base].skills, task: new_task(life.base, task, life.seed)},
        "in_use": current.label, "version": current.id, "candidates": told, "tolerance": tolerance,
    }  # fmt: skip


NODES: dict[str, Node] = {
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


class _Pulse:
    """Counts the steps of a training and looks at the model at some of them; the time that takes is not training."""

    def __init__(self, pulse: Callable[[], bool], marks: set[int], look: Callable[[int], None]) -> None:
        self.pulse, self.marks, self.look = pulse, marks, look
        self.done, self.seconds = -1, 0.0

    def __call__(self) -> bool:
        self.done += 1  # it is asked before every step
        if self.done in self.marks:
            began = time.monotonic()
            self.look(self.done)
            self.seconds += time.monotonic() - began
        return self.pulse()


@dataclass
class _Course:
    """A fine-tuning in the course of which the new task and the old skills are measured."""

    life: Life
    node: str
    model: LanguageModel

    def train(self, documents: Tensor, rate: float, **recipe: Any) -> Trained:
        steps = -(-len(documents) // BATCH)
        self.curve: list[Event] = []
        pulse = _Pulse(self.life.pulse, _marks(steps, LOOKS), lambda done: self._look(done, steps))
        settings = tuning(self.life.seed, rate, **recipe)
        done = train(self.model, documents, documents[:64], settings, pulse=pulse)
        self._look(steps, steps)
        return Trained(done.seconds - pulse.seconds, done.steps, done.finished, done.memory)

    def _look(self, done: int, steps: int) -> None:
        seed, life = self.life.seed, self.life
        skills = old_skills(self.model, seed, life.learnt)
        self.curve.append({"step": done, "new": new_task(self.model, life.recipe.new_task, seed), **skills})
        life.progress(self.node, done / steps)


def _taught(
    life: Life, node: str, model: LanguageModel, documents: Tensor, rate: float, **recipe: Any
) -> Event:
    """Teach a model the new task in place, and say what came of it and what it cost."""
    course = _Course(life, node, model)
    done = course.train(documents, rate, **recipe)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    accuracy = course.curve[-1]["new"]
    route = _route(life, model, accuracy, examples=len(documents) * world.PAIRS, seconds=done.seconds,
                   weights_changed=trained, memory=done.memory)  # fmt: skip
    return {
        "accuracy": accuracy, "old_skills": route["old_skills"], "steps": done.steps, "curve": course.curve,
        "trained_parameters": trained, "memory": done.memory, "route": route, "task": life.recipe.new_task,
        "share_trained": trained / sum(p.numel() for p in life.base.parameters()),
    }  # fmt: skip


def _route(life: Life, model: LanguageModel, accuracy: float, **cost: float) -> Event:
    """A line of the table that compares the ways to a new task."""
    seconds = round(cost.pop("seconds", 0.0), 2)
    return {"accuracy": accuracy, "seconds": seconds, "weights_changed": 0, "memory": 0, **cost,
            "old_skills": old_skills(model, life.seed, life.learnt)}  # fmt: skip


def _with_adapters(life: Life, rank: int) -> tuple[LanguageModel, list[LowRank]]:
    model = life.copy_of_base()
    torch.manual_seed(life.seed)
    adapters = add_lora(model, rank, matrices=tuple(life.recipe.lora_matrices.split(",")))
    return model.to(life.device), adapters


def _at_rank(life: Life, rank: int) -> Event:
    """LoRA once more at another rank."""
    model, _adapters = _with_adapters(life, rank)
    recipe = tuning(life.seed, life.recipe.lora_rate, weight_decay=0.0)
    train(model, _new_documents(life), life.documents[:64], recipe, pulse=life.pulse)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {"accuracy": new_task(model, life.recipe.new_task, life.seed), "trained_parameters": trained}


def _fresh_model(life: Life) -> LanguageModel:
    return LanguageModel(Size(len(world.VOCABULARY), smeared_keys=life.recipe.smeared_keys)).to(life.device)


def _new_documents(life: Life) -> Tensor:
    return world.new_documents(life.recipe.new_task, life.recipe.tuning_steps * BATCH, _generator(life.seed + 5))


def _written(model: LanguageModel) -> str:
    """How the model goes on from the prompt at this moment."""
    prompt = [world.token(word) for word in PROMPT.split()]
    return f"{PROMPT} → {world.text_of(generate(model, prompt, 5, temperature=0))}"


def _marks(steps: int, count: int) -> set[int]:
    """At which of the steps to look: the first, and then closer together where more happens, at the beginning."""
    return {round(steps * (i / count) ** 2) for i in range(count)}


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
