"""What is fuzzed: each target takes bytes, and raises when something else happens than an answer or a `UserError`."""

import contextlib
import math
import os
import struct
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import UserError
from tests.corpus import ARCHIVE, PICTURE, RECIPE, all_cases

MOST_S = 2.0  # of processor time
SEEDS = Path(__file__).parent / "seeds"
LONGEST_SEED = 30_000  # bytes; longer files of the corpus make fuzzing slow


def picture(data: bytes) -> None:
    """Decoding: a picture of the right shape, or a sentence."""
    import numpy as np

    from core.vision.decoding import LONGEST_SIDE, decode_picture, decode_square

    with contextlib.suppress(UserError):
        pixels = decode_picture(data)
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert 1 <= min(pixels.shape[:2]) <= max(pixels.shape[:2]) <= LONGEST_SIDE
    with contextlib.suppress(UserError):
        assert decode_square(data, 32).shape == (32, 32, 3)


def archive(data: bytes) -> None:
    """Importing a zip: a data set below the home, or a sentence and nothing left."""
    from core.vision.uploads import import_zip

    with tempfile.TemporaryDirectory() as folder, _home(Path(folder) / "home") as home:
        try:
            found = import_zip(data)
            made = list((home / "uploads").rglob("*.png"))
            assert len(made) == sum(found["counts"])
            assert len(found["classes"]) >= 2
            kept = [home / "uploads" / found["dataset"].removeprefix("upload:")]
        except UserError:
            kept = []
        assert list((home / "uploads").iterdir()) == kept
        assert os.listdir(folder) == ["home"]


def recipe(data: bytes) -> None:
    """A recipe from JSON or from a link: one that comes back the same from its file, or a sentence to show."""
    from urllib.parse import parse_qsl

    from core.tasks import recipe_from_json
    from core.vision.recipe import PictureRecipe

    text = data.decode(errors="replace")
    for make in (
        lambda: recipe_from_json(text),
        lambda: PictureRecipe.from_json(text),
        lambda: PictureRecipe.preset("quick-look", **dict(parse_qsl(text))),
    ):
        try:
            made = make()
        except UserError as error:
            _showable(error)
            continue
        made.to_json().encode()
        assert recipe_from_json(made.to_json()) == made


def expression(data: bytes) -> None:
    """A formula: a graph whose every number and slope can be computed or is said not to exist, or a sentence."""
    from core.maths import backpropagation
    from core.maths.expression import MOST_NODES, parse

    text = data.decode(errors="replace")
    try:
        formula = parse(text)
    except UserError as error:
        _showable(error)
        return
    assert 1 <= len(formula.nodes) <= MOST_NODES
    assert all(place < number for number, node in enumerate(formula.nodes) for place in node.inputs)
    for value in (0.5, 0.0, -3.0, 1e6):
        with contextlib.suppress(UserError):
            variables = dict.fromkeys(formula.variables, value)
            values = backpropagation.forward(formula, variables)
            assert len(values) == len(formula.nodes)
            backpropagation.steps(formula, variables)


def tokenizer(data: bytes) -> None:
    """A text: characters that come back as they were, or a sentence."""
    from core.language.texts import decoded
    from core.language.tokens import Tokens

    with contextlib.suppress(UserError):
        text, _encoding = decoded(data)
        for kind in ("characters", "bpe"):
            tokens = Tokens.of(text, kind, 300)
            assert tokens.decode(tokens.encode(text)) == text
    with contextlib.suppress(UserError):
        Tokens.of("abc", "characters", 300).encode(data.decode(errors="replace"))


def address(data: bytes) -> None:
    """The link of a page: every control has a value within its bounds, whatever the link says."""
    pairs = data.decode(errors="replace").split("\0")
    app = _controls()
    app.query_params.clear()
    for name, value in zip(("a", "b", "c", "d", "e", "f", "g"), pairs, strict=False):
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception[0].message
    shown = app.session_state["shown"]
    assert shown[0] in ("one", "two")
    assert 0 <= shown[1] <= 10
    assert isinstance(shown[1], int)
    assert -1 <= shown[2] <= 1
    assert 0.001 <= shown[3] <= 1
    assert isinstance(shown[4], bool)
    assert set(shown[5]) <= {"x", "y"}
    assert 1 <= len(shown[6]) <= 3
    assert all(math.isfinite(one) for one in shown[6])


@cache
def _controls() -> Any:
    from streamlit.testing.v1 import AppTest

    def page() -> None:
        import streamlit as st

        from app.components import address as link

        st.session_state["shown"] = [
            link.choice(st.radio, "a", "a", {"one": "1", "two": "2"}),
            link.number("b", "b", 3, 0, 10, step=1),
            link.number("c", "c", 0.5, -1.0, 1.0, step=0.1),
            link.log_number("d", "d", 0.1, 0.001, 1.0),
            link.switch("e", "e"),
            link.several(st.pills, "f", "f", {"x": "X", "y": "Y"}, selection_mode="multi"),
            link.numbers("g", [1.0], -5, 5, 3),
        ]

    return AppTest.from_function(page, default_timeout=60)


def _showable(error: UserError) -> None:
    str(error).encode()
    assert len(str(error)) < 2000


@contextlib.contextmanager
def _home(folder: Path) -> Iterator[Path]:
    before = os.environ.get("ATLAS_HOME")
    os.environ["ATLAS_HOME"] = str(folder)
    try:
        yield folder.resolve()
    finally:
        os.environ.pop("ATLAS_HOME") if before is None else os.environ.update(ATLAS_HOME=before)


Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {
    "picture": picture,
    "archive": archive,
    "recipe": recipe,
    "address": address,
    "expression": expression,
    "tokenizer": tokenizer,
}


def checked(target: Target, data: bytes) -> None:
    """Run a target and bound the time it takes."""
    began = time.process_time()
    with warnings.catch_warnings(action="ignore"):  # Pillow warns of files that it reads all the same
        target(data)
    assert time.process_time() - began < MOST_S, "too slow"


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """Inputs to begin with: files of the corpus, formulas, links; and all that once failed."""
    function = {"picture": PICTURE, "archive": ARCHIVE, "recipe": RECIPE}.get(name)
    found = [case.make() for case in all_cases() if case.function == function] if function else []
    found += {
        "recipe": [b'{"task": "vision", "epochs": 3}', b"epochs=3&dataset=folder:x&crop=1", b'{"task": "language"}'],
        "expression": [b"x*y + sin(x)", b"sigmoid(w*x + b)", b"max(0, -x) ** 2 / log(3)", b"1e3 - -x**-y"],
        "address": [b"two\x004\x000.5\x000.1\x001\x00x,y\x001,2,3", b"\x00\x00nan\x00inf\x00\x00x,x\x001e400"],
        "tokenizer": [b"to be or not " * 80, "学而时习之，不亦说乎？".encode() * 100, b"\xef\xbb\xbf" + b"ab" * 600],
    }.get(name, [])
    folder = SEEDS / name
    found += [file.read_bytes() for file in sorted(folder.glob("*"))] if folder.is_dir() else []
    return tuple(data for data in found if len(data) <= LONGEST_SEED)


# Numbers that formats stumble over, put in place of others.
ODD = (b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0", struct.pack("<I", 2**31 - 1), b"\0\1", b"\xff\xd9")
