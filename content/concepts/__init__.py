"""The concepts of the atlas: one folder each, found by itself.

A concept is ``content/concepts/<slug>/`` with ``concept.toml`` (kind, names, definition, edges, what runs it,
sources) and its explanation in ``en.md`` and ``zh.md``. A folder with a mistake is left out and reported in
``load_concepts().errors``; the others load.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import networkx as nx

from content.errors import ContentError
from content.reading import (
    LANGUAGES,
    Section,
    Table,
    Text,
    line_of,
    links,
    read_sections,
    read_toml,
)

FOLDER = Path(__file__).parent

KINDS = {
    "field": Text("field", "领域"),
    "task": Text("task", "任务"),
    "architecture": Text("architecture", "模型结构"),
    "method": Text("method", "方法"),
    "measure": Text("measure", "度量"),
    "data": Text("data", "数据"),
    "phenomenon": Text("phenomenon", "现象"),
    "quality": Text("quality", "性质"),
}
EDGE_KINDS = {
    "is-a-kind-of": Text("is a kind of", "是…的一种"),
    "is-a-field-of": Text("is a field of", "是…的一个领域"),
    "is-a-task-of": Text("is a task of", "是…的一项任务"),
    "is-part-of": Text("is part of", "是…的一部分"),
    "is-used-in": Text("is used in", "用于"),
    "leads-to": Text("leads to", "导致"),
    "limits": Text("limits", "制约"),
    "remedies": Text("remedies", "缓解"),
    "measures": Text("measures", "衡量"),
}
HEADINGS = {
    "en": ("What it is", "Why it matters", "A common misunderstanding"),
    "zh": ("是什么", "为什么重要", "常见误解"),
}
GRAPH_ONE = (
    "deep-learning",
    "machine-learning",
    "computer-vision",
    "natural-language-processing",
    "artificial-intelligence",
)
LAYERS = 8


@dataclass(frozen=True)
class Edge:
    to: str
    kind: str


@dataclass(frozen=True)
class RunLink:
    """A button: the page it opens, the page's parameters, and what the button says."""

    page: str
    label: Text
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    text: str
    year: int
    url: str


@dataclass(frozen=True)
class Concept:
    slug: str
    kind: str
    name: Text
    definition: Text
    layer: int
    edges: tuple[Edge, ...]
    runs: tuple[RunLink, ...]
    sources: tuple[Source, ...]
    sections: Mapping[str, tuple[Section, ...]]

    def markdown(self, language: str) -> str:
        """The explanation as one Markdown text, without its headings."""
        return "\n\n".join(section.body for section in self.sections[language])

    def links(self) -> set[str]:
        """The slugs its explanation points to, in either language."""
        return {slug for language in LANGUAGES for slug in links(self.markdown(language))}


class Concepts(Mapping[str, Concept]):
    """All concepts by slug, and the mistakes that were found on the way."""

    def __init__(self, concepts: Mapping[str, Concept], errors: tuple[ContentError, ...]) -> None:
        self._concepts = dict(concepts)
        self.errors = errors

    def __getitem__(self, slug: str) -> Concept:
        return self._concepts[slug]

    def __iter__(self) -> Iterator[str]:
        return iter(self._concepts)

    def __len__(self) -> int:
        return len(self._concepts)


@cache
def load_concepts(folder: Path = FOLDER) -> Concepts:
    """Every concept of a folder, sorted by slug; read once per process."""
    concepts: dict[str, Concept] = {}
    errors: list[ContentError] = []
    folders = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(("_", ".")))
    for path in folders:
        try:
            concepts[path.name] = _read(path)
        except ContentError as error:
            errors.append(error)
    known = {path.name for path in folders}  # a link to a concept that is broken today is no mistake of its own
    for slug, concept in concepts.items():
        errors += _dangling(folder / slug, concept, known)
        concepts[slug] = replace(concept, edges=tuple(e for e in concept.edges if e.to in concepts))
    return Concepts(concepts, tuple(errors))


