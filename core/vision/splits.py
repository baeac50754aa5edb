"""From a recipe to the three parts of a data set: to learn from, to guide, and to judge at the end."""

import torch
from torch import Tensor

from core import registry
from core.errors import UserError
from core.tasks import Say
from core.vision.pictures import PictureDataset, Pictures, stratified_split
from core.vision.recipe import DATASETS, PictureRecipe


def load_dataset(recipe: PictureRecipe, say: Say = lambda *_: None) -> PictureDataset:
    """The data set that a recipe names, such as "digits" or "folder:PATH"."""
    name, _, argument = recipe.dataset.partition(":")
    module = registry.load(DATASETS, name)
    dataset = module.load(argument, seed=recipe.seed, image_size=recipe.image_size, say=say)
    assert isinstance(dataset, PictureDataset), name
    return dataset


def splits(dataset: PictureDataset, recipe: PictureRecipe) -> tuple[Pictures, Pictures, Pictures]:
    """(train, validation, test): validation is cut from the training part unless the data set brings its own.

    The same recipe gives the same split on every machine. `train_limit` shortens only the training part, so
    that runs with different limits are validated and tested on the same pictures.
    """
    train, validation = dataset.train, dataset.validation
    if validation is None:
        rest, part = stratified_split(train.labels, recipe.validation_share, recipe.seed)
        train, validation = train.take(rest), train.take(part)
    if not len(train) or not len(validation):
        raise UserError("There are too few pictures to learn from: every class needs at least three.")
    if 0 < recipe.train_limit < len(train):
        train = train.take(stratified_sample(train.labels, recipe.train_limit, recipe.seed))
    return train, validation, dataset.test


def stratified_sample(labels: Tensor, count: int, seed: int) -> Tensor:
    """Sorted indices of exactly `count` examples, every class nearly as frequent as in `labels`."""
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(labels), generator=generator)
    # The i-th of n members of a class is placed at (i + 1/2) / n: any beginning of that line is balanced.
    place = torch.empty(len(labels), dtype=torch.float64)
    for label in range(int(labels.max()) + 1):
        members = shuffled[labels[shuffled] == label]
        place[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    order = shuffled[place[shuffled].sort(stable=True).indices]
    return order[:count].sort().values
