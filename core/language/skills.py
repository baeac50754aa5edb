"""What a model can do, each skill with a number that has a known right answer."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.language import world
from core.language.model import LanguageModel
from core.language.training import label_accuracy

QUESTIONS = 400
SHOTS = (0, 1, 2, 4, 8)  # examples of each class; more would not fit into the context


@dataclass(frozen=True)
class Measured:
    """A share of right answers and its 95 % confidence interval (Wilson 1927)."""

    accuracy: float
    low: float
    high: float
    questions: int


def wilson(right: int, questions: int) -> Measured:
    z, share = 1.96, right / questions
    middle = (share + z * z / (2 * questions)) / (1 + z * z / questions)
    half = z / (1 + z * z / questions) * math.sqrt(share * (1 - share) / questions + z * z / (4 * questions**2))
    return Measured(share, middle - half, middle + half, questions)


@torch.no_grad()
def few_shot(model: LanguageModel, per_class: int, seed: int, unseen: bool = False, task: str = "") -> Measured:
    """Questions whose answer only the examples before them tell; the answer is any token of the vocabulary."""
    model.eval()
    questions, answers = world.prompts(QUESTIONS, per_class, _generator(seed), unseen, task)
    device = next(model.parameters()).device
    guesses = model(questions.to(device))[:, -1].argmax(1).cpu()
    return wilson(int((guesses == answers).sum()), QUESTIONS)


def zero_shot(model: LanguageModel, seed: int) -> Measured:
    """Name the category of a word, with no example."""
    documents = world.name_documents(QUESTIONS, _generator(seed))
    return wilson(round(label_accuracy(model, documents) * QUESTIONS), QUESTIONS)


def new_task(model: LanguageModel, task: str, seed: int) -> float:
    """Accuracy on one of the new tasks, with no example."""
    return label_accuracy(model, world.new_documents(task, QUESTIONS, _generator(seed)))


def old_skills(model: LanguageModel, seed: int, learnt: Sequence[str] = ()) -> dict[str, float]:
    """The two skills of pre-training, and the tasks that were learnt since."""
    skills = {"name": zero_shot(model, seed).accuracy, "pick": few_shot(model, 1, seed).accuracy}
    return skills | {task: new_task(model, task, seed) for task in learnt}


def weights_hash(model: LanguageModel) -> str:
    """The same for the same weights, bit for bit."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(1_000_003 + seed)  # not what any training has seen
