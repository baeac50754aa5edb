"""Every kind of training there is: its recipe class, and how a recipe becomes something the loop can train.

The only file that knows all of them. Imports a task's torch code only when it is built.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from core.errors import UserError
from core.language.recipe import LanguageRecipe
from core.language.text_recipe import TextRecipe
from core.training.recipe import Recipe, read_object, shown
from core.vision.recipe import PictureRecipe

if TYPE_CHECKING:
    import torch

    from core.training.task import Task

RECIPES: dict[str, type[Recipe]] = {cls.task: cls for cls in (PictureRecipe, LanguageRecipe, TextRecipe)}
BUILDERS = {PictureRecipe.task: "core.vision.task", TextRecipe.task: "core.language.text"}  # a life builds its own

Say = Callable[[str, float], None]
"""Called with what is being prepared and how much of it is done, from 0 to 1."""


def recipe_from_json(text: str) -> Recipe:
    """A recipe of whichever kind its ``task`` names."""
    task = read_object(text).get("task", PictureRecipe.task)
    if not isinstance(task, str) or task not in RECIPES:
        known = ", ".join(RECIPES)
        raise UserError("“{name}” is not known here. Choose one of: {known}.", name=shown(task), known=known)
    return RECIPES[task].from_json(text)


def build_task(recipe: Recipe, device: "torch.device", say: Say = lambda *_: None) -> "Task":
    """Load the data and build the model of a recipe, on a device.

    Raises `UserError` when the data is missing or of the wrong shape.
    """
    module = importlib.import_module(BUILDERS[recipe.task])
    return cast("Task", cast(Any, module).build(recipe, device, say))
