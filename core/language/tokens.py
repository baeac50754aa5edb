"""From a text to the numbers a model reads, and back: by characters, or by byte-pair encoding.

Byte-pair encoding (Gage 1994; Sennrich, Haddow and Birch 2016, arXiv 1508.07909) begins with the characters and again
and again makes one token of the pair that stands together most often. Here it works on characters rather than bytes,
so that every token can be read, and never across the border of a word. Both are lossless: the tokens of a text,
written one after the other, are the text.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import UserError

# A word with the space before it, a number likewise, signs, or space: every character belongs to exactly one.
# No word is endless: a text without any border would take forever.
_PIECES = " ?{letter}{{1,32}}| ?{number}{{1,32}}| ?{sign}{{1,32}}|{space}{{1,32}}"
_KINDS = {"letter": r"\p{L}", "number": r"\p{N}", "sign": r"[^\s\p{L}\p{N}]", "space": r"\s"}
_WORDS = _PIECES.format(**_KINDS)
_LONGEST = 16  # characters of a token


class Tokens:
    """A vocabulary and how a text is cut into it."""

    def __init__(self, vocabulary: Sequence[str], merges: Sequence[tuple[str, str]] = ()) -> None:
        """`merges` are the pairs of byte-pair encoding in the order in which they were found; none for characters."""
        self.vocabulary, self.merges = list(vocabulary), [(a, b) for a, b in merges]
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        self._bpe = _bpe(self._ids, self.merges) if self.merges else None

    @classmethod
    def of(cls, text: str, kind: str, size: int) -> "Tokens":
        """The vocabulary of a text: its characters by code point, then for "bpe" the merges, `size` in all.

        Raises `UserError` when the characters alone are more than `size`.
        """
        characters = sorted(set(text))
        if kind == "characters":
            return cls(characters)
        check_size(len(characters), size)
        from tokenizers import trainers  # noqa: PLC0415  characters do without it

        learner = _bpe({}, [])
        trainer = trainers.BpeTrainer(
            vocab_size=size, initial_alphabet=characters, show_progress=False, max_token_length=_LONGEST
        )
        learner.train_from_iterator([text], trainer)
        found = json.loads(learner.to_str())["model"]
        return cls(sorted(found["vocab"], key=found["vocab"].__getitem__), [(a, b) for a, b in found["merges"]])

    def first(self, size: int) -> "Tokens":
        """What `of` makes of the same text for this smaller size: it finds one pair after the other.

        Raises `UserError` as it does.
        """
        if not self.merges or size >= len(self.vocabulary):
            return self
        check_size(sum(len(token) == 1 for token in self.vocabulary), size)
        joined = [a + b for a, b in self.merges]
        return Tokens(self.vocabulary[:size], self.merges[: joined.index(self.vocabulary[size - 1]) + 1])

    def counts(self, words: Mapping[str, int]) -> np.ndarray:
        """How often each token stands in a text that has these words (see `words`): (vocabulary,)."""
        found = np.zeros(len(self.vocabulary), int)
        for word, count in words.items():
            np.add.at(found, self.encode(word), count)
        return found

    def encode(self, text: str) -> list[int]:
        """Raises `UserError` naming the first characters that the vocabulary lacks."""
        unknown = list(dict.fromkeys(letter for letter in text if letter not in self._ids))
        if unknown:
            raise UserError("The text it learnt has no “{characters}”. Leave that out.",
                            characters="".join(unknown[:8]))  # fmt: skip
        if self._bpe is None:
            return [self._ids[letter] for letter in text]
        return list(self._bpe.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.vocabulary[i] for i in ids)

    def to_json(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary, "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Tokens":
        return cls(data["vocabulary"], [(a, b) for a, b in data["merges"]])


def check_size(characters: int, size: int) -> None:
    """Raises `UserError` where a vocabulary of `size` has no room for more than so many characters."""
    if size <= characters:
        raise UserError(
            "The text has {given} different characters already: a vocabulary of {size} leaves no room for pairs. "
            "Make it larger.", given=characters, size=size,
        )  # fmt: skip


def words(text: str) -> Counter[str]:
    """How often each word stands in a text. No token reaches from one into another.

    They are found by `re`, which is ten times as fast here; it knows the kinds of those characters that the tokeniser
    itself says are letters, numbers and space.
    """
    given = "".join(sorted(set(text)))
    return Counter(re.findall(_PIECES.format(**{name: _set(kind, given) for name, kind in _KINDS.items()}), text))


def _set(kind: str, letters: str) -> str:
    """Those of these characters that are of a kind, as a set for `re`; where there are none, what matches nothing."""
    from tokenizers import Regex, pre_tokenizers  # noqa: PLC0415

    split = pre_tokenizers.Split(Regex(kind), "removed").pre_tokenize_str(letters)
    found = "".join(sorted(set(letters).difference(*(piece for piece, _place in split))))
    return f"[{re.escape(found)}]" if found else "(?!)"


def _bpe(ids: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> Any:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers  # noqa: PLC0415

    tokenizer = Tokenizer(models.BPE(vocab=dict(ids), merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), "isolated")
    return tokenizer
