"""The language model: its arithmetic against a plain reference, its life from the real engine."""

import copy
import json
import math
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from core.errors import UserError
from core.language import world
from core.language.continual import ewc_penalty, fisher
from core.language.generate import distribution, generate, log_likelihoods
from core.language.life import Life, live
from core.language.lora import add_lora, merge_lora, switch
from core.language.model import LanguageModel, Size
from core.language.nodes import NODES
from core.language.recipe import LanguageRecipe
from core.language.skills import weights_hash, wilson
from core.language.training import train, tuning
from core.language.update import Version, Versions


def small_model(smeared_keys=True, context=36):
    torch.manual_seed(3)
    model = LanguageModel(Size(len(world.VOCABULARY), context, 32, 4, 2, smeared_keys))
    with torch.no_grad():
        for parameter in model.parameters():  # away from the beginning, where much is zero
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.double()


def tokens(rows=3, length=17, seed=0):
    return torch.randint(len(world.VOCABULARY), (rows, length), generator=torch.Generator().manual_seed(seed))


def reference(model, ids):
    """The same model once more, written with torch's own attention and one head at a time."""
    x = model.tokens.weight[ids] + model.positions.weight[: ids.shape[1]]
    for block in model.blocks:
        q, k, v = F.linear(F.layer_norm(x, x.shape[-1:], block.norm1.weight, block.norm1.bias),
                           block.attention.qkv.weight, block.attention.qkv.bias).chunk(3, 2)  # fmt: skip
        heads = []
        for head in range(model.size.heads):
            part = slice(head * 8, head * 8 + 8)
            keys = k[..., part]
            if block.attention.smear is not None:
                share = torch.sigmoid(block.attention.smear[head, 0, 0])
                shifted = F.pad(keys, (0, 0, 1, 0))[:, :-1]
                keys = (1 - share) * keys + share * shifted
            heads.append(F.scaled_dot_product_attention(q[..., part], keys, v[..., part], is_causal=True))
        x = x + F.linear(torch.cat(heads, 2), block.attention.out.weight, block.attention.out.bias)
        y = F.layer_norm(x, x.shape[-1:], block.norm2.weight, block.norm2.bias)
        x = x + F.linear(F.gelu(F.linear(y, block.up.weight, block.up.bias)), block.down.weight, block.down.bias)
    return F.linear(F.layer_norm(x, x.shape[-1:], model.norm.weight, model.norm.bias), model.head.weight)


@pytest.mark.parametrize("smeared", [True, False])
def test_the_model_is_the_reference(smeared):
    model = small_model(smeared)
    torch.testing.assert_close(model(tokens()), reference(model, tokens()))


@pytest.mark.parametrize("smeared", [True, False])
def test_a_later_token_changes_no_earlier_output(smeared):
    model, ids = small_model(smeared), tokens()
    changed = ids.clone()
    changed[:, 9] = (changed[:, 9] + 1) % len(world.VOCABULARY)
    before, after = model(ids), model(changed)
    assert torch.equal(before[:, :9], after[:, :9])
    assert not torch.allclose(before[:, 9:], after[:, 9:])


@pytest.mark.parametrize("smeared", [True, False])
def test_the_cache_gives_the_same_logits(smeared):
    model, ids = small_model(smeared), tokens()
    whole, cache, parts = model(ids), None, []
    for place in (slice(0, 5), slice(5, 6), slice(6, 13), slice(13, 17)):
        logits, cache = model.with_cache(ids[:, place], cache)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole)


def test_looking_inside_ends_in_the_logits():
    model, ids = small_model(), tokens()
    attention, guesses = model.look_inside(ids)
    torch.testing.assert_close(guesses[-1], model(ids))
    assert len(attention) == 2
    torch.testing.assert_close(attention[0].sum(3), torch.ones(3, 4, 17, dtype=torch.float64))


def test_generation_with_and_without_cache_is_the_same():
    model, prompt = small_model(), [1, 2, 3]
    with_cache = generate(model, prompt, 15, temperature=0.9, top_k=20, top_p=0.9, seed=5)
    assert with_cache == generate(model, prompt, 15, temperature=0.9, top_k=20, top_p=0.9, seed=5, use_cache=False)
    assert with_cache != generate(model, prompt, 15, temperature=0.9, top_k=20, top_p=0.9, seed=6)


def test_temperature_zero_takes_the_best():
    model = small_model()
    assert generate(model, [4], 1, temperature=0) == [int(model(torch.tensor([[4]]))[0, -1].argmax())]


def test_top_k_and_top_p_cut():
    logits = torch.tensor([4.0, 3.0, 2.0, 1.0]).log()
    assert distribution(logits).tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert distribution(logits, top_k=2).tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert distribution(logits, top_p=0.65).tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert distribution(logits, top_p=0.01).tolist() == pytest.approx([1, 0, 0, 0])
    assert distribution(logits, temperature=0.5).tolist() == pytest.approx([16 / 30, 9 / 30, 4 / 30, 1 / 30])


