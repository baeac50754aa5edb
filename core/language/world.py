"""The word world: documents whose every answer is known, so that accuracy means something.

Four categories of twelve words, half English and half Chinese. A document is ``[task] word label word label …``.
What the label is depends on the task:

- *name*: the name of the word's category. It can be learnt once and for all (zero-shot).
- *pick*: an arbitrary symbol for each of two categories, other symbols in every document. Only the document itself
  says which, so it must be read off the examples before (few-shot).
- the *new* tasks: one fixed symbol for each category, behind a task token that pre-training never shows.
"""

from collections.abc import Sequence
from itertools import permutations

import torch
from torch import Tensor

from core.language import recipe

CATEGORIES = {
    "animal": ("cat", "dog", "horse", "fish", "bird", "cow", "猫", "狗", "马", "鱼", "鸟", "牛"),
    "fruit": ("apple", "pear", "plum", "grape", "lemon", "peach", "苹果", "梨", "李子", "葡萄", "柠檬", "桃子"),
    "colour": ("red", "blue", "green", "black", "white", "grey", "红", "蓝", "绿", "黑", "白", "灰"),
    "tool": ("saw", "axe", "drill", "file", "rake", "spade", "锯子", "斧头", "钻", "锉刀", "耙子", "铲子"),
}
SYMBOLS = ("◆", "●", "▲", "■", "★", "♥", "♣", "♠")
TASKS = ("[name]", "[pick]", *recipe.NEW_TASKS)
NEW_TASKS = TASKS[2:]
VOCABULARY = (*(word for words in CATEGORIES.values() for word in words), *SYMBOLS, *CATEGORIES, *TASKS)

WORDS_EACH = 12
NUM_CATEGORIES = len(CATEGORIES)
FIRST_SYMBOL = NUM_CATEGORIES * WORDS_EACH
FIRST_NAME = FIRST_SYMBOL + len(SYMBOLS)
PAIRS = 17  # words with their labels in one document: eight examples of two classes and a question
LENGTH = 1 + 2 * PAIRS  # tokens of a document
NAME_SHARE = 0.3  # of the documents of pre-training; the others are of the task *pick*

# The new tasks' symbols, by category. They share symbols, so that learning one disturbs the others.
MAPPINGS = {"[new-a]": (0, 3, 4, 7), "[new-b]": (2, 5, 6, 1), "[new-c]": (3, 2, 5, 6)}


def never_together(category: int, symbol: int) -> bool:
    """Whether pre-training never gives this symbol to this category: what it cannot know by heart."""
    return (symbol - 2 * category) % len(SYMBOLS) in (6, 7)


def token(text: str) -> int:
    """The id of a word, symbol, name or task. Raises `ValueError` when there is none."""
    return VOCABULARY.index(text)


def text_of(tokens: Sequence[int]) -> str:
    return " ".join(VOCABULARY[i] for i in tokens)


def name_documents(count: int, generator: torch.Generator) -> Tensor:
    """(count, LENGTH) int64 documents whose labels are the names of the categories."""
    words = torch.randint(FIRST_SYMBOL, (count, PAIRS), generator=generator)
    return _document(token("[name]"), words, FIRST_NAME + words // WORDS_EACH)


def new_documents(task: str, count: int, generator: torch.Generator) -> Tensor:
    """(count, LENGTH) int64 documents of one of the new tasks."""
    words = torch.randint(FIRST_SYMBOL, (count, PAIRS), generator=generator)
    symbols = torch.tensor(MAPPINGS[task])
    return _document(token(task), words, FIRST_SYMBOL + symbols[words // WORDS_EACH])


def pick_documents(count: int, generator: torch.Generator, unseen: bool = False) -> Tensor:
    """(count, LENGTH) int64 documents that each give two categories a symbol of their own.

    With `unseen`, only pairs of category and symbol that pre-training never shows.
    """
    table = torch.tensor(_PICKS[unseen])
    chosen = table[torch.randint(len(table), (count,), generator=generator)]  # (count, 2, category and symbol)
    turn = torch.randint(2, (count, PAIRS), generator=generator)
    return _picked(chosen, turn, generator)


def prompts(
    count: int, per_class: int, generator: torch.Generator, unseen: bool = False, task: str = ""
) -> tuple[Tensor, Tensor]:
    """Few-shot questions: (count, 2 + 4·per_class) prompts that end in a word, and the (count,) right symbols.

    Each has `per_class` examples of both classes, in random order. With `task`, the classes have the symbols of that
    new task, which the model is told by examples instead of by training.
    """
    pairs = list(enumerate(MAPPINGS[task])) if task else []
    table = torch.tensor(list(permutations(pairs, 2)) if task else _PICKS[unseen])
    chosen = table[torch.randint(len(table), (count,), generator=generator)]
    turn = torch.tensor([0, 1] * per_class, dtype=torch.int64).repeat(count, 1)
    order = torch.rand(count, 2 * per_class, generator=generator).argsort(1)
    query = torch.randint(2, (count, 1), generator=generator)
    documents = _picked(chosen, torch.cat([turn.gather(1, order), query], 1), generator)
    return documents[:, :-1], documents[:, -1]


def pretraining_documents(count: int, generator: torch.Generator) -> Tensor:
    """(count, LENGTH) int64 documents of both tasks, mixed."""
    named = round(NAME_SHARE * count)
    documents = torch.cat([name_documents(named, generator), pick_documents(count - named, generator)])
    return documents[torch.randperm(count, generator=generator)]


def _picks(unseen: bool) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Every choice of two categories and a symbol for each, as ((category, symbol), (category, symbol))."""
    return [
        ((one, first), (two, second))
        for one, two in permutations(range(NUM_CATEGORIES), 2)
        for first, second in permutations(range(len(SYMBOLS)), 2)
        if never_together(one, first) == never_together(two, second) == unseen
    ]


_PICKS = {unseen: _picks(unseen) for unseen in (False, True)}


def _picked(chosen: Tensor, turn: Tensor, generator: torch.Generator) -> Tensor:
    """Documents of the chosen classes (count, 2, 2), class by class as `turn` (count, pairs) says."""
    pairs = chosen.gather(1, turn.unsqueeze(2).expand(-1, -1, 2))  # (count, pairs, 2)
    words = pairs[..., 0] * WORDS_EACH + torch.randint(WORDS_EACH, turn.shape, generator=generator)
    return _document(token("[pick]"), words, FIRST_SYMBOL + pairs[..., 1])


def _document(task: int, words: Tensor, labels: Tensor) -> Tensor:
    first = torch.full((len(words), 1), task)
    return torch.cat([first, torch.stack([words, labels], 2).flatten(1)], 1)
