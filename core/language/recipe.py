"""What decides how a language model's life goes. Imports no torch: the web process checks recipes too."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from core.errors import UserError
from core.training.recipe import Recipe, setting, shown

NEEDS: dict[str, tuple[str, ...]] = {
    "large-scale-text": (),
    "pre-training": ("large-scale-text",),
    "language-model": ("pre-training",),
    "zero-shot": ("language-model",),
    "few-shot": ("language-model",),
    "full-fine-tuning": ("language-model",),
    "lora": ("language-model",),
    "adaptation": ("zero-shot", "few-shot", "full-fine-tuning", "lora"),
    "continual-learning": ("language-model",),
    "update": ("full-fine-tuning", "lora", "adaptation"),
}
"""The nodes in the order in which they run, each with those whose results it takes."""

FIELDS: dict[str, tuple[str, ...]] = {
    "large-scale-text": ("seed", "documents"),
    "pre-training": ("learning_rate", "smeared_keys"),
    "full-fine-tuning": ("new_task", "tuning_steps", "tuning_rate"),
    "lora": ("new_task", "lora_rank", "lora_matrices", "lora_rate", "compare_ranks"),
    "adaptation": ("new_task", "replay_share"),
    "continual-learning": ("tasks", "sequence_steps", "replay_buffer", "ewc_strength"),
    "update": ("tolerance_name", "tolerance_pick", "tolerance_learnt"),
}
"""Which fields of the recipe a node reads."""

NEW_TASKS = ("[new-a]", "[new-b]", "[new-c]")
MATRICES = ("qkv", "out", "up", "down")
_RUN = re.compile(r"[a-z2-7]{10}|")
_VERSION = re.compile(r"[0-9a-f]{16}|")


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

    documents: int = setting(12_800, "Documents of the word world to pre-train on.", minimum=640, maximum=1_000_000)
    smeared_keys: bool = setting(True, "Mix each key with the one before; without, few-shot hardly appears.")
    new_task: str = setting("[new-a]", "The task that the model is taught after pre-training.", choices=NEW_TASKS)
    tuning_steps: int = setting(80, "Steps of each fine-tuning.", minimum=1, maximum=5_000)
    tuning_rate: float = setting(3e-3, "Learning rate of full fine-tuning.", minimum=1e-7, maximum=10)
    lora_rank: int = setting(4, "Rank of the low-rank change beside each frozen matrix.", minimum=1, maximum=64)
    lora_matrices: str = setting(",".join(MATRICES), "Which matrices of a block get a low-rank change.")
    lora_rate: float = setting(2e-2, "Learning rate of LoRA; it bears a larger one.", minimum=1e-7, maximum=10)
    compare_ranks: bool = setting(False, "Train ranks 1, 2, 4, 8 and 16 beside the chosen one.")
    replay_share: float = setting(0.5, "Share of old documents among the new ones.", minimum=0, maximum=0.9)
    tasks: int = setting(3, "How many new tasks are learnt one after another.", minimum=1, maximum=len(NEW_TASKS))
    sequence_steps: int = setting(45, "Steps of training on each task of the sequence.", minimum=1, maximum=2_000)
    replay_buffer: int = setting(1_024, "Old documents that replay may keep.", minimum=1, maximum=100_000)
    ewc_strength: float = setting(3e3, "How strongly EWC holds on to important weights.", minimum=0, maximum=1e6)
    tolerance_name: float = setting(0.05, "How far “name the category” may fall.", minimum=0, maximum=1)
    tolerance_pick: float = setting(0.05, "How far “pick up from examples” may fall.", minimum=0, maximum=1)
    tolerance_learnt: float = setting(0.05, "How far a task that was learnt later may fall.", minimum=0, maximum=1)
    since: str = setting("", "The run whose life goes on; empty for a new life.")
    nodes: str = setting("", "The nodes to run, with commas between; empty for all.")
    next_round: bool = setting(False, "Begin a new round with the version in use as the base.")
    use: str = setting("", "The version to put into use; empty for none.")

    def __post_init__(self) -> None:
        super().__post_init__()
        _known("nodes", self.nodes, NEEDS)
        _known("lora_matrices", self.lora_matrices, MATRICES)
        if not self.lora_matrices:
            raise UserError("LoRA needs at least one matrix.")
        for name, pattern in (("since", _RUN), ("use", _VERSION)):
            if not pattern.fullmatch(getattr(self, name)):
                raise UserError("{field} must name something of this atlas, not “{value}”.", field=name,
                                value=shown(getattr(self, name)))  # fmt: skip
        if not self.since and (self.nodes or self.next_round or self.use):
            raise UserError("A new life runs all of its nodes; to run some of them, say since which run.")

    @property
    def chosen_nodes(self) -> tuple[str, ...]:
        """The nodes to run, in their order."""
        if self.nodes:
            return tuple(node for node in NEEDS if node in self.nodes.split(","))
        if self.use:
            return ()
        if self.next_round:  # the text has been read and the model pre-trained
            return tuple(NEEDS)[2:]
        return tuple(NEEDS)


def downstream(nodes: Iterable[str]) -> set[str]:
    """All nodes that take, directly or not, the results of these."""
    reached = set(nodes)
    first = set(reached)
    for node, needed in NEEDS.items():  # in the order of running: one pass reaches everything
        if reached & set(needed):
            reached.add(node)
    return reached - first


def _known(field: str, given: str, known: Iterable[str]) -> None:
    for name in filter(None, given.split(",")):
        if name not in known:
            raise UserError("{field} must be one of {choices}, not “{value}”.", field=field, choices=", ".join(known),
                            value=shown(name))  # fmt: skip
