"""The pages of a language model's life: one short life, looked at, gone on with, rolled back."""

import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.components import life_page
from app.components.life import MEASURED
from core.errors import UserError
from core.language.recipe import NEEDS, LanguageRecipe, downstream
from core.runs import client, store
from core.runs.folder import RunFolder
from tests.app.opening import charts, opened, said

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
PAGES = [
    ("fine-tuning", {}), ("fine-tuning", {"part": "lora"}), ("fine-tuning", {"part": "both"}), ("prompting", {}),
    ("prompting", {"part": "shots"}), ("prompting", {"part": "twin"}), ("adaptation", {}), ("continual-learning", {}),
    ("model-update", {}), ("model-update", {"part": "tree"}), ("model-update", {"part": "compare"}),
]  # fmt: skip
SHORT = {"documents": 640, "tuning_steps": 2, "sequence_steps": 2}


def ended(run: str) -> store.Run:
    deadline = time.monotonic() + 250
    while (found := store.get(run)).active and time.monotonic() < deadline:
        time.sleep(0.3)
    assert found.state == "finished", found.error
    return found


@pytest.fixture(scope="module")
def life() -> str:
    """A life too short to learn much, but every node has run."""
    return ended(store.submit(LanguageRecipe.preset("a-minute", **SHORT))).id


@pytest.fixture(scope="module")
def promoted() -> str:
    """A life whose gate lets everything through."""
    open_gate = {"tolerance_name": 1, "tolerance_pick": 1, "tolerance_learnt": 1}
    return ended(store.submit(LanguageRecipe.preset("a-minute", **SHORT, **open_gate))).id


def told(run: str) -> tuple[dict, dict]:
    """What its nodes have measured, and where the life stands."""
    events = store.get(run).folder.read_events()[0]
    lives = [event for event in events if event["event"] == "life"]
    return {event["node"]: event for event in events if event["event"] == "node"}, lives[-1]


def test_what_a_run_says_is_read_once_for_each_state_of_it(tmp_path, monkeypatch):
    folder, reads = RunFolder(tmp_path), []
    read = RunFolder.read_events

    def counted(self: RunFolder, offset: int = 0) -> tuple[list[dict], int]:
        reads.append(offset)
        return read(self, offset)

    monkeypatch.setattr(RunFolder, "read_events", counted)
    run = SimpleNamespace(folder=folder)
    assert not life_page.told(run).done
    assert reads == []
    folder.append_event({"event": "node", "node": "lora"})
    assert [list(life_page.told(run).done) for _ in range(3)] == [["lora"]] * 3
    assert len(reads) == 1
    folder.append_event({"event": "node", "node": "update"})
    assert list(life_page.told(run).done) == ["lora", "update"]
    folder.truncate_events(0)
    assert not life_page.told(run).done


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("slug", "parameters"), PAGES, ids=str)
def test_every_part_opens(life, slug, parameters, language):
    app = opened(slug, language, run=life, **parameters)
    assert not app.exception
    assert not app.error
    gate = ("rejected", "拒绝", "未通过")  # what the gate says of a candidate is no fault of the page
    assert all(any(word in warning.value for word in gate) for warning in app.warning)


def test_a_node_runs_again_and_what_follows_is_out_of_date(life):
    app = opened("fine-tuning", run=life, part="lora", lora_rank="2")
    app.button(key="again-lora").click().run()
    assert not app.exception
    run = app.query_params["run"]
    assert run != life
    recipe = ended(run).recipe
    assert (recipe.nodes, recipe.since, recipe.lora_rank) == ("lora", life, 2)
    before, now = told(life)[0], told(run)[0]
    assert now["lora"]["rank"] == 2
    assert not now["lora"].get("kept")
    assert {node for node, event in now.items() if event.get("stale")} == downstream(["lora"])
    assert now["continual-learning"]["methods"] == before["continual-learning"]["methods"]
    assert told(life)[0]["lora"]["rank"] == 4  # the run it goes on from is as it was
    assert "Out of date" in opened("adaptation", run=run).warning[0].value
    assert opened("pipeline", run=run, node="model-update").button(key="again")


def test_the_twin_without_smeared_keys_is_on_the_same_chart(life):
    app = opened("prompting", run=life, part="twin")
    next(button for button in app.button if "twin" in button.label).click().run()
    ended(app.query_params["run"])
    page = opened("prompting", run=app.query_params["run"], part="twin", **{"with": life})
    traces = charts(page)[0]["data"]
    assert "no smeared keys" not in traces[0]["name"]
    assert sum("error_y" in trace for trace in traces) == 4


