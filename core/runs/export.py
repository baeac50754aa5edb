"""A run as one PyTorch script that needs nothing of this project: the very functions that ran, and a plain loop.

Imports no torch: the functions are cut out of their files as text.
"""

import ast

from core.source import definition, source
from core.vision.recipe import MODELS, PictureRecipe

# What the script is made of, in the order in which it is defined.
PARTS = {
    "core.vision.pictures": ("_sorted", "stratified_split"),
    "core.vision.splits": ("stratified_sample",),
    "core.vision.augmentation": ("random_move", "random_cutout"),
    "core.vision.network": ("Normalisation", "PictureNetwork"),
    "core.training.optimizers": ("make_optimizer", "learning_rate_at"),
}


def script(recipe: PictureRecipe) -> str | None:
    """The script of a recipe, or None for a data set that it could not load by itself (all but the digits)."""
    if recipe.dataset != "digits":
        return None
    parts = [_cut(module, names) for module, names in PARTS.items()]
    values = "\n".join(f"    {name}={value!r}," for name, value in recipe.to_mapping().items())
    model = _model(f"{MODELS}.{recipe.model.replace('-', '_')}")
    return "\n\n".join([_HEAD, f"recipe = Recipe(\n{values}\n)", *parts, model, _LOOP])


def _model(module: str) -> str:
    """The source of a model without its imports, behind that of the shared pieces it imports."""
    tree = ast.parse(source(module))
    shared = [
        node.module
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{MODELS}._")
    ]
    return "\n\n\n".join([*(_model(name) for name in shared), _without_imports(module)])


def _without_imports(module: str) -> str:
    text = source(module)
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    return "\n".join(lines).strip()


def _cut(module: str, names: tuple[str, ...]) -> str:
    """The source of some functions and classes of a module."""
    return "\n\n\n".join(definition(module, name)[1] for name in names)


_HEAD = '''"""One training run as a plain PyTorch script. Needs torch and scikit-learn: python train.py"""

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace as Recipe
from typing import cast

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F


class UserError(ValueError):
    def __init__(self, message, **values):
        super().__init__(message.format(**values))
'''

_LOOP = '''
# 1. Data: 8x8 digits; a fifth for the test, a part of the rest for validation.
packed = load_digits()
images = (torch.from_numpy(packed.images) * 255 / 16).round().to(torch.uint8).unsqueeze(1)  # (N,1,8,8)
labels = torch.from_numpy(packed.target).long()
rest, test = stratified_split(labels, 0.2, recipe.seed)
train, validation = (rest[part] for part in stratified_split(labels[rest], recipe.validation_share, recipe.seed))
if 0 < recipe.train_limit < len(train):
    train = train[stratified_sample(labels[train], recipe.train_limit, recipe.seed)]

# 2. Model and 3. initialisation.
torch.manual_seed(recipe.seed)
model = PictureNetwork(build((1, 8, 8), 10), channels=1)
model.normalisation.fit(images[train])
optimizer = make_optimizer(model, recipe)


@torch.no_grad()
def evaluate(part):
    """(loss, accuracy) on the examples of a part."""
    model.eval()
    logits = model(images[part].float() / 255)
    model.train()
    return F.cross_entropy(logits, labels[part]).item(), (logits.argmax(1) == labels[part]).float().mean().item()


# 4. Training and 5. validation.
order_generator = torch.Generator().manual_seed(recipe.seed)
variation_generator = torch.Generator().manual_seed(recipe.seed + 1)
steps_per_epoch = -(-len(train) // recipe.batch_size)
rate_at = learning_rate_at(recipe, steps_per_epoch * recipe.epochs)
step, best, best_weights, lowest, stale = 0, -1.0, None, float("inf"), 0
for epoch in range(recipe.epochs):
    for batch in torch.randperm(len(train), generator=order_generator).split(recipe.batch_size):
        x, y = images[train[batch]], labels[train[batch]]
        if recipe.crop or recipe.flip:
            x = random_move(x, recipe.crop, recipe.flip, variation_generator)
        if recipe.cutout:
            x = random_cutout(x, recipe.cutout, variation_generator)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x.float() / 255), y, label_smoothing=recipe.label_smoothing)
        loss.backward()
        optimizer.step()
        step += 1
    validation_loss, accuracy = evaluate(validation)
    print(f"epoch {epoch + 1}: validation loss {validation_loss:.4f}, accuracy {accuracy:.2%}")
    if accuracy > best:
        best, best_weights = accuracy, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    stale = 0 if validation_loss < lowest else stale + 1
    lowest = min(lowest, validation_loss)
    if 0 < recipe.early_stopping <= stale:
        break

# 6. Test, once.
if recipe.keep_best:
    model.load_state_dict(best_weights)
print(f"test accuracy {evaluate(test)[1]:.4f}")
'''
