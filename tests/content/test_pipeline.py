"""The pipeline is the article's second graph, drawn without a line through a node, explained in both languages."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from content.concepts import load_concepts
from content.errors import ContentError
from content.export import to_graphml, to_mermaid
from content.layout import NODE_HEIGHT, NODE_WIDTH
from content.pipeline import FOLDER, Node, load_pipeline
from content.reading import formulas, links

PIPELINE = load_pipeline()

ARTICLE_NAMES = {
    "A": "大规模文本数据", "B": "预训练", "C": "大语言模型", "D": "微调", "E": "提示学习", "F": "全参数微调",
    "G": "参数高效微调", "H": "零样本学习", "I": "少样本学习", "J": "下游任务适应", "K": "持续学习", "L": "模型更新",
}  # fmt: skip
ARTICLE_ARROWS = ["AB", "BC", "CD", "CE", "DF", "DG", "EH", "EI", "FJ", "GJ", "HJ", "IJ", "JK", "KL", "LC"]

each_node = pytest.mark.parametrize("node", PIPELINE.nodes.values(), ids=list(PIPELINE.nodes))


def test_nodes_and_arrows_are_the_article_s() -> None:
    names = {slug: node.name.zh for slug, node in PIPELINE.nodes.items()}
    assert sorted(names.values()) == sorted(ARTICLE_NAMES.values())
    arrows = sorted((names[arrow.start], names[arrow.end]) for arrow in PIPELINE.arrows)
    assert arrows == sorted((ARTICLE_NAMES[a], ARTICLE_NAMES[b]) for a, b in ARTICLE_ARROWS)


def test_the_way_back_closes_a_cycle() -> None:
    assert nx.has_path(PIPELINE.graph(), "model-update", "model-update")
    assert set(nx.find_cycle(PIPELINE.graph())) >= {("model-update", "large-language-model")}


@each_node
def test_both_languages_say_the_same(node: Node) -> None:
    english, chinese = node.explanation.en, node.explanation.zh
    assert sorted(formulas(english)) == sorted(formulas(chinese))
    assert set(links(english)) == set(links(chinese)) != set()
    assert 75 <= len(english.split()) <= 130
    assert 120 <= len(re.findall(r"[一-鿿]", chinese)) <= 260


@each_node
def test_nodes_lead_to_concepts(node: Node) -> None:
    assert node.concepts
    assert set(node.concepts) <= set(load_concepts())


def test_no_arrow_runs_through_a_node() -> None:
    places = {slug: node.position for slug, node in PIPELINE.nodes.items()}
    assert len(set(places.values())) == len(places)
    for arrow in PIPELINE.arrows:
        line = [places[arrow.start], *arrow.via, places[arrow.end]]
        points = [
            tuple(p[i] + (q[i] - p[i]) * step / 200 for i in range(2))
            for p, q in pairwise(line)
            for step in range(201)
        ]
        for slug, (x, y) in places.items():
            if slug not in (arrow.start, arrow.end):
                inside = [abs(a - x) < NODE_WIDTH / 2 and abs(b - y) < NODE_HEIGHT / 2 for a, b in points]
                assert not any(inside), (arrow.start, arrow.end, slug)


def test_exports() -> None:
    mermaid = to_mermaid(PIPELINE.graph(), "en")
    assert mermaid.count("-->") == 15
    assert 'model_update -->|"the accepted version"| large_language_model' in mermaid
    assert set(nx.parse_graphml(to_graphml(PIPELINE.graph())).nodes) == set(PIPELINE.nodes)


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("pipeline.toml", 'to = "prompting"', 'to = "promting"', "promting"),
        ("pipeline.toml", "x = 3", 'x = "three"', "number"),
        ("pipeline.toml", '"lora"', '"laura"', "laura"),
        ("pipeline.toml", "via = [[2, 4.5]]", "via = [2, 4.5]", "via"),
        ("prompting.en.md", "(concept:prompting)", "(concept:promting)", "promting"),
    ],
)
def test_a_mistake_names_its_file_and_line(tmp_path: Path, file: str, old: str, new: str, reason: str) -> None:
    folder = tmp_path / "pipeline"
    shutil.copytree(FOLDER, folder)
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ContentError) as caught:
        load_pipeline(folder)
    assert caught.value.path == path
    assert reason in caught.value.reason
    assert new in path.read_text("utf-8").splitlines()[caught.value.line - 1]
