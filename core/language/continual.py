"""One task after another, what is forgotten on the way, and what helps against it."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from core.language import world
from core.language.lora import add_lora, switch
from core.language.model import LanguageModel
from core.language.recipe import LanguageRecipe
from core.language.skills import new_task, old_skills
from core.language.training import BATCH, Penalty, train, tuning

RATE, LORA_RATE = 3e-3, 2e-2
FISHER_DOCUMENTS = 48
LORA_RANK = 4
METHODS = ("fine-tuning", "replay", "ewc", "lora", "joint")


@dataclass(frozen=True)
class Course:
    """`matrix[i][j]`: accuracy on task j after task i was learnt; row 0 is before the first one."""

    method: str
    matrix: list[list[float]]
    old_skills: dict[str, float]

    @property
    def average_accuracy(self) -> float:
        """Over all tasks at the end (Lopez-Paz and Ranzato 2017, arXiv 1706.08840, §3)."""
        return _mean(self.matrix[-1])

    @property
    def forgetting(self) -> float:
        """How far each task but the last has fallen from its best (Chaudhry et al. 2018, arXiv 1801.10112, §3)."""
        last = len(self.matrix) - 1
        return _mean([max(row[j] for row in self.matrix[1:last]) - self.matrix[last][j] for j in range(last - 1)])

    @property
    def backward_transfer(self) -> float:
        """How later tasks changed the earlier ones (Lopez-Paz and Ranzato 2017, §3); below 0 is forgetting."""
        last = len(self.matrix) - 1
        return _mean([self.matrix[last][j] - self.matrix[j + 1][j] for j in range(last - 1)])


Step = Callable[[float], bool]
"""Told at each step which share of all steps is done; answers True to stop."""


def learn_in_turn(
    base: LanguageModel,
    method: str,
    recipe: LanguageRecipe,
    learnt: Sequence[str] = (),
    step: Step = lambda _share: False,
) -> Course:
    """Teach the new tasks one after another to a copy of the model; "joint" mixes all seen so far, the upper bound.

    "lora" has an adapter for each task and takes the one whose task is asked for. `learnt` are tasks that the base
    has learnt in earlier rounds; they count as old skills.
    """
    tasks = world.NEW_TASKS[: recipe.tasks]
    pulse = _shares(step, recipe.sequence_steps * len(tasks))
    if method == "lora":
        return _one_adapter_a_task(base, recipe, learnt, pulse)
    seed, model = recipe.seed, copy.deepcopy(base)
    matrix = [[new_task(model, task, seed) for task in tasks]]
    penalties: list[Penalty] = []
    for place, task in enumerate(tasks):
        documents = _documents(method, tasks[: place + 1], recipe, learnt, seed + place)
        if method == "ewc":
            penalties.append(ewc_penalty(model, _learnt_before(tasks[:place], seed), recipe.ewc_strength))
        fresh = world.new_documents(task, 64, _generator(seed))
        train(model, documents, fresh, tuning(seed + place, RATE), penalty=_all(penalties), pulse=pulse)
        matrix.append([new_task(model, other, seed) for other in tasks])
    return Course(method, matrix, old_skills(model, seed, learnt))


def _shares(step: Step, steps: int) -> Callable[[], bool]:
    """A pulse that counts the steps of all trainings together."""
    done = 0

    def pulse() -> bool:
        nonlocal done
        done += 1
        return step(min(1.0, done / steps))

    return pulse


def replayed(new: Tensor, old: Tensor, seed: int) -> Tensor:
    """New documents and old ones, shuffled."""
    both = torch.cat([new, old])
    return both[torch.randperm(len(both), generator=_generator(seed))]


def old_documents(learnt: Sequence[str], count: int, seed: int) -> Tensor:
    """(count, LENGTH) documents of what a model knows: those of pre-training, and of the tasks learnt since."""
    generator = _generator(seed)
    known = [world.new_documents(task, count // (len(learnt) + 1), generator) for task in learnt]
    known.append(world.pretraining_documents(count - sum(map(len, known)), generator))
    return torch.cat(known)


def _documents(
    method: str, tasks: Sequence[str], recipe: LanguageRecipe, learnt: Sequence[str], seed: int
) -> Tensor:
    """What the model sees while it learns the last of the tasks."""
    count, generator = recipe.sequence_steps * BATCH, _generator(seed)
    if method == "joint":
        shares = [world.new_documents(task, count // (len(tasks) + 1), generator) for task in tasks]
        rest = old_documents(learnt, count - sum(map(len, shares)), seed + 1)
        return replayed(torch.cat(shares), rest, seed)
    if method == "replay":  # half of what it sees is old: drawn from a buffer that is no larger than allowed
        buffer = old_documents([*learnt, *tasks[:-1]], recipe.replay_buffer, seed + 1)
        old = buffer[torch.randint(len(buffer), (count // 2,), generator=generator)]
        return replayed(world.new_documents(tasks[-1], count - count // 2, generator), old, seed)
    return world.new_documents(tasks[-1], count, generator)


def _learnt_before(tasks: Sequence[str], seed: int) -> Tensor:
    """Documents of what the model has learnt last."""
    if not tasks:
        return world.pretraining_documents(FISHER_DOCUMENTS, _generator(seed))
    return world.new_documents(tasks[-1], FISHER_DOCUMENTS, _generator(seed))


def fisher(model: LanguageModel, documents: Tensor) -> dict[str, Tensor]:
    """The diagonal of the empirical Fisher information: the mean over documents of the squared gradient of the loss."""
    found = {name: torch.zeros_like(p) for name, p in model.named_parameters()}
    for document in documents:
        model.zero_grad()
        logits = model(document[None, :-1])
        F.cross_entropy(logits[0], document[1:], reduction="sum").backward()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                found[name] += parameter.grad**2 / len(documents)
    model.zero_grad()
    return found


def ewc_penalty(model: LanguageModel, documents: Tensor, strength: float) -> Penalty:
    """λ/2 Σ F (θ − θ*)²: hold on to the weights that the documents depend on.

    Elastic weight consolidation, Kirkpatrick et al. 2017, arXiv 1612.00796, eq. 3.
    """
    importance = fisher(model, documents)
    importance = {name: value / documents[0].numel() for name, value in importance.items()}
    anchors = {name: p.detach().clone() for name, p in model.named_parameters()}

    def penalty(now: LanguageModel) -> Tensor:
        terms = [(importance[name] * (p - anchors[name]) ** 2).sum() for name, p in now.named_parameters()]
        return strength / 2 * torch.stack(terms).sum()

    return penalty


def _all(penalties: list[Penalty]) -> Penalty | None:
    if not penalties:
        return None
    return lambda model: torch.stack([penalty(model) for penalty in penalties]).sum()


def _one_adapter_a_task(
    base: LanguageModel, recipe: LanguageRecipe, learnt: Sequence[str], pulse: Callable[[], bool]
) -> Course:
    tasks, seed = world.NEW_TASKS[: recipe.tasks], recipe.seed
    matrix = [[new_task(base, task, seed) for task in tasks]]
    reached: list[float] = []
    skills: dict[str, float] = {}
    for place, task in enumerate(tasks):
        model = copy.deepcopy(base)
        torch.manual_seed(seed + place)
        adapters = add_lora(model, LORA_RANK)
        documents = world.new_documents(task, recipe.sequence_steps * BATCH, _generator(seed + place))
        train(model, documents, documents[:64], tuning(seed + place, LORA_RATE, weight_decay=0.0), pulse=pulse)
        reached.append(new_task(model, task, seed))
        matrix.append([*reached, *matrix[0][place + 1 :]])
        switch(adapters, False)
        skills = old_skills(model, seed, learnt)
    return Course("lora", matrix, skills)


def _mean(values: list[float]) -> float:
    """0 of nothing: a single task is neither forgotten nor changed by a later one."""
    return sum(values) / len(values) if values else 0.0


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


