"""The concepts: both languages say the same, nothing dangles, every button leads somewhere real."""

import re
import shutil
import time
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from app.navigation import VIEWS, find_views
from content.concepts import (
    EDGE_KINDS,
    FOLDER,
    HEADINGS,
    KINDS,
    Concept,
    concept_graph,
    graph_one,
    load_concepts,
    shortest_path,
)
from content.errors import ContentError
from content.export import to_graphml, to_mermaid
from content.layout import NODE_HEIGHT, NODE_WIDTH, draw, layout
from content.reading import formulas, links
from core.vision.recipe import PictureRecipe

CONCEPTS = load_concepts()
PAGES = {view.slug for view in find_views(VIEWS)}
LABS = {view.slug for view in find_views(VIEWS) if view.section in ("maths", "language")}

each_concept = pytest.mark.parametrize("concept", CONCEPTS.values(), ids=list(CONCEPTS))


def test_every_folder_loads() -> None:
    assert [str(error) for error in CONCEPTS.errors] == []
    assert len(CONCEPTS) == sum(1 for p in FOLDER.iterdir() if p.is_dir() and p.name != "__pycache__") >= 60


@each_concept
def test_both_languages_say_the_same(concept: Concept) -> None:
    english, chinese = concept.markdown("en"), concept.markdown("zh")
    assert sorted(formulas(english)) == sorted(formulas(chinese))
    assert set(links(english)) == set(links(chinese))
    assert links(english), "a text without a link to a neighbour is a dead end"
    for language in HEADINGS:
        assert tuple(section.heading for section in concept.sections[language]) == HEADINGS[language]


@each_concept
def test_texts_are_in_their_language_and_of_one_page(concept: Concept) -> None:
    english = re.sub(r"\$\$?.+?\$\$?", " x ", concept.markdown("en"), flags=re.DOTALL)
    words = len(re.sub(r"\(concept:.*?\)", "", english).split())
    characters = len(re.findall(r"[一-鿿]", concept.markdown("zh")))
    assert 80 <= words <= 190
    assert 130 <= characters <= 400
    for text in (concept.name, concept.definition):
        assert re.search(r"[一-鿿]|^[A-Z][\w-]+$", text.zh.split("（")[0])
        assert not re.search(r"[一-鿿]", text.en)
    assert concept.definition.en.endswith(".")
    assert concept.definition.zh.endswith("。")


@each_concept
def test_sources_are_given(concept: Concept) -> None:
    assert concept.sources
    for source in concept.sources:
        assert 1800 < source.year <= 2026
        arxiv = re.fullmatch(r"https://arxiv\.org/abs/(\d{2})(\d{2})\.\d{4,5}", source.url)
        if arxiv:  # the number begins with year and month; a paper may be submitted in the year before it appeared
            assert 2000 + int(arxiv[1]) in (source.year, source.year - 1)
            assert 1 <= int(arxiv[2]) <= 12


@each_concept
def test_every_button_opens_an_existing_page_with_valid_parameters(concept: Concept) -> None:
    for run in concept.runs:
        assert run.page in PAGES
        parameters = dict(run.parameters)
        if run.page == "train":
            PictureRecipe.preset(parameters.pop("preset", "quick-look"), **parameters)
        elif run.page in ("concepts", "pipeline"):
            assert parameters.keys() == {"node"}
        elif run.page not in LABS:  # tests/app/test_run_links.py opens these and looks for warnings
            assert not parameters


def test_names_are_unique() -> None:
    for language in ("en", "zh"):
        names = [concept.name[language] for concept in CONCEPTS.values()]
        assert len(set(names)) == len(names)


def test_no_concept_is_isolated_and_all_hang_together() -> None:
    graph = concept_graph()
    assert nx.is_weakly_connected(graph)
    assert {data["kind"] for _, data in graph.nodes(data=True)} == set(KINDS)
    assert {data["kind"] for *_, data in graph.edges(data=True)} == set(EDGE_KINDS)


def test_graph_one_is_the_article_s() -> None:
    graph = graph_one()
    assert {data["name_zh"] for _, data in graph.nodes(data=True)} == {
        "深度学习", "机器学习", "计算机视觉", "自然语言处理", "人工智能",
    }  # fmt: skip
    assert {(a, b, data["kind"]) for a, b, data in graph.edges(data=True)} == {
        ("deep-learning", "machine-learning", "is-a-kind-of"),
        ("deep-learning", "computer-vision", "is-used-in"),
        ("deep-learning", "natural-language-processing", "is-used-in"),
        ("machine-learning", "artificial-intelligence", "is-a-field-of"),
        ("computer-vision", "artificial-intelligence", "is-a-field-of"),
        ("natural-language-processing", "artificial-intelligence", "is-a-field-of"),
    }


def test_shortest_path_joins_neighbours_and_is_always_the_same() -> None:
    path = shortest_path("gradient", "natural-language-processing")
    graph = concept_graph().to_undirected()
    assert (path[0], path[-1]) == ("gradient", "natural-language-processing")
    assert all(graph.has_edge(a, b) for a, b in pairwise(path))
    assert path == shortest_path("gradient", "natural-language-processing")
    assert len(path) == len(shortest_path("natural-language-processing", "gradient"))
    assert shortest_path("adam", "adam") == ["adam"]
    with pytest.raises(KeyError):
        shortest_path("adam", "eve")


