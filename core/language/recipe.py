"""What decides how a language model's life goes. Imports no torch: the web process checks recipes too."""

from dataclasses import dataclass
from typing import Any, ClassVar

from core.training.recipe import Recipe, setting


@dataclass(frozen=True, kw_only=True)
class LanguageRecipe(Recipe):
    """The fields of every training are those of pre-training; the later nodes have their own."""

    task: ClassVar[str] = "language"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "a-minute": {
            "optimizer": "adamw", "learning_rate": 4e-3, "schedule": "one-cycle", "batch_size": 64, "epochs": 1,
            "weight_decay": 0.01, "keep_best": False, "device": "cpu",
        },
    }  # fmt: skip

    documents: int = setting(19_200, "Documents of the word world to pre-train on.", minimum=640, maximum=1_000_000)
    smeared_keys: bool = setting(True, "Mix each key with the one before; without, few-shot hardly appears.")
    tuning_steps: int = setting(120, "Steps of each fine-tuning.", minimum=1, maximum=5_000)
    lora_rank: int = setting(4, "Rank of the low-rank change beside each frozen matrix.", minimum=1, maximum=64)
