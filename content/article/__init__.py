"""The article as a reading path: its sections in our words, its claims with verdicts, its code made to run.

- ``<nn>_<slug>/`` is one chapter: ``chapter.toml`` (section ids, concepts, what runs them) and the texts in
  ``en.md`` and ``zh.md``, one heading a section, as in ``## 3.2 Six steps``.
- ``claims/<id>.toml`` is one claim; ``snippets/<id>.toml`` one defect of the printed code, and what it gives.
- ``code/corrected.py`` is the training script as it should be, written afresh.

A file with a mistake is left out and reported in ``load_article().errors``; the rest loads.
"""

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from content.concepts import RunLink, Source, run_link
from content.errors import ContentError
from content.reading import LANGUAGES, Table, Text, line_of, read_text, read_toml

FOLDER = Path(__file__).parent

VERDICTS = {
    "true": Text("true", "属实"),
    "partly": Text("partly true", "部分属实"),
    "outdated": Text("outdated", "已过时"),
    "unsupported": Text("unsupported", "没有依据"),
    "false": Text("false", "不属实"),
    "not-reproduced": Text("not reproduced", "未能复现"),
    "not-done": Text("not done", "并未做到"),
}
"""Every verdict there is. *Unsupported*: no evidence was found; *not done*: the code omits what the text says."""

_HEADING = re.compile(r"^(#{1,3}) (\d(?:\.\d+)*) (\S.*)$")


@dataclass(frozen=True)
class Section:
    """One section of the article, in our words. The id of a chapter's opening is the chapter's number."""

    id: str
    title: Text
    text: Text
    concepts: tuple[str, ...]
    runs: tuple[RunLink, ...]

    @property
    def level(self) -> int:
        """1 for a chapter, 2 for a section such as 3.2, 3 for an item such as 3.2.1."""
        return self.id.count(".") + 1


@dataclass(frozen=True)
class Claim:
    """What the article claims and what is so; `as_of` is the day on which a dated verdict was right."""

    id: str
    sections: tuple[str, ...]
    verdict: str
    claimed: Text
    so: Text
    sources: tuple[Source, ...]
    no_source: Text | None  # why there is none, where there is none
    runs: tuple[RunLink, ...]
    snippets: tuple[str, ...]
    as_of: datetime.date | None


@dataclass(frozen=True)
class Snippet:
    """A few lines of our own with one defect of the printed code: they end in `error` or print `stdout`."""

    id: str
    sections: tuple[str, ...]
    title: Text
    code: str
    error: str  # how the error must begin; empty where the defect is silent
    stdout: str
    wrong: Text
    instead: str


@dataclass(frozen=True)
class Article:
    sections: tuple[Section, ...]
    claims: tuple[Claim, ...]
    snippets: tuple[Snippet, ...]
    corrected: str
    errors: tuple[ContentError, ...]

    def section(self, id: str) -> Section:
        """Raises `KeyError` when there is none of that id."""
        return _named(self.sections, id)

    def claim(self, id: str) -> Claim:
        """Raises `KeyError` when there is none of that id."""
        return _named(self.claims, id)

    def snippet(self, id: str) -> Snippet:
        """Raises `KeyError` when there is none of that id."""
        return _named(self.snippets, id)

    def claims_of(self, section: str) -> tuple[Claim, ...]:
        """The claims made in a section."""
        return tuple(claim for claim in self.claims if section in claim.sections)


Named = TypeVar("Named", Section, Claim, Snippet)
T = TypeVar("T")


def _named(things: tuple[Named, ...], id: str) -> Named:
    for thing in things:
        if thing.id == id:
            return thing
    raise KeyError(id)


@cache
def load_article(folder: Path = FOLDER) -> Article:
    """The whole article from its folder; read once per process."""
    errors: list[ContentError] = []
    chapters = _each(sorted(folder.glob("[0-9][0-9]_*")), _chapter, errors)
    claims = _each(sorted((folder / "claims").glob("*.toml")), _claim, errors)
    snippets = _each(sorted((folder / "snippets").glob("*.toml")), _snippet, errors)
    corrected = _each([folder / "code" / "corrected.py"], read_text, errors)
    article = Article(
        sections=tuple(section for chapter in chapters for section in chapter),
        claims=tuple(sorted(claims, key=lambda claim: (_order(claim.sections[0]), claim.id))),
        snippets=tuple(sorted(snippets, key=lambda snippet: (_order(snippet.sections[0]), snippet.id))),
        corrected="".join(corrected),
        errors=(),
    )
    return Article(**{**vars(article), "errors": (*errors, *_dangling(folder, article))})


def _each(paths: list[Path], read_one: Callable[[Path], T], errors: list[ContentError]) -> list[T]:
    """What can be read of these paths; what cannot goes to the errors."""
    things: list[T] = []
    for path in paths:
        try:
            things.append(read_one(path))
        except ContentError as error:
            errors.append(error)
    return things


def _order(section: str) -> tuple[int, ...]:
    return tuple(int(number) for number in section.split("."))


def _chapter(folder: Path) -> tuple[Section, ...]:
    table = read_toml(folder / "chapter.toml")
    table.only("section")
    rows = table.tables("section")
    ids = [row.get("id", str) for row in rows]
    number = str(int(folder.name[:2]))
    for row, id in zip(rows, ids, strict=True):
        if id.split(".")[0] != number or ids.count(id) > 1:
            raise row.error(f"“{id}” belongs to another chapter or is there twice", "id")
    texts = {language: _texts(folder / f"{language}.md", ids) for language in LANGUAGES}
    return tuple(_section(row, {language: texts[language][id] for language in LANGUAGES})
                 for row, id in zip(rows, ids, strict=True))  # fmt: skip