@pytest.mark.parametrize(
    ("prompt", "settings"),
    [([], {}), ([1] * 30, {}), ([1], {"temperature": -1}), ([1], {"temperature": math.nan}), ([1], {"top_p": 0}),
     ([1], {"top_k": -1})],
)  # fmt: skip
def test_what_cannot_be_generated_gets_a_sentence(prompt, settings):
    with pytest.raises(UserError):
        generate(small_model(), prompt, 10, **settings)


def test_likelihoods_are_those_of_the_model():
    model, row = small_model(), tokens(1, 8)[0].tolist()
    expected = -F.cross_entropy(model(torch.tensor([row]))[0, :-1], torch.tensor(row[1:]), reduction="none")
    assert log_likelihoods(model, row) == pytest.approx(expected.tolist())


def trained_adapters(rank=4):
    model = small_model()
    base = copy.deepcopy(model)
    adapters = add_lora(model, rank)
    with torch.no_grad():
        for adapter in adapters:
            adapter.double()
            adapter.b.normal_()
    return model, base, adapters


def test_lora_begins_as_the_base_and_off_restores_it():
    model, base, adapters = trained_adapters()
    assert not torch.allclose(model(tokens()), base(tokens()))
    switch(adapters, False)
    assert torch.equal(model(tokens()), base(tokens()))
    fresh = copy.deepcopy(base)
    add_lora(fresh.float(), 4)
    assert torch.equal(fresh(tokens()), base.float()(tokens()))


def test_merged_lora_is_the_same_model():
    model, _base, adapters = trained_adapters()
    before = model(tokens())
    assert len(adapters) == 8
    merge_lora(model)
    torch.testing.assert_close(model(tokens()), before)
    assert not any("base" in name for name, _ in model.named_parameters())


def test_lora_trains_the_adapters_only():
    model = small_model().float()
    frozen = {name: p.clone() for name, p in model.named_parameters()}
    add_lora(model, 2)
    documents = world.new_documents("[new-a]", 64, torch.Generator().manual_seed(0))
    train(model, documents, documents, tuning(0, 1e-2))
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert 0 < trained < sum(p.numel() for p in model.parameters()) / 5
    changed = dict(model.named_parameters())
    for name, value in frozen.items():
        now = changed[name] if name in changed else changed[name.replace(".weight", ".base.weight").replace(
            ".bias", ".base.bias")]  # fmt: skip
        assert torch.equal(now, value), name


@pytest.mark.parametrize("rank", [0, -1, 33, 10**6])
def test_a_rank_out_of_range_gets_a_sentence(rank):
    with pytest.raises(UserError):
        add_lora(small_model(), rank)


def test_fisher_is_the_mean_square_of_each_gradient():
    model, documents = small_model(), tokens(4, 9)
    found = fisher(model, documents)
    names, parameters = zip(*model.named_parameters(), strict=True)
    expected = [torch.zeros_like(p) for p in parameters]
    for document in documents:
        log_likelihood = sum(model(document[None, :-1])[0].log_softmax(1)[i, t] for i, t in enumerate(document[1:]))
        for total, gradient in zip(expected, torch.autograd.grad(log_likelihood, parameters), strict=True):
            total.add_(gradient**2 / 4)
    for name, value in zip(names, expected, strict=True):
        torch.testing.assert_close(found[name], value)


def test_the_penalty_holds_on_to_the_weights():
    model, documents = small_model(), tokens(2, 9)
    penalty = ewc_penalty(model, documents, strength=2.0)
    assert penalty(model).item() == 0
    importance = fisher(model, documents)["head.weight"] / 9
    with torch.no_grad():
        model.head.weight += 0.5
    assert penalty(model).item() == pytest.approx(float((importance * 0.25).sum()))


