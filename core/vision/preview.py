"""What a recipe would learn from, before it does: sample pictures, class counts, the sizes of the parts."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch

from core.vision.pictures import PictureDataset
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset, splits

SAMPLES = 30


def dataset_preview(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Plain facts about the data of a recipe, given as a mapping of its fields.

    {"name", "version", "source", "skipped", "classes", "input_shape", "counts": {part: pictures of each class},
    "samples": (n,H,W,C) uint8 of the training part, classes in turn, "sample_labels": list of n}.
    Raises `UserError` when the data is not there.
    """
    checked = PictureRecipe.from_mapping(recipe)
    # A folder's files may change while this process lives, and the folder loader has a cache that sees it.
    load = load_dataset if checked.dataset.startswith("folder:") else _loaded
    dataset = load(PictureRecipe(dataset=checked.dataset, seed=checked.seed, image_size=checked.image_size))
    parts = dict(zip(("train", "validation", "test"), splits(dataset, checked), strict=True))
    classes = len(dataset.classes)
    labels = parts["train"].labels
    members = [(labels == label).nonzero().flatten().tolist() for label in range(classes)]
    rounds = range(max(map(len, members)))
    chosen = [group[turn] for turn in rounds for group in members if turn < len(group)][:SAMPLES]
    sample = parts["train"].take(torch.tensor(chosen))
    return {
        "name": dataset.name,
        "version": dataset.version,
        "source": dataset.source,
        "skipped": dataset.skipped,
        "classes": list(dataset.classes),
        "input_shape": list(dataset.input_shape),
        "counts": {
            part: torch.bincount(pictures.labels, minlength=classes).tolist() for part, pictures in parts.items()
        },
        "samples": sample.images.permute(0, 2, 3, 1).contiguous().numpy(),
        "sample_labels": sample.labels.tolist(),
    }


@lru_cache(maxsize=3)
def _loaded(recipe: PictureRecipe) -> PictureDataset:
    return load_dataset(recipe)
