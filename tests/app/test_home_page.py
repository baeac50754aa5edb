"""Home: the ways in, the two graphs of the article, each box of which leads to its page, and the machine."""

import pytest

from content.concepts import GRAPH_ONE, load_concepts
from content.pipeline import load_pipeline
from tests.app.opening import drawings, fine, opened

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]


def graphs(app) -> dict[str, dict]:
    """What the browser is given to draw, by the file's name."""
    return {told["file"]: told for told in drawings(app, "atlas_graph")}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_graphs_are_there_whole_and_small(language):
    shown = graphs(fine(opened("home", language)))
    assert list(shown) == ["small-concepts", "small-pipeline"]
    concepts, pipeline = shown.values()
    assert [box["label"] for box in concepts["boxes"]] == [load_concepts()[slug].name[language] for slug in GRAPH_ONE]
    assert [box["id"] for box in pipeline["boxes"]] == list(load_pipeline().nodes)
    assert {(line["start"], line["end"]) for line in pipeline["lines"]} == {
        (arrow.start, arrow.end) for arrow in load_pipeline().arrows
    }
    assert concepts["small"]
    assert pipeline["small"]


@pytest.mark.parametrize(
    ("graph", "node", "title", "heading"),
    [
        ("small-concepts", "machine-learning", "概念", "机器学习"),
        ("small-pipeline", "few-shot-learning", "流程", "少样本学习"),
    ],
)
def test_a_press_opens_the_page_with_that_box_chosen(graph, node, title, heading):
    app = opened("home", "zh")
    app.session_state[graph] = {"chosen": node}
    app.run()
    assert (app.title[0].value, app.header[0].value) == (title, heading)
    assert app.query_params["node"] == node


def test_a_box_that_is_not_there_leads_nowhere():
    app = opened("home")
    app.session_state["small-concepts"] = {"chosen": "<script>"}
    assert fine(app.run()).title[0].value == "Concept Atlas"


def test_the_machine_is_told_in_one_line():
    (line,) = [caption.value for caption in opened("home").caption]
    assert line.startswith("**This machine** · Computes on: ")
    assert "Threads: " in line
    assert "torch: " in line