def test_the_world_keeps_its_rules():
    generator = torch.Generator().manual_seed(0)
    assert len(set(world.VOCABULARY)) == len(world.VOCABULARY) == 65
    for unseen in (False, True):
        for document in world.pick_documents(200, generator, unseen).tolist():
            labelled = zip(document[1::2], document[2::2], strict=True)
            pairs = {(word // 12, label - world.FIRST_SYMBOL) for word, label in labelled}
            assert len({category for category, _ in pairs}) == len(pairs) <= 2
            assert all(world.never_together(*pair) == unseen for pair in pairs)
    for task in world.NEW_TASKS:
        assert not any(world.never_together(c, s) for c, s in enumerate(world.MAPPINGS[task]))


@pytest.mark.parametrize("per_class", [0, 1, 2, 4, 8])
def test_prompts_show_every_class_and_ask_one(per_class):
    questions, answers = world.prompts(100, per_class, torch.Generator().manual_seed(1))
    assert questions.shape == (100, 2 + 4 * per_class)
    for row, answer in zip(questions.tolist(), answers.tolist(), strict=True):
        told = dict(zip([w // 12 for w in row[1:-1:2]], row[2::2], strict=True))
        assert len(told) == (2 if per_class else 0)
        assert not told or told[row[-1] // 12] == answer


def test_wilson_interval():
    measured = wilson(10, 10)
    assert (measured.accuracy, measured.high) == (1, pytest.approx(1))
    assert measured.low == pytest.approx(0.7225, abs=1e-3)  # Wilson 1927


def test_the_gate_says_which_skill_fell_and_can_go_back():
    versions = Versions()
    tolerance = {"name": 0.05, "pick": 0.2, "learnt": 0.0}
    versions.first(Version("a", None, {"name": 1.0, "pick": 0.9, "[new-a]": 1.0}))
    known = {"name": 1.0, "pick": 0.9, "[new-a]": 1.0}
    assert versions.propose(Version("b", "a", known | {"name": 0.2, "pick": 0.75}), tolerance) == {
        "name": pytest.approx(0.8)}  # fmt: skip
    assert versions.current == "a"
    assert versions.propose(Version("d", "a", known | {"[new-a]": 0.99}), tolerance) == {
        "[new-a]": pytest.approx(0.01)}  # fmt: skip
    assert versions.propose(Version("c", "a", known | {"name": 0.97}), tolerance) == {}
    assert versions.current == "c"
    assert versions.roll_back() == "a"
    with pytest.raises(UserError):
        versions.roll_back()
    with pytest.raises(UserError):
        versions.propose(Version("e", "nobody", {}), tolerance)
    assert set(versions.rejected) == {"b", "d"}
    versions.use("b")
    assert Versions.from_json(json.loads(json.dumps(versions.to_json()))) == versions
    with pytest.raises(UserError):
        versions.use("nobody")


@pytest.fixture(scope="module")
def life():
    """The whole loop once, by the real command."""
    found = subprocess.run([sys.executable, "-m", "core.language", "--seed", "2"], capture_output=True, check=True)
    return {event["node"]: event for event in map(json.loads, found.stdout.splitlines())}


def test_the_life_reaches_its_figures(life):
    assert list(life) == ["large-scale-text", "pre-training", "language-model", "zero-shot", "few-shot",
                          "full-fine-tuning", "lora", "adaptation", "continual-learning", "update"]  # fmt: skip
    for node in ("zero-shot", "few-shot", "full-fine-tuning", "lora", "adaptation"):
        assert life[node]["accuracy"] >= 0.95, node
    assert life["pre-training"]["validation_loss"] < life["large-scale-text"]["unigram_loss"]
    assert life["few-shot"]["by_examples_per_class"]["0"] < 0.4
    for node in ("zero-shot", "few-shot"):
        assert life[node]["weights_before"] == life[node]["weights_after"] == life["language-model"]["weights"]


def test_fine_tuning_forgets_and_replay_does_not(life):
    assert min(life["full-fine-tuning"]["old_skills"].values()) < 0.5
    assert min(life["adaptation"]["old_skills"].values()) >= 0.9
    assert min(life["continual-learning"]["old_skills"].values()) >= 0.9
    methods = life["continual-learning"]["methods"]
    assert methods["fine-tuning"]["forgetting"] > 0.5 > methods["replay"]["forgetting"]
    assert methods["lora"]["forgetting"] == 0


def test_lora_stores_little_and_off_is_the_base(life):
    assert life["lora"]["share_trained"] < 0.1
    assert life["lora"]["off_is_the_base"]
    assert min(life["lora"]["old_skills_when_off"].values()) >= 0.95


def test_the_gate_promotes_what_forgets_nothing(life):
    assert life["update"]["in_use"] == "replay"
    assert not life["update"]["candidates"]["full-fine-tuning"]["promoted"]


def test_the_same_seed_gives_the_same_weights():
    recipe = LanguageRecipe.preset("a-minute", seed=4, documents=1280)

    def weights():
        events = live(Life(recipe, torch.device("cpu")), NODES)
        return next(e["weights"] for e in events if e["event"] == "node" and e["node"] == "language-model")

    assert weights() == weights()


def test_bad_options_are_told_in_a_line():
    for options in (["--seed", "-1"], ["--minutes", "0"], ["--text", "no-such-file.txt"]):
        found = subprocess.run([sys.executable, "-m", "core.language", *options], capture_output=True, check=False)
        assert found.returncode == 2
        assert len(found.stderr.splitlines()) == 1
        assert not found.stdout


def test_the_hash_sees_a_single_bit():
    model = small_model()
    before = weights_hash(model)
    with torch.no_grad():
        model.head.weight[0, 0] = model.head.weight[0, 0].nextafter(torch.tensor(9.0, dtype=torch.float64))
    assert weights_hash(model) != before
