"""A text run, by the same loop, folder and events as every other run."""

import math
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
import torch

from core import tasks
from core.errors import UserError
from core.language import texts
from core.language.inside import look
from core.language.text import TextTask, build, learn_text, look_steps
from core.language.text_recipe import TextRecipe
from core.runs import client, index, store
from core.runs.execute import execute
from core.runs.folder import RunFolder
from core.training.weights import read_metadata

pytestmark = pytest.mark.usefixtures("atlas_home")
CPU = torch.device("cpu")
SMALL = TextRecipe.preset(
    "quick", source="stories:en:200:0", layers=1, width=32, context=32, batch_size=16, steps=40, device="cpu"
)


def run_of(recipe, path, stop_at=None):
    folder = RunFolder(path)
    if not folder.recipe_file.exists():
        folder.create(recipe)
    asked = iter(range(10**9))
    return folder, list(execute(folder, pulse=lambda: stop_at is not None and next(asked) >= stop_at))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, atlas_home):
    return run_of(SMALL, tmp_path_factory.mktemp("text") / "run")


def test_it_learns_and_tells_as_it_goes(finished):
    folder, events = finished
    facts = next(e for e in events if e["event"] == "started")
    steps = [e for e in events if e["event"] == "step"]
    looks = [e for e in steps if "sample" in e]
    assert {e["step"] for e in looks} == look_steps(40)
    assert looks[-1]["validation_loss"] < facts["unigram_loss"] < looks[0]["validation_loss"]
    assert looks[0]["validation_loss"] == pytest.approx(facts["uniform_loss"], abs=0.1)
    assert looks[0]["sample"] != looks[-1]["sample"]
    assert len(looks[-1]["sample"]) == 160  # longer than the context
    assert events[-1]["event"] == "finished"
    assert "tokenizer" not in facts
    assert "tokenizer" not in events[-1]
    assert folder.weights_file.exists()


def test_the_weights_know_their_tokens(finished):
    metadata = read_metadata(finished[0].weights_file)
    assert metadata["task"] == "text"
    text = texts.load(SMALL.source)
    assert metadata["tokenizer"]["vocabulary"] == sorted(set(text))
    assert metadata["recipe"]["source"] == SMALL.source


def test_the_guesses_are_those_of_the_text():
    text = "ab" * 900 + "c" * 200
    task = TextTask(replace(SMALL, steps=10), text, CPU)
    assert task.baselines["uniform_loss"] == pytest.approx(math.log(3))
    counts, held_out = Counter(text[:1800]), text[1800:]
    expected = [-math.log((counts[letter] + 1) / (1800 + 3)) for letter in held_out]
    assert task.baselines["unigram_loss"] == pytest.approx(sum(expected) / len(expected), rel=1e-5)
    assert task.characters_per_token == 1
    pieces = TextTask(replace(SMALL, tokens="bpe", vocabulary=32), text, CPU)
    assert pieces.characters_per_token > 2


def test_training_never_sees_what_is_held_back():
    text = "abcdefgh" * 300 + "z" * 250  # the last tenth holds every z
    task = TextTask(SMALL, text, CPU)
    held_back = task.vocabulary.encode("z")[0]
    inputs, targets = task.batch(torch.arange(4000), torch.Generator().manual_seed(0))
    assert inputs.shape == targets.shape == (4000, 32)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    assert not (inputs == held_back).any()
    assert not (targets == held_back).any()
    assert (task.held_out == held_back).any()


def test_stopped_and_resumed_it_ends_as_if_never_stopped(finished, tmp_path):
    folder, events = run_of(SMALL, tmp_path / "run", stop_at=17)
    assert events[-1] == {"event": "stopped", "step": 17}
    assert folder.checkpoint_file.exists()
    _folder, events = run_of(SMALL, tmp_path / "run")
    assert any(e["event"] == "resumed" for e in events)
    told, _size = folder.read_events()
    samples = [e["sample"] for e in told if "sample" in e]
    assert samples == [e["sample"] for e in finished[1] if "sample" in e]
    assert folder.weights_file.read_bytes()[8:].count(b"tokenizer") == 1
    assert events[-1]["test_loss"] == finished[1][-1]["test_loss"]