def _read(path: Path) -> Concept:
    table = read_toml(path / "concept.toml")
    table.only("kind", "layer", "name", "definition", "edges", "run", "sources")
    kind = _one_of(table, "kind", KINDS)
    layer = table.get("layer", int)
    if not 0 <= layer < LAYERS:
        raise table.error(f"“layer” must be from 0 to {LAYERS - 1}, not {layer}", "layer")
    return Concept(
        slug=path.name,
        kind=kind,
        name=table.text("name"),
        definition=table.text("definition"),
        layer=layer,
        edges=tuple(_edge(row, path.name) for row in table.tables("edges")),
        runs=tuple(run_link(row) for row in table.tables("run")),
        sources=tuple(_source(row) for row in table.tables("sources")),
        sections={language: read_sections(path / f"{language}.md", HEADINGS[language]) for language in LANGUAGES},
    )


def _one_of(table: Table, key: str, allowed: Mapping[str, Text]) -> str:
    value = table.get(key, str)
    if value not in allowed:
        raise table.error(f"“{key}” must be one of {', '.join(allowed)}, not “{value}”", key)
    return value


def _edge(row: Table, slug: str) -> Edge:
    row.only("to", "kind")
    edge = Edge(row.get("to", str), _one_of(row, "kind", EDGE_KINDS))
    if edge.to == slug:
        raise row.error("a concept cannot be tied to itself", "to")
    return edge


def run_link(row: Table) -> RunLink:
    """A page and the state of it that shows a thing. Raises `ContentError`."""
    row.only("page", "label", "parameters")
    parameters = row.values.get("parameters", {})
    if not isinstance(parameters, dict):
        raise row.error("“parameters” must be a table", "parameters")
    return RunLink(row.get("page", str), row.text("label"), parameters)


def _source(row: Table) -> Source:
    row.only("text", "year", "url")
    source = Source(row.get("text", str), row.get("year", int), row.get("url", str))
    if not source.url.startswith("https://"):
        raise row.error(f"“url” must begin with https://, not “{source.url}”", "url")
    return source


def _dangling(path: Path, concept: Concept, known: set[str]) -> Iterator[ContentError]:
    for edge in concept.edges:
        if edge.to not in known:
            toml = path / "concept.toml"
            yield ContentError(toml, line_of(toml, f'"{edge.to}"'), f"there is no concept “{edge.to}”")
    for language in LANGUAGES:
        text = path / f"{language}.md"
        for slug in links(concept.markdown(language)):
            if slug not in known:
                yield ContentError(text, line_of(text, f"concept:{slug})"), f"there is no concept “{slug}”")


def concept_graph(concepts: Concepts | None = None) -> nx.DiGraph:
    """The whole network. Nodes carry kind, name_en, name_zh and layer; edges carry kind: plain values only."""
    concepts = load_concepts() if concepts is None else concepts
    graph = nx.DiGraph()
    for slug, concept in concepts.items():
        graph.add_node(
            slug, kind=concept.kind, name_en=concept.name.en, name_zh=concept.name.zh, layer=concept.layer
        )
    for slug, concept in concepts.items():
        graph.add_edges_from((slug, edge.to, {"kind": edge.kind}) for edge in concept.edges)
    return graph


def graph_one(concepts: Concepts | None = None) -> nx.DiGraph:
    """The article's first graph: five concepts and the edges between them."""
    return concept_graph(concepts).subgraph(GRAPH_ONE).copy()


def shortest_path(start: str, end: str, concepts: Concepts | None = None) -> list[str]:
    """The slugs from one concept to another along the fewest edges, in either direction; empty if there is no way.

    Of several shortest paths it is the first in alphabetical order, so that a link always shows the same one.
    Raises `KeyError` for a slug that is no concept.
    """
    graph = concept_graph(concepts)
    for slug in (start, end):
        if slug not in graph:
            raise KeyError(slug)
    try:
        return list(min(nx.all_shortest_paths(graph.to_undirected(as_view=True), start, end)))
    except nx.NetworkXNoPath:
        return []
