"""Our own code as text: found and cut out of its file without running it."""

import ast
import importlib.util
from pathlib import Path


def source(module: str) -> str:
    """The text of a module such as ``core.training.loop``; imports at most the packages it lies in."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None, module
    return Path(spec.origin).read_text(encoding="utf-8")


def definition(module: str, name: str) -> tuple[int, str]:
    """The line at which a function or class of a module begins, and its text, decorators included."""
    text = source(module)
    node = next(node for node in ast.parse(text).body if getattr(node, "name", None) == name)
    assert isinstance(node, ast.FunctionDef | ast.ClassDef), name
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first, "\n".join(text.splitlines()[first - 1 : node.end_lineno])