def test_pieces_of_words_cost_more_each_and_less_a_character(tmp_path):
    _folder, events = run_of(replace(SMALL, tokens="bpe", vocabulary=200), tmp_path / "run")
    facts = next(e for e in events if e["event"] == "started")
    assert facts["characters_per_token"] > 1.5
    assert facts["size"]["vocabulary"] == 200
    assert events[-1]["test_loss"] < facts["unigram_loss"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [({"width": 30, "heads": 4}, "multiple of the heads"), ({"source": "text:nowhere"}, "names no text"),
     ({"tokens": "words"}, "must be one of"), ({"steps": 0}, "at least"), ({"context": 10_000}, "at most"),
     ({"batch_size": 4096, "context": 512}, "GB of memory"),
     ({"batch_size": 1024, "steps": 50_000}, "Steps times batch"),
     ({"epochs": 2}, "at most"), ({"source": "stories:fr:100:0"}, "stories in")],
)  # fmt: skip
def test_a_wrong_recipe_gets_a_sentence(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        TextRecipe.preset("quick", **changes)


def test_a_text_that_is_gone_or_too_small_for_its_tokens_is_told():
    with pytest.raises(UserError, match="not kept"):
        build(replace(SMALL, source="text:" + "0" * 16), CPU)
    with pytest.raises(UserError, match="different characters"):
        build(replace(SMALL, source="stories:zh:200:0", tokens="bpe", vocabulary=64), CPU)
    with pytest.raises(UserError, match="nothing can be held back"):
        TextTask(replace(SMALL, tokens="bpe", vocabulary=32), "ab" * 200, CPU)


def test_a_recipe_survives_json():
    recipe = replace(SMALL, tokens="bpe", source=texts.keep("some text of mine. " * 100))
    assert tasks.recipe_from_json(recipe.to_json()) == recipe


def test_the_queue_trains_it_and_the_model_can_be_looked_into():
    run = store.submit(replace(SMALL, steps=60), owner="anna")
    while store.get(run).active:
        client.ping()
    found = store.get(run)
    assert found.state == "finished", found.error
    assert found.name == "stories:en:200:0 · characters"
    assert "tokenizer" not in str(index.rows("id = ?", run)[0]["finished"])
    seen = look(run, "The cat", count=5)
    assert seen["tokens"] == list("The cat")
    assert len(seen["goes_on"]) == 5
    assert len(seen["likelihoods"]) == 6
    cold = look(run, "The cat", temperature=0.0)["goes_on"]
    assert cold[:3] == look(run, "The cat", temperature=0.0, count=3, seed=7)["goes_on"]
    for prompt, sentence in (
        ("The 🙂 cat é", "🙂é"), ("x" * 9999, "at most 2,000"), ("The cat " * 10, "reads at most 32"),
        ("", "at least one token"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=sentence):
            look(run, prompt)
    with pytest.raises(UserError, match="Temperature"):
        look(run, "The cat", temperature=-1.0)


def test_a_text_is_learnt_by_the_clock():
    *_rest, last = learn_text("the cat sat on the mat. " * 100, 4.0, seed=0)
    assert last["event"] == "finished"
    assert last["validation_loss"] < 2.0
    assert last["bits_per_character"] == pytest.approx(last["validation_loss"] / math.log(2))


def test_the_command_line_learns_a_file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("学而时习之，不亦说乎？" * 120, encoding="gb18030")
    command = [sys.executable, "-m", "core.language", "--text", str(path), "--minutes", "0.05"]
    found = subprocess.run(command, capture_output=True, check=True)
    lines = found.stdout.decode().splitlines()
    assert '"event": "text"' in lines[0]
    assert '"event": "finished"' in lines[-1]
