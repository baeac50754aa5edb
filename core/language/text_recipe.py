"""What decides how a model of a text is trained. Imports no torch: the web process checks recipes too."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from core.errors import UserError
from core.language import texts
from core.training.recipe import Recipe, setting

MOST_BYTES_A_STEP = 4e9
MOST_WINDOWS = 20_000_000  # of a whole run: their order lies in memory


@dataclass(frozen=True, kw_only=True)
class TextRecipe(Recipe):
    """A text, what is taken for a token, and the size of the transformer that learns to go on with it."""

    task: ClassVar[str] = "text"
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "quick": {
            "optimizer": "adamw", "learning_rate": 4e-3, "schedule": "one-cycle", "batch_size": 32,
            "weight_decay": 0.01, "keep_best": False, "device": "auto",
        },
        # What two cores make of a book in three minutes; ``--text`` of the command line finds the steps itself.
        "three-minutes": {
            "optimizer": "adamw", "learning_rate": 3e-3, "schedule": "one-cycle", "batch_size": 32,
            "weight_decay": 0.01, "keep_best": False, "device": "cpu", "layers": 4, "width": 128, "heads": 4,
        },
    }  # fmt: skip

    epochs: int = setting(1, "A text is counted in steps, not in passes: always 1.", minimum=1, maximum=1)
    source: str = setting(
        "stories:en:4000:0", "The text: stories:LANGUAGE:COUNT:SEED, or text:DIGEST of one that was kept."
    )  # fmt: skip
    tokens: str = setting(
        "characters", "What is read and written at once: a character, or pieces of words found by byte-pair encoding.",
        choices=("characters", "bpe"),
    )  # fmt: skip
    vocabulary: int = setting(512, "How many tokens byte-pair encoding may make.", minimum=32, maximum=8192)
    layers: int = setting(2, "Blocks of attention and perceptron, one after the other.", minimum=1, maximum=12)
    width: int = setting(64, "Numbers that stand for a token between two blocks.", minimum=8, maximum=512)
    heads: int = setting(4, "Heads of attention in each block; they share the width.", minimum=1, maximum=16)
    context: int = setting(64, "How many tokens the model sees at once.", minimum=8, maximum=512)
    smeared_keys: bool = setting(True, "Mix each key with the one before; without, few-shot hardly appears.")
    steps: int = setting(600, "Steps of training.", minimum=10, maximum=100_000)

    def __post_init__(self) -> None:
        super().__post_init__()
        texts.check(self.source)
        if self.width % self.heads:
            raise UserError("The width, {width}, must be a multiple of the heads, {heads}.",
                            width=self.width, heads=self.heads)  # fmt: skip
        if self.bytes_a_step > MOST_BYTES_A_STEP:
            raise UserError(
                "A step of this size takes about {given} GB of memory. Make the batch, the context or the model "
                "smaller.",
                given=math.ceil(self.bytes_a_step / 1e9),
            )
        if self.steps * self.batch_size > MOST_WINDOWS:
            raise UserError("Steps times batch size is at most {maximum}. Make one of them smaller.",
                            maximum=f"{MOST_WINDOWS:,}")  # fmt: skip

    @property
    def bytes_a_step(self) -> float:
        """About what a step keeps for the way back: of each layer the attention twice, and sixteen widths a token."""
        tokens = self.batch_size * self.context
        return 4.0 * self.layers * tokens * (2 * self.heads * self.context + 16 * self.width)
