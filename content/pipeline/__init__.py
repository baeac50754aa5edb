"""The article's second graph: the life of a language model, from text to update and back.

``pipeline.toml`` holds nodes and arrows with their places; ``<slug>.en.md`` and ``<slug>.zh.md`` the explanations.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import networkx as nx

from content.concepts import load_concepts
from content.reading import LANGUAGES, Table, Text, line_of, links, read_text, read_toml

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Node:
    """One step. `shows` says what its page will show once a language model can be trained here."""

    slug: str
    name: Text
    position: tuple[float, float]
    concepts: tuple[str, ...]
    shows: Text
    explanation: Text


@dataclass(frozen=True)
class Arrow:
    """What flows from one step to the next; `via` are the corners of a line that has to go round other nodes."""

    start: str
    end: str
    label: Text
    via: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Pipeline:
    nodes: Mapping[str, Node]
    arrows: tuple[Arrow, ...]

    def graph(self) -> nx.DiGraph:
        """Nodes with name_en, name_zh, x and y; edges with label_en and label_zh: plain values only."""
        graph = nx.DiGraph()
        for slug, node in self.nodes.items():
            x, y = node.position
            graph.add_node(slug, name_en=node.name.en, name_zh=node.name.zh, x=x, y=y)
        for arrow in self.arrows:
            graph.add_edge(arrow.start, arrow.end, label_en=arrow.label.en, label_zh=arrow.label.zh)
        return graph


@cache
def load_pipeline(folder: Path = FOLDER) -> Pipeline:
    """The whole graph, read once per process. Raises `ContentError` naming file and line of the first mistake."""
    table = read_toml(folder / "pipeline.toml")
    table.only("nodes", "arrows")
    nodes: dict[str, Node] = {}
    for row in table.tables("nodes"):
        node = _node(row, folder)
        if node.slug in nodes:
            raise row.error(f"“{node.slug}” is there twice", "slug")
        nodes[node.slug] = node
    return Pipeline(nodes, tuple(_arrow(row, nodes) for row in table.tables("arrows")))


def _node(row: Table, folder: Path) -> Node:
    row.only("slug", "x", "y", "concepts", "name", "shows")
    slug, concepts = row.get("slug", str), tuple(row.get("concepts", list))
    for concept in concepts:
        if concept not in load_concepts():
            raise row.error(f"there is no concept “{concept}”", "concepts")
    explanations = [_explanation(folder / f"{slug}.{language}.md") for language in LANGUAGES]
    position = (row.number("x"), row.number("y"))
    return Node(slug, row.text("name"), position, concepts, row.text("shows"), Text(*explanations))


def _explanation(path: Path) -> str:
    text = read_text(path).strip()
    for slug in links(text):
        if slug not in load_concepts():
            raise Table(path, "", {}, line_of(path, f"concept:{slug})")).error(f"there is no concept “{slug}”")
    return text


def _arrow(row: Table, nodes: Mapping[str, Node]) -> Arrow:
    row.only("from", "to", "label", "via")
    for key in ("from", "to"):
        if row.get(key, str) not in nodes:
            raise row.error(f"there is no node “{row.get(key, str)}”", key)
    via = row.values.get("via", [])
    try:
        corners = tuple((float(x), float(y)) for x, y in via)
    except (TypeError, ValueError):
        raise row.error("“via” must be a list of pairs of numbers", "via") from None
    return Arrow(row.get("from", str), row.get("to", str), row.text("label"), corners)
