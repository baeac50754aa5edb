"""Files that were made to hurt, or are merely odd, each with the answer it must get.

``python -m tests.corpus`` prints the table: answer, memory, seconds. tests/core/test_corpus.py holds it.
"""

from collections.abc import Callable
from dataclasses import dataclass

PICTURE = "core.vision.decoding:decode_picture"
ARCHIVE = "core.vision.uploads:import_zip"
RECIPE = "core.tasks:recipe_from_json"

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Case:
    """One file. Either it is taken and looks like this, or it is refused with these words."""

    name: str
    make: Callable[[], bytes]
    function: str
    refused: str | None = None  # a regular expression of the sentence
    size: tuple[int, int] | None = None  # (width, height) of the picture that comes out
    colour: Colour | None = None  # of its middle
    classes: tuple[str, ...] | None = None  # of the data set that comes out


def all_cases() -> list[Case]:
    from tests.corpus.archives import archives
    from tests.corpus.pictures import pictures

    return [*pictures(), *archives()]
