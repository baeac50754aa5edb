"""Our LoRA against peft's, with the same numbers in both: the extra ``llm`` brings peft."""

import copy

import pytest
import torch

from core.language.lora import LowRank, add_lora, merge_lora
from core.language.model import LanguageModel, Size

peft = pytest.importorskip("peft", reason="peft is not installed: pip install -e '.[llm]'", exc_type=ImportError)

MATRICES = ("qkv", "out", "up", "down")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("rank", "alpha"), [(1, 1.0), (4, 8.0), (8, 4.0)])
def test_the_same_numbers_give_the_same_logits(rank, alpha):
    torch.manual_seed(0)
    model = LanguageModel(Size(65, width=32, heads=4)).double()
    tokens = torch.randint(65, (3, 17))
    theirs = peft.get_peft_model(
        copy.deepcopy(model), peft.LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(MATRICES))
    )
    ours = copy.deepcopy(model)
    adapters = add_lora(ours, rank, alpha, MATRICES)
    named = {name: adapter for name, adapter in ours.named_modules() if isinstance(adapter, LowRank)}
    assert len(named) == len(adapters) == sum(hasattr(layer, "lora_A") for layer in theirs.modules()) == 8
    with torch.no_grad():
        for name, adapter in named.items():
            layer = theirs.get_submodule(f"base_model.model.{name}")
            assert torch.equal(adapter.base.weight, layer.base_layer.weight)
            layer.lora_A["default"].weight.normal_()
            layer.lora_B["default"].weight.normal_()
            adapter.double()
            adapter.a.copy_(layer.lora_A["default"].weight)
            adapter.b.copy_(layer.lora_B["default"].weight)
        torch.testing.assert_close(ours(tokens), theirs(tokens))
        assert not torch.allclose(ours(tokens), model(tokens))
        merge_lora(ours)
        merged = theirs.merge_and_unload()
        torch.testing.assert_close(ours(tokens), merged(tokens))
        for (name, mine), (_name, other) in zip(ours.named_parameters(), merged.named_parameters(), strict=True):
            torch.testing.assert_close(mine, other, msg=name)
