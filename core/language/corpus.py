"""What there is to know of a text before a model learns it: tokens, their frequencies, lines, what is held back."""

from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np

from core.language import texts
from core.language.tokens import Tokens, check_size, words

SHOWN_CHARACTERS = 1_200  # of the beginning, cut into tokens
VALIDATION_SHARE = 0.1  # as in a text run
FEWEST = 1_024  # tokens that are looked for at once: a vocabulary is tried out by moving a slider
MOST_ROWS = 2_000  # of the vocabulary's table and the chart of frequencies


def corpus(source: str, tokens: str, size: int) -> dict[str, Any]:
    """The facts of a text: see `facts`. Raises `UserError` as `texts.load` and `Tokens.of` do."""
    text, found = _read(source)
    if tokens == "bpe":
        check_size(len(set("".join(found))), size)
    cut = _cut(source, tokens, max(FEWEST, 1 << (size - 1).bit_length())).first(size)
    return facts(text, cut.counts(found), cut.vocabulary, cut.encode(text[:SHOWN_CHARACTERS]))


@lru_cache(maxsize=2)  # those that are tried out just now
def _read(source: str) -> tuple[str, Counter[str]]:
    """A text and its words."""
    text = texts.load(source)
    return text, words(text)


@lru_cache(maxsize=4)
def _cut(source: str, tokens: str, size: int) -> Tokens:
    """The vocabulary of a text, rather too large: smaller ones are its beginning."""
    return Tokens.of(_read(source)[0], tokens, size)


def facts(text: str, counts: np.ndarray, vocabulary: list[str], beginning: list[int]) -> dict[str, Any]:
    """All that the page on text shows; `counts` (vocabulary,) is how often each token occurs.

    {"characters", "tokens", "vocabulary": its size, "beginning": [id, token] of the first ones, "rows": [id, token,
    count] by count, "zipf": `zipf` of the counts, "token_lengths" and "line_lengths": [length in characters, how
    many], "lines", "duplicates": lines that stood there before, "repeated": the lines that occur most often with
    their count, "split": {"training", "validation": tokens, "leaked": share of validation lines that training has}}.
    """
    order = np.argsort(-counts, kind="stable")
    lines = [line for line in text.split("\n") if line.strip()]
    repeated = Counter(lines)
    cut = int(len(text) * (1 - VALIDATION_SHARE))
    return {
        "characters": len(text),
        "tokens": int(counts.sum()),
        "vocabulary": len(vocabulary),
        "beginning": [(i, vocabulary[i]) for i in beginning],
        "rows": [(int(i), vocabulary[i], int(counts[i])) for i in order[:MOST_ROWS]],
        "zipf": zipf(counts[order]),
        "token_lengths": sorted(Counter(len(token) for token in vocabulary).items()),
        "line_lengths": histogram([len(line) for line in lines]),
        "lines": len(lines),
        "duplicates": len(lines) - len(repeated),
        "repeated": [(line[:200], count) for line, count in repeated.most_common(10) if count > 1],
        "split": _split(text[:cut], text[cut:], cut, len(text)),
    }


def zipf(counts: np.ndarray) -> dict[str, Any]:
    """Rank against frequency: {"ranks", "counts", "slope", "intercept"} of log count over log rank.

    `counts` (V,) fall. Zipf (1949) found a slope near -1 for words. The line is fitted to ranks at equal factors, so
    that the many rare tokens do not outvote the frequent ones; None where there are too few.
    """
    counts = counts[counts > 0]
    ranks = np.arange(1, len(counts) + 1)
    chosen = np.unique(np.geomspace(1, len(counts), 60).round().astype(int)) - 1
    slope, intercept = None, None
    if len(chosen) > 2:
        slope, intercept = (float(v) for v in np.polyfit(np.log10(ranks[chosen]), np.log10(counts[chosen]), 1))
    drawn = np.unique(np.geomspace(1, len(counts), 300).round().astype(int)) - 1
    return {"ranks": ranks[drawn].tolist(), "counts": counts[drawn].tolist(), "slope": slope, "intercept": intercept}


def histogram(lengths: list[int], bins: int = 40) -> list[tuple[int, int]]:
    """[lower end, how many] of up to so many equal bins."""
    longest = max(lengths, default=0)
    width = max(1, -(-(longest + 1) // bins))
    found = np.bincount(np.array(lengths, int) // width) if lengths else np.zeros(0, int)
    return [(place * width, int(count)) for place, count in enumerate(found)]


def _split(training: str, validation: str, cut: int, whole: int) -> dict[str, Any]:
    known = set(training.split("\n"))
    held_back = [line for line in validation.split("\n")[1:] if line.strip()]  # the first one may be cut
    leaked = sum(line in known for line in held_back)
    return {"training": cut, "validation": whole - cut, "leaked": leaked / len(held_back) if held_back else 0.0}


def world_corpus(documents: int, seed: int) -> dict[str, Any]:
    """The word world as a life with this seed reads it: `facts`, and "documents" with their right answers.

    Each of those is [task, [word, label, known]…]: whether what stands before settles the label, by the task's rule.
    """
    import torch  # noqa: PLC0415  other texts do without it

    from core.language import world  # noqa: PLC0415

    made = world.pretraining_documents(documents, torch.Generator().manual_seed(seed))
    rows = made.tolist()
    text = "\n".join(world.text_of(row) for row in rows[:3000])
    counts = np.bincount(made.flatten().numpy(), minlength=len(world.VOCABULARY))
    found = facts(text, counts, list(world.VOCABULARY), made[:6].flatten().tolist())
    alike = len(made) - len(torch.unique(made, dim=0))
    return found | {
        "characters": None,
        "lines": len(made),
        "duplicates": alike,
        "repeated": [],
        "split": None,  # a life is asked about documents made afresh
        "documents": [_answers(row) for row in rows[:8]],
    }


def _answers(row: list[int]) -> tuple[str, list[tuple[str, str, bool]]]:
    from core.language import world  # noqa: PLC0415

    named, seen, pairs = row[0] == world.token("[name]"), set(), []
    for word, label in zip(row[1::2], row[2::2], strict=True):
        category = word // world.WORDS_EACH
        pairs.append((world.VOCABULARY[word], world.VOCABULARY[label], named or category in seen))
        seen.add(category)
    return world.VOCABULARY[row[0]], pairs
