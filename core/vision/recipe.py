"""The recipe of a picture classifier, and the presets a class starts from."""

from dataclasses import dataclass
from typing import Any, ClassVar

from core import registry
from core.errors import UserError
from core.training.recipe import Recipe, setting, shown

DATASETS = "core.vision.datasets"
MODELS = "core.vision.models"


@dataclass(frozen=True, kw_only=True)
class PictureRecipe(Recipe):
    """What to look at, what looks at it, and how pictures are varied while it learns."""

    task: ClassVar[str] = "vision"

    dataset: str = setting("digits", "The pictures to learn from; some take an argument, as in folder:PATH.")
    model: str = setting("small-cnn", "The network that is trained.")
    image_size: int = setting(
        32, "Side in pixels to which your own pictures are resized.", minimum=8, maximum=224
    )
    train_limit: int = setting(
        0, "Use only this many training pictures; 0 means all of them.", minimum=0, maximum=10_000_000
    )
    validation_share: float = setting(
        0.1, "The share of the training pictures kept aside for validation.", minimum=0.01, maximum=0.5
    )
    crop: int = setting(
        0, "Shift each picture at random by up to this many pixels.", minimum=0, maximum=32
    )
    flip: bool = setting(False, "Mirror half of the pictures left to right, at random.")
    cutout: int = setting(
        0, "Blank out a random square of this many pixels a side.", minimum=0, maximum=112
    )

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        # Under 20 seconds on two cores, from click to test accuracy.
        "quick-look": {
            "dataset": "digits", "model": "small-cnn", "optimizer": "adamw", "learning_rate": 0.004,
            "schedule": "cosine", "batch_size": 64, "epochs": 12, "weight_decay": 0.01, "crop": 1,
        },
        # As printed in §5.2: SGD 0.001 with momentum 0.9, ten epochs. It names no batch size; 16 is ours.
        "article": {
            "dataset": "cifar10", "model": "article-net", "optimizer": "momentum", "learning_rate": 0.001,
            "schedule": "constant", "batch_size": 16, "epochs": 10, "keep_best": False,
        },
        "fashion-cpu": {
            "dataset": "fashion-mnist", "model": "small-cnn", "optimizer": "adamw", "learning_rate": 0.01,
            "schedule": "one-cycle", "batch_size": 128, "epochs": 4, "weight_decay": 0.01,
        },
        # He et al. 2015, §4.2, with fewer epochs and one cosine instead of two drops.
        "good-resnet": {
            "dataset": "cifar10", "model": "resnet20", "optimizer": "nesterov", "learning_rate": 0.1,
            "schedule": "one-cycle", "batch_size": 128, "epochs": 30, "weight_decay": 5e-4,
            "crop": 4, "flip": True,
        },
        "overfit": {
            "dataset": "digits", "model": "small-cnn", "optimizer": "adamw", "learning_rate": 0.004,
            "batch_size": 32, "epochs": 60, "train_limit": 60, "keep_best": False,
        },
        "learning-rate-x100": {
            "dataset": "digits", "model": "small-cnn", "optimizer": "adamw", "learning_rate": 0.4,
            "schedule": "cosine", "batch_size": 64, "epochs": 12, "weight_decay": 0.01, "crop": 1,
        },
    }  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_name("dataset", self.dataset.partition(":")[0], DATASETS)
        self._check_name("model", self.model, MODELS)

    @staticmethod
    def _check_name(field: str, name: str, package: str) -> None:
        known = registry.names(package)
        if name not in known:
            raise UserError(
                "{field} must be one of {choices}, not “{value}”.",
                field=field,
                choices=", ".join(known),
                value=shown(name),
            )