def test_no_node_overlaps_another_and_no_edge_runs_through_a_node() -> None:
    drawing = draw(concept_graph())
    boxes = drawing.positions
    for a, (ax, ay) in boxes.items():
        assert all(a == b or ax != bx or abs(ay - by) >= 1 - 1e-9 for b, (bx, by) in boxes.items())
    assert set(drawing.routes) == set(concept_graph().edges)
    for edge, route in drawing.routes.items():
        for slug, centre in boxes.items():
            if slug not in edge:
                assert not any(_crosses(p, q, centre) for p, q in pairwise(route)), (edge, slug)


def _crosses(p: tuple[float, float], q: tuple[float, float], centre: tuple[float, float]) -> bool:
    """Whether a point of the line from p to q lies inside the box of a node."""
    if not min(p[0], q[0]) - 1 < centre[0] < max(p[0], q[0]) + 1:
        return False
    for step in range(101):
        x, y = (p[i] + (q[i] - p[i]) * step / 100 for i in range(2))
        if abs(x - centre[0]) < NODE_WIDTH / 2 - 1e-6 and abs(y - centre[1]) < NODE_HEIGHT / 2 - 1e-6:
            return True
    return False


def test_layout_is_the_same_each_time_and_fits_a_screen() -> None:
    positions = layout(concept_graph())
    assert positions == layout(concept_graph())
    assert positions.keys() == CONCEPTS.keys()
    assert {x for x, _ in positions.values()} == set(map(float, range(8)))
    assert draw(concept_graph()).height < 22


def test_layout_of_a_small_graph_puts_neighbours_side_by_side() -> None:
    graph = nx.DiGraph([("b", "y"), ("a", "x")])
    nx.set_node_attributes(graph, {"a": 0, "b": 0, "x": 1, "y": 1}, "layer")
    positions = layout(graph)
    assert positions["a"][1] == positions["x"][1]
    assert positions["b"][1] == positions["y"][1]


def test_exports() -> None:
    mermaid = to_mermaid(graph_one(), "zh")
    assert 'deep_learning["深度学习"]' in mermaid
    assert 'deep_learning -->|"是…的一种"| machine_learning' in mermaid
    read = nx.parse_graphml(to_graphml(concept_graph()))
    assert set(read.edges) == set(concept_graph().edges)
    assert read.nodes["adam"]["name_en"] == "Adam and AdamW"


def test_loading_is_fast() -> None:
    started = time.perf_counter()
    load_concepts.__wrapped__(FOLDER)
    assert time.perf_counter() - started < 1.0  # about 0.08 s on an idle core


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Three real concepts, tied only among themselves."""
    for slug in ("deep-learning", "machine-learning", "adam"):
        shutil.copytree(FOLDER / slug, tmp_path / slug)
        toml = tmp_path / slug / "concept.toml"
        toml.write_text(re.sub(r"\[\[edges\]\]\nto = .*\nkind = .*\n", "", toml.read_text("utf-8")), "utf-8")
        for text in (tmp_path / slug).glob("*.md"):
            text.write_text(re.sub(r"\(concept:.*?\)", "(concept:adam)", text.read_text("utf-8")), "utf-8")
    return tmp_path


def _only_error(folder: Path) -> ContentError:
    errors = load_concepts(folder).errors
    assert len(errors) == 1, errors
    return errors[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "reason"),
    [
        ("concept.toml", 'kind = "method"', 'kind = "mehtod"', 1, "mehtod"),
        ("concept.toml", "layer = 7", "layer = 8", 2, "from 0 to 7"),
        ("concept.toml", "layer = 7", "layer = ", 2, "not TOML"),
        ("concept.toml", "layer = 7", "lair = 7\nlayer = 7", 2, "lair"),
        ("concept.toml", "[name]", "[names]", 4, "names"),
        ("concept.toml", "https://", "http://", 0, "https"),
        ("en.md", "## Why it matters", "## Why it mattered", 0, "Why it matters"),
        ("zh.md", "$\\eta$", "$\\eta", 9, "not closed"),
    ],
)
def test_a_mistake_names_its_file_and_line_and_spares_the_rest(
    copy: Path, file: str, old: str, new: str, line: int, reason: str
) -> None:
    path = copy / "adam" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    error = _only_error(copy)
    assert error.path == path
    assert error.line == line or (line == 0 and error.line > 1)
    assert reason in error.reason
    assert str(error).startswith(f"{path.as_posix()}:{error.line}: ")
    assert set(load_concepts(copy)) == {"deep-learning", "machine-learning"}


def test_a_missing_file_is_reported(copy: Path) -> None:
    (copy / "adam" / "zh.md").unlink()
    assert str(_only_error(copy)) == f"{(copy / 'adam' / 'zh.md').as_posix()}:1: this file is missing"


def test_a_link_to_nowhere_is_reported_at_its_line_and_the_concept_stays(copy: Path) -> None:
    path = copy / "adam" / "en.md"
    path.write_text(path.read_text("utf-8") + "\nSee [this](concept:nowhere).\n", "utf-8")
    error = _only_error(copy)
    assert (error.path, error.line) == (path, len(path.read_text("utf-8").splitlines()))
    assert "nowhere" in error.reason
    assert "adam" in load_concepts(copy)


def test_an_edge_to_nowhere_is_reported_and_left_out(copy: Path) -> None:
    path = copy / "adam" / "concept.toml"
    path.write_text(path.read_text("utf-8") + '\n[[edges]]\nto = "nowhere"\nkind = "is-part-of"\n', "utf-8")
    error = _only_error(copy)
    assert error.line == len(path.read_text("utf-8").splitlines()) - 1
    assert load_concepts(copy)["adam"].edges == ()
