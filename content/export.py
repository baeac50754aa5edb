"""A graph as text that other programs read: Mermaid for documents, GraphML for yEd, Gephi and the like."""

import networkx as nx

from content.concepts import EDGE_KINDS
from content.reading import LANGUAGES


def to_mermaid(graph: nx.DiGraph, language: str) -> str:
    """A Mermaid flow chart of a concept graph or of the pipeline, its names and labels in one language."""
    if language not in LANGUAGES:
        raise KeyError(language)
    lines = ["graph LR"]
    for slug, data in graph.nodes(data=True):
        lines.append(f'    {_identifier(slug)}["{_quoted(data[f"name_{language}"])}"]')
    for start, end, data in graph.edges(data=True):
        words = EDGE_KINDS[data["kind"]][language] if "kind" in data else data[f"label_{language}"]
        lines.append(f'    {_identifier(start)} -->|"{_quoted(words)}"| {_identifier(end)}')
    return "\n".join(lines) + "\n"


def _identifier(slug: str) -> str:
    return slug.replace("-", "_")  # "-" could be read as the beginning of an arrow


def _quoted(words: str) -> str:
    return words.replace('"', "#quot;")


def to_graphml(graph: nx.DiGraph) -> str:
    """GraphML with every attribute of nodes and edges."""
    return "\n".join(nx.generate_graphml(graph)) + "\n"
