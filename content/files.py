"""Reading what authors write: TOML and Markdown, with errors that name the file and the line."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")
ROOT = Path(__file__).parent


class ContentError(ValueError):
    """A mistake in the content: which file (relative to `content/`), which line (1 is the first), and what."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        self.path = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        self.line = line
        self.message = message
        super().__init__(f"{self.path.as_posix()}:{line}: {message}")


@dataclass(frozen=True)
class Text:
    """The same thing said in each language."""

    en: str
    zh: str

    def get(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


def read(path: Path) -> str:
    """A file's text. Raises `ContentError` when it is missing or not UTF-8."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ContentError(path, 1, "this file is missing") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ContentError(path, line, "this is not UTF-8 text") from None
    except OSError as error:
        raise ContentError(path, 1, f"this file cannot be read: {error.strerror}") from None


@dataclass(frozen=True)
class Table:
    """One table of a TOML file, read key by key; a wrong or missing value is an error with its line."""

    path: Path
    source: str
    values: dict[str, Any]
    start: int = 1  # the line from which keys are looked for, to report errors

    @classmethod
    def read(cls, path: Path) -> "Table":
        source = read(path)
        try:
            return cls(path, source, tomllib.loads(source))
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            line = int(found[1]) if found else source.count("\n") + 1
            raise ContentError(path, line, f"this is not TOML: {error}") from None

    def error(self, key: str, message: str) -> ContentError:
        """An error at the first line after the start that names this key, else at the start."""
        pattern = re.compile(rf"^\s*(\[+\s*)?([\w.]+\.)?{re.escape(key)}\b|[{{,]\s*{re.escape(key)}\s*=")
        lines = self.source.splitlines()[self.start - 1 :]
        offset = next((i for i, line in enumerate(lines) if pattern.search(line)), 0)
        return ContentError(self.path, self.start + offset, message)

    def only(self, *known: str) -> None:
        """Raise for a key that nothing reads: most often a typing error."""
        for key in self.values:
            if key not in known:
                raise self.error(key, f"“{key}” is not known here; known are {', '.join(known)}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or (not value.strip() and default is None):
            raise self.error(key, f"“{key}” must be a text that is not empty")
        return value.strip()

    def whole(self, key: str) -> int:
        value = self.values.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, f"“{key}” must be a whole number")
        return value

    def choice(self, key: str, known: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in known:
            raise self.error(key, f"“{key}” must be one of {', '.join(known)}, not “{value}”")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; missing means empty."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            raise self.error(key, f"“{key}” must be a list of texts")
        return tuple(value)

    def both(self, key: str) -> Text:
        """A table with the text in every language."""
        table = self.table(key)
        table.only(*LANGUAGES)
        return Text(**{language: table.text(language) for language in LANGUAGES})

    def table(self, key: str) -> "Table":
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self.error(key, f"“{key}” is missing or is not a table")
        return Table(self.path, self.source, value, self.error(key, "").line)

    def tables(self, key: str) -> tuple["Table", ...]:
        """A list of tables, in the order of the file; missing means none."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise self.error(key, f"“{key}” must be written as [[{key}]]")
        heading = re.compile(rf"^\s*\[\[\s*([\w.]+\.)?{re.escape(key)}\s*\]\]")
        lines = self.source.splitlines()
        starts = [n for n, line in enumerate(lines, 1) if n >= self.start and heading.search(line)]
        starts += [self.start] * (len(value) - len(starts))
        return tuple(Table(self.path, self.source, v, n) for v, n in zip(value, starts, strict=False))