def _section(row: Table, texts: dict[str, tuple[str, str]]) -> Section:
    row.only("id", "concepts", "run")
    return Section(
        id=row.get("id", str),
        title=Text(en=texts["en"][0], zh=texts["zh"][0]),
        text=Text(en=texts["en"][1], zh=texts["zh"][1]),
        concepts=_names(row, "concepts"),
        runs=tuple(run_link(run) for run in row.tables("run")),
    )


def _texts(path: Path, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Title and text of each section of a Markdown file, which must have exactly these ids in this order."""
    found: list[tuple[int, str, str, list[str]]] = []
    for line, words in enumerate(read_text(path).splitlines(), 1):
        heading = _HEADING.match(words)
        if heading is not None:
            marks, id, title = heading.groups()
            if len(marks) != id.count(".") + 1:
                raise ContentError(path, line, f"“{id}” needs {id.count('.') + 1} #, not {len(marks)}")
            found.append((line, id, title.strip(), []))
        elif words.startswith("#"):
            raise ContentError(path, line, "a heading must be as in “## 3.2 Title”")
        elif found:
            found[-1][3].append(words)
    for position, wanted in enumerate(ids):
        line, id = found[position][:2] if position < len(found) else (found[-1][0] if found else 1, "nothing")
        if id != wanted:
            raise ContentError(path, line, f"the heading of {wanted} should be here, not {id}")
    if len(found) > len(ids):
        raise ContentError(path, found[len(ids)][0], f"{found[len(ids)][1]} is not in chapter.toml")
    for line, id, _, body in found:
        if not "".join(body).strip():
            raise ContentError(path, line, f"nothing is written under {id}")
        if "\n".join(body).count("$") % 2:
            raise ContentError(path, line, f"a formula under {id} is opened and not closed")
    return {id: (title, "\n".join(body).strip()) for _, id, title, body in found}


def _claim(path: Path) -> Claim:
    table = read_toml(path)
    table.only("sections", "verdict", "claimed", "so", "source", "no_source", "run", "snippets", "as_of")
    verdict = table.get("verdict", str)
    if verdict not in VERDICTS:
        raise table.error(f"“verdict” must be one of {', '.join(VERDICTS)}, not “{verdict}”", "verdict")
    sources = tuple(_source(row) for row in table.tables("source"))
    no_source = table.text("no_source") if "no_source" in table.values else None
    if bool(sources) == (no_source is not None):
        raise table.error("a claim has either sources or “no_source”, why there is none", "no_source")
    return Claim(
        id=path.stem,
        sections=_sections(table),
        verdict=verdict,
        claimed=table.text("claimed"),
        so=table.text("so"),
        sources=sources,
        no_source=no_source,
        runs=tuple(run_link(row) for row in table.tables("run")),
        snippets=_names(table, "snippets"),
        as_of=table.get("as_of", datetime.date) if "as_of" in table.values else None,
    )


def _snippet(path: Path) -> Snippet:
    table = read_toml(path)
    table.only("sections", "title", "code", "error", "stdout", "wrong", "instead")
    error, stdout = str(table.values.get("error", "")), str(table.values.get("stdout", ""))
    if bool(error) == ("stdout" in table.values):
        raise table.error("a snippet has either “error” or “stdout”: what it must give when run", "stdout")
    return Snippet(
        id=path.stem,
        sections=_sections(table),
        title=table.text("title"),
        code=table.get("code", str),
        error=error,
        stdout=stdout,
        wrong=table.text("wrong"),
        instead=table.get("instead", str),
    )


def _names(table: Table, key: str) -> tuple[str, ...]:
    """A list of texts; missing means empty."""
    values = table.get(key, list) if key in table.values else []
    if not all(isinstance(value, str) and value.strip() for value in values):
        raise table.error(f"“{key}” must be a list of texts", key)
    return tuple(values)


def _sections(table: Table) -> tuple[str, ...]:
    ids = _names(table, "sections")
    if not ids or not all(re.fullmatch(r"\d(\.\d+)*", id) for id in ids):
        raise table.error("“sections” must be a list of section numbers, as in [\"4.3\"]", "sections")
    return ids


def _source(row: Table) -> Source:
    row.only("text", "year", "url")
    url = row.get("url", str) if "url" in row.values else ""
    if url and not url.startswith("https://"):
        raise row.error(f"“url” must begin with https://, not “{url}”", "url")
    return Source(row.get("text", str), row.get("year", int), url)


def _dangling(folder: Path, article: Article) -> Iterator[ContentError]:
    """Claims and snippets that point to a section or snippet which nobody wrote."""
    sections = {section.id for section in article.sections}
    # A chapter that is broken today makes no mistake of the claims that point into it.
    whole = {section.id for section in article.sections if section.level == 1}
    snippets = {path.stem for path in (folder / "snippets").glob("*.toml")}
    files = [("claims", claim.id, claim.sections, claim.snippets) for claim in article.claims]
    files += [("snippets", snippet.id, snippet.sections, ()) for snippet in article.snippets]
    for kind, id, wanted_sections, wanted_snippets in files:
        path = folder / kind / f"{id}.toml"
        for wanted in wanted_sections:
            if wanted not in sections and wanted.split(".")[0] in whole:
                yield ContentError(path, line_of(path, f'"{wanted}"'), f"there is no section {wanted}")
        for wanted in wanted_snippets:
            if wanted not in snippets:
                yield ContentError(path, line_of(path, f'"{wanted}"'), f"there is no snippet “{wanted}”")
