"""The logits that a trained network gives to a picture of its test part."""

from functools import lru_cache
from typing import Any

import torch

from core.errors import UserError
from core.runs import store
from core.vision.classification import load_classifier
from core.vision.pictures import PictureDataset
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset


def picture_logits(run: str, index: int, most: int = 10) -> dict[str, Any]:
    """What a finished run says of test picture `index`, which counts from 0 and begins again at the end.

    {"classes": names, "logits": list of K, "true": the place of the true class among them, "picture": (H,W,C) uint8}.
    Of more than `most` classes those with the largest logits are kept, and the true one.
    Raises `UserError` when the run or its data are not there.
    """
    classifier = load_classifier(run)
    recipe = store.get(run).recipe
    assert isinstance(recipe, PictureRecipe)  # load_classifier has looked
    pictures = _dataset(PictureRecipe(dataset=recipe.dataset, seed=recipe.seed, image_size=recipe.image_size)).test
    if not len(pictures):
        raise UserError("The data of this run have no test pictures.")
    image = pictures.at(torch.tensor([index % len(pictures)]))[0]
    true = int(pictures.labels[index % len(pictures)])
    with torch.no_grad():
        logits = classifier.logits(image[None].float().div(255))[0]
    kept = sorted({true, *logits.topk(min(most, len(logits))).indices.tolist()[: most - 1]})
    if len(logits) <= most:
        kept = list(range(len(logits)))
    return {
        "classes": [classifier.classes[k] for k in kept],
        "logits": [round(float(logits[k]), 4) for k in kept],
        "true": kept.index(true),
        "picture": image.permute(1, 2, 0).numpy(),
    }


@lru_cache(maxsize=2)
def _dataset(recipe: PictureRecipe) -> PictureDataset:
    return load_dataset(recipe)
