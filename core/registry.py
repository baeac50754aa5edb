"""One file, one thing: names of data sets and models are the names of their files.

`core/vision/models/article_net.py` is the model ``article-net``. Listing names imports nothing, so the web
process can offer them without importing torch; files that start with an underscore are shared pieces.
"""

import ast
import importlib
import pkgutil
from functools import cache
from types import ModuleType

from core.errors import UserError
from core.source import parsed, source


@cache
def names(package: str) -> tuple[str, ...]:
    """The names of all things in a package such as ``core.vision.models``, sorted."""
    folder = importlib.import_module(package).__path__
    return tuple(
        sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(folder) if not m.name.startswith("_"))
    )


def load(package: str, name: str) -> ModuleType:
    """Import the one named. Raises `UserError` when there is none of that name."""
    known = names(package)
    if name not in known:
        raise UserError(
            "“{name}” is not known here. Choose one of: {known}.",
            name=name,
            known=", ".join(known),
        )
    return importlib.import_module(f"{package}.{name.replace('-', '_')}")


def summary(package: str, name: str) -> str:
    """The first line of a thing's docstring, which says in one sentence what it is; read without importing it."""
    text = ast.get_docstring(parsed(source(f"{package}.{name.replace('-', '_')}"))) or ""
    return text.partition("\n")[0]


@cache
def defines(package: str, name: str, function: str) -> bool:
    """Whether a thing's file has a function of that name; read without importing it."""
    parts = parsed(source(f"{package}.{name.replace('-', '_')}")).body
    return any(isinstance(part, ast.FunctionDef) and part.name == function for part in parts)