def test_a_promoted_version_becomes_the_base_of_the_next_round(promoted):
    first = told(promoted)[1]
    app = opened("model-update", run=promoted, part="tree")
    app.button(key="next-round").click().run()
    run = ended(app.query_params["run"])
    nodes, now = told(run.id)
    assert now["round"] == 2
    assert now["base"] == first["current"] != first["base"]
    assert run.recipe.new_task == "[new-b]"
    assert nodes["language-model"]["weights"] == now["base"]
    assert "[new-a]" in nodes["update"]["before"]
    assert set(first["known"]) < set(now["known"])
    pipeline = opened("pipeline", run=run.id)
    assert "Round 2" in "".join(caption.value for caption in pipeline.caption)


def test_rolling_back_trains_nothing(promoted):
    life = told(promoted)[1]
    app = opened("model-update", run=promoted, part="tree", version=life["base"])
    next(button for button in app.button if button.label == "Go back to this version").click().run()
    run = ended(app.query_params["run"])
    nodes, now = told(run.id)
    assert now["current"] == life["base"]
    assert all(event["kept"] for event in nodes.values())
    assert not any(event["stale"] for event in nodes.values())
    look = opened("model-update", run=run.id, part="tree")
    assert look.button(key="next-round").disabled


def test_two_versions_answer_one_prompt(promoted):
    life = told(promoted)[1]
    versions = [life["base"], life["current"]]
    answers = client.call("core.language.ask:ask", run=promoted, prompt="[new-a] cat", versions=versions)
    assert [answer["version"] for answer in answers] == versions
    assert all(answer["before"] == answer["after"] == answer["version"] for answer in answers)
    assert answers[0]["best"] != answers[1]["best"]


@pytest.mark.parametrize("prompt", ["", "🙂", "[name] cat **nothing**", "cat " * 60, "<script>alert(1)</script>"])
def test_a_prompt_it_cannot_read_gets_a_sentence(life, prompt):
    app = opened("prompting", run=life, prompt=prompt)
    assert not app.exception
    assert len(app.error) == 1


def test_bad_links_get_a_sentence(life):
    for page in ({"run": "../../etc"}, {"run": life, "lora_rank": "100", "part": "lora"}, {"run": life, "tasks": "x"},
                 {"run": life, "part": "nothing"}):  # fmt: skip
        slug = "continual-learning" if "tasks" in page else "fine-tuning"
        app = opened(slug, **page)
        assert not app.exception
        assert app.warning
    assert "no version of that name" in opened("model-update", run=life, part="tree", version="x").warning[0].value


@pytest.mark.parametrize(
    "wrong",
    [{"tasks": 100}, {"lora_rank": 65}, {"lora_matrices": "qkv,nothing"}, {"lora_matrices": ""}, {"nodes": "lora"},
     {"since": "../../../etc"}, {"use": "0" * 16}, {"since": "a" * 10, "nodes": "nothing"}, {"replay_share": 1}],
)  # fmt: skip
def test_a_wrong_recipe_gets_a_sentence(wrong):
    with pytest.raises(UserError):
        LanguageRecipe.preset("a-minute", **wrong)


def test_a_life_whose_beginning_is_gone_says_so(life):
    gone = store.submit(replace(store.get(life).recipe, since="a" * 10, nodes="lora"))
    deadline = time.monotonic() + 60
    while store.get(gone).active and time.monotonic() < deadline:
        time.sleep(0.3)
    assert store.get(gone).state == "failed"
    assert "deleted" in str(store.get(gone).error)
    assert "deleted" in opened("fine-tuning", run=gone).error[0].value


def test_an_interrupted_life_goes_on_with_the_node_it_was_in():
    run = store.submit(LanguageRecipe.preset("a-minute", **SHORT | {"sequence_steps": 80}))
    deadline = time.monotonic() + 200
    while "lora" not in told_early(run) and time.monotonic() < deadline:
        time.sleep(0.2)
    store.stop(run)
    while store.get(run).active and time.monotonic() < deadline:
        time.sleep(0.2)
    assert store.get(run).state == "stopped"
    before = told_early(run)
    states = opened("pipeline", run=run)
    assert not states.exception
    store.resume(run)
    nodes, _life = told(ended(run).id)
    assert {node: event["seconds"] for node, event in nodes.items() if node in before} == {
        node: event["seconds"] for node, event in before.items()
    }
    assert not any(event.get("kept") for event in nodes.values())
    assert len(nodes) == 10


def told_early(run: str) -> dict:
    return {event["node"]: event for event in store.get(run).folder.read_events()[0] if event["event"] == "node"}


def test_every_step_is_measured_by_nodes_that_there_are():
    assert {node for nodes in MEASURED.values() for node in nodes} == set(NEEDS)
    assert "Teach your model" in said(opened("fine-tuning"))
