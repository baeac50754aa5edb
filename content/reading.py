"""Reading the files of the content: TOML tables and Markdown sections, with the line of every mistake."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from content.errors import ContentError

T = TypeVar("T")
LANGUAGES = ("en", "zh")

_LINK = re.compile(r"\]\(concept:([^)\s]*)\)")
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)


@dataclass(frozen=True)
class Text:
    """The same thing said in both languages."""

    en: str
    zh: str

    def __getitem__(self, language: str) -> str:
        if language not in LANGUAGES:
            raise KeyError(language)
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Section:
    """One heading of a Markdown file and what stands under it."""

    heading: str
    body: str


class Table:
    """One table of a TOML file; a value that is missing or of the wrong kind raises `ContentError`."""

    def __init__(self, path: Path, source: str, values: Mapping[str, Any], start: int = 1) -> None:
        self.path, self.source, self.values, self.start = path, source, values, start

    def error(self, reason: str, key: str = "") -> ContentError:
        """An error at the line of a key, or at the table's first line when the key is not there."""
        lines = self.source.splitlines()[self.start - 1 :]
        pattern = re.compile(rf"\[*\s*{re.escape(key)}\b") if key else None
        for number, line in enumerate(lines, self.start):
            if pattern is not None and pattern.match(line):
                return ContentError(self.path, number, reason)
        return ContentError(self.path, self.start, reason)

    def get(self, key: str, kind: type[T]) -> T:
        value = self.values.get(key)
        if not isinstance(value, kind) or (isinstance(value, str) and not value.strip()):
            what = "is missing" if key not in self.values else f"is not a {_KIND_NAMES.get(kind, kind.__name__)}"
            raise self.error(f"“{key}” {what}", key)
        return value

    def number(self, key: str) -> float:
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(f"“{key}” must be a number", key)
        return float(value)

    def text(self, key: str) -> Text:
        """A table with the keys ``en`` and ``zh``."""
        words = Table(self.path, self.source, self.get(key, dict), self.start)
        for language in LANGUAGES:
            if not isinstance(words.values.get(language), str) or not words.values[language].strip():
                raise self.error(f"“{key}” has no text for “{language}”", key)
        return Text(words.values["en"], words.values["zh"])

    def tables(self, key: str) -> list["Table"]:
        """The tables of an array such as ``[[edges]]``, each knowing where it starts."""
        values = self.values.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.error(f"“{key}” must be written as [[{key}]]", key)
        head = re.compile(rf"\[\[\s*{re.escape(key)}\s*\]\]")
        lines = [n for n, line in enumerate(self.source.splitlines(), 1) if head.match(line)]
        starts = lines if len(lines) == len(values) else [self.start] * len(values)
        return [Table(self.path, self.source, v, s) for v, s in zip(values, starts, strict=True)]

    def only(self, *allowed: str) -> None:
        """Raises when there is a key that nothing reads: most often a spelling mistake."""
        for key in self.values:
            if key not in allowed:
                raise self.error(f"“{key}” is not known here; allowed are {', '.join(allowed)}", key)


_KIND_NAMES: dict[Any, str] = {str: "text", dict: "table", int: "whole number", list: "list"}


def read_text(path: Path) -> str:
    """A file's text. Raises `ContentError` when it is missing or not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ContentError(path, 1, "this file is missing") from None
    except UnicodeDecodeError as error:
        raise ContentError(path, 1, f"this file is not UTF-8 text ({error.reason})") from None


def read_toml(path: Path) -> Table:
    """A TOML file as its outermost table."""
    source = read_text(path)
    try:
        return Table(path, source, tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"at line (\d+)", str(error))
        line = int(where[1]) if where else max(1, source.count("\n"))
        raise ContentError(path, line, f"this is not TOML: {error}") from None


def read_sections(path: Path, headings: tuple[str, ...]) -> tuple[Section, ...]:
    """The sections of a Markdown file, which must have exactly these headings in this order."""
    source = read_text(path)
    found = [(n, line[3:].strip()) for n, line in enumerate(source.splitlines(), 1) if line.startswith("## ")]
    for position, heading in enumerate(headings):
        line, actual = found[position] if position < len(found) else (source.count("\n") + 1, "")
        if actual != heading:
            raise ContentError(path, line, f"the heading “## {heading}” should be here, not “{actual}”")
    if len(found) > len(headings):
        raise ContentError(path, found[len(headings)][0], f"“## {found[len(headings)][1]}” is one heading too many")
    bodies = re.split(r"^## .*$", source, flags=re.MULTILINE)[1:]
    for (line, heading), body in zip(found, bodies, strict=True):
        if not body.strip():
            raise ContentError(path, line, f"nothing is written under “{heading}”")
        for offset, words in enumerate(body.splitlines()):  # formulas of several lines have $$ on lines of their own
            if words.count("$") % 2:
                raise ContentError(path, line + offset, "a formula is opened and not closed in this line")
    return tuple(Section(h, b.strip()) for (_, h), b in zip(found, bodies, strict=True))


def formulas(markdown: str) -> list[str]:
    """The formulas of a text, without their dollar signs, in order."""
    return [(block or inline).strip() for block, inline in _FORMULA.findall(markdown)]


def links(markdown: str) -> list[str]:
    """The slugs that ``[text](concept:slug)`` links point to, in order."""
    return _LINK.findall(markdown)


def line_of(path: Path, words: str) -> int:
    """The first line of a file that holds these words, or 1."""
    lines = read_text(path).splitlines()
    return next((number for number, line in enumerate(lines, 1) if words in line), 1)
