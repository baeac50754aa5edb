"""Where the nodes of a layered graph stand, and how its edges run between them without crossing a node.

The method is Sugiyama's: an edge that spans several layers gets a place of its own (a *bend*) in each layer in
between, then the order within each layer is improved by barycentre sweeps, and last every node is pulled
towards its neighbours. Nothing is random, so a graph always looks the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import networkx as nx

Point = tuple[float, float]

NODE_WIDTH = 0.66
"""Of the distance between two layers."""
NODE_HEIGHT = 0.6
"""Of the distance between two nodes above each other."""
_BEND_ROOM = 0.45
_SWEEPS = 24


class Place(NamedTuple):
    """A node (`end` empty), or the bend that all edges towards `end` share in a layer they pass."""

    name: str
    end: str = ""


@dataclass(frozen=True)
class Drawing:
    """Centres of the nodes and the lines of the edges. x counts layers, y counts rows, downwards from 0."""

    positions: dict[str, Point]
    routes: dict[tuple[str, str], list[Point]]

    @property
    def height(self) -> float:
        return max((y for _, y in self.positions.values()), default=0.0)


def layout(graph: nx.DiGraph) -> dict[str, Point]:
    """The centre of every node of a graph whose nodes have a ``layer``."""
    return draw(graph).positions


def draw(graph: nx.DiGraph) -> Drawing:
    """Places and lines of a graph whose nodes have a ``layer``; its edges join different layers.

    A line starts and ends at the side of a node box of NODE_WIDTH × NODE_HEIGHT and passes every layer in
    between level and clear of all boxes.
    """
    chains = {(a, b): _chain(graph, a, b) for a, b in sorted(graph.edges)}
    places = nx.Graph()
    layer_of: dict[Place, int] = {Place(slug): graph.nodes[slug]["layer"] for slug in sorted(graph)}
    places.add_nodes_from(layer_of)
    for chain in chains.values():
        layer_of.update(dict(chain))
        places.add_edges_from(pairwise(place for place, _ in chain))
    rows = _ordered(places, layer_of)
    y = _heights(places, rows)
    positions = {p.name: (float(layer_of[p]), y[p]) for p in layer_of if not p.end}
    return Drawing(positions, {edge: _line(chain, y) for edge, chain in chains.items()})


def _chain(graph: nx.DiGraph, start: str, end: str) -> list[tuple[Place, int]]:
    """The places an edge goes through, each with its layer."""
    first, last = graph.nodes[start]["layer"], graph.nodes[end]["layer"]
    assert first != last, f"{start} and {end} are tied and stand in the same layer"
    step = 1 if last > first else -1
    bends = [(Place(f"{layer}{'<>'[step > 0]}", end), layer) for layer in range(first + step, last, step)]
    return [(Place(start), first), *bends, (Place(end), last)]


def _ordered(places: nx.Graph, layer_of: dict[Place, int]) -> list[list[Place]]:
    """The places of each layer from top to bottom, in the order with the fewest crossings that was met."""
    rows: dict[int, list[Place]] = {layer: [] for layer in sorted(set(layer_of.values()))}
    for place in nx.dfs_preorder_nodes(places) if places and nx.is_connected(places) else sorted(layer_of):
        rows[layer_of[place]].append(place)
    order = list(rows.values())
    best, fewest = [list(row) for row in order], _crossings(places, order)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for index in range(1, len(order)) if down else range(len(order) - 2, -1, -1):
            fixed = order[index - 1 if down else index + 1]
            _sort_by_barycentre(places, order[index], fixed)
        crossings = _crossings(places, order)
        if crossings < fewest:
            best, fewest = [list(row) for row in order], crossings
    return best


def _sort_by_barycentre(places: nx.Graph, row: list[Place], fixed: list[Place]) -> None:
    rank = {place: index / max(1, len(fixed) - 1) for index, place in enumerate(fixed)}
    own = {place: index / max(1, len(row) - 1) for index, place in enumerate(row)}

    def barycentre(place: Place) -> float:
        near = [rank[other] for other in places[place] if other in rank]
        return sum(near) / len(near) if near else own[place]

    row.sort(key=barycentre)


def _crossings(places: nx.Graph, rows: list[list[Place]]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        rank = {place: index for index, place in enumerate(lower)}
        ends = [rank[o] for p in upper for o in sorted(places[p], key=lambda o: rank.get(o, -1)) if o in rank]
        total += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total


def _room(place: Place) -> float:
    return _BEND_ROOM if place.end else 1.0


def _heights(places: nx.Graph, rows: list[list[Place]]) -> dict[Place, float]:
    """y of every place: near the mean of its neighbours, in the given order, with room between."""
    y: dict[Place, float] = {}
    for row in rows:
        offset = -sum(map(_room, row)) / 2
        for place in row:
            y[place] = offset + _room(place) / 2
            offset += _room(place)
    for _ in range(_SWEEPS):
        for row in rows:
            wished = [_mean((y[o] for o in places[p]), y[p]) for p in row]
            y.update(zip(row, _spread(wished, [_room(p) for p in row]), strict=True))
    top = min(y.values(), default=0.0)
    return {place: value - top for place, value in y.items()}


def _mean(values: Iterable[float], otherwise: float) -> float:
    found = list(values)
    return (sum(found) / len(found) + otherwise) / 2 if found else otherwise


def _spread(wished: list[float], rooms: list[float]) -> list[float]:
    """The positions nearest to the wished ones (least squares) that keep order and room: pool adjacent violators."""
    gaps = [0.0]
    for before, after in pairwise(rooms):
        gaps.append(gaps[-1] + (before + after) / 2)
    blocks: list[list[float]] = []
    for wish, gap in zip(wished, gaps, strict=True):
        blocks.append([wish - gap, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, count = blocks.pop()
            total = blocks[-1][1] + count
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + value * count) / total, total]
    flat = [value for value, count in blocks for _ in range(int(count))]
    return [value + gap for value, gap in zip(flat, gaps, strict=True)]


def _line(chain: list[tuple[Place, int]], y: dict[Place, float]) -> list[Point]:
    step = 1 if chain[-1][1] > chain[0][1] else -1
    half = step * NODE_WIDTH / 2
    points = [(chain[0][1] + half, y[chain[0][0]])]
    for place, layer in chain[1:-1]:
        points += [(layer - half, y[place]), (layer + half, y[place])]
    return [*points, (chain[-1][1] - half, y[chain[-1][0]])]


def between_boxes(*centres: Point, share: Point = (NODE_WIDTH, NODE_HEIGHT)) -> list[Point]:
    """A line through these points from one box to another, begun and ended at the boxes' sides.

    `share` is the size of a box: of the distance between two layers, and between two rows.
    """
    first, *corners, last = centres
    return [_side(first, (corners or [last])[0], share), *corners, _side(last, (corners or [first])[-1], share)]


def _side(centre: Point, towards: Point, share: Point) -> Point:
    """Where the line from the centre of a box to a point outside of it leaves the box."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    way = min(share[0] / 2 / abs(dx) if dx else 1.0, share[1] / 2 / abs(dy) if dy else 1.0, 1.0)
    return centre[0] + way * dx, centre[1] + way * dy
