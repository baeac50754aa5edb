"""Our own code as text: found, and cut out of its file, without running it."""

import ast
import importlib.util
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

Place = tuple[str, str]
"""A module and a name it defines."""

Import = tuple[str, str, str]
"""A module, what is taken from it ("" for the module itself), and what that is called here."""

_FOR_OUR_TOOLS = re.compile(r"  # (noqa|type: ignore|fmt: skip).*")


_PARSING = threading.Lock()


def parsed(text: str) -> ast.Module:
    """The syntax tree of a text; one at a time.

    Python 3.11 counts how deep all threads together are in their trees, and when two parse at once one of them may end
    with a SystemError, "AST constructor recursion depth mismatch".
    """
    with _PARSING:
        return ast.parse(text)


@cache
def source(module: str) -> str:
    """The text of a module such as ``core.training.loop``; imports at most the packages it lies in."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None, module
    return Path(spec.origin).read_text(encoding="utf-8")


def definition(module: str, name: str) -> tuple[int, str]:
    """The line at which a function or class of a module begins, and its text, decorators included."""
    text = source(module)
    node = next(node for node in parsed(text).body if getattr(node, "name", None) == name)
    assert isinstance(node, ast.FunctionDef | ast.ClassDef), name
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return first, "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def with_all_they_need(wanted: Iterable[Place], replaced: Mapping[Place, str], imports: Iterable[Import] = ()) -> str:
    """One text that defines these names and, before them, whatever of `core` they refer to, ready to run on its own.

    What others wrote is imported at the top, together with `imports`. A place in `replaced` gets that text, and what
    it would have needed is left out. A module comes after those it imports, so that what it computes when it is
    loaded is there.
    """
    taken: dict[str, set[str]] = {}  # of each module
    imported = set(imports)
    for place in wanted:
        _take(place, taken, imported, replaced)
    parts: list[str] = []
    owners: dict[str, str] = {}
    for module in _imports_first(taken):
        names = taken[module]
        for name in names:
            assert owners.setdefault(name, module) == module, f"{name} is defined in {owners[name]} and in {module}"
        parts += [replaced[module, name] for name in sorted(names) if (module, name) in replaced]
        cut = (_text(module, node) for node in _statements(module, names) if not _replaced(module, node, replaced))
        parts += [_FOR_OUR_TOOLS.sub("", text) for text in cut]
    return "\n\n\n".join(["\n".join(_import_lines(imported)), *parts])


def _take(place: Place, taken: dict[str, set[str]], imported: set[Import], replaced: Mapping[Place, str]) -> None:
    """Note a name and, first, everything it refers to."""
    module, name = place
    if name in taken.get(module, ()):
        return
    tree = parsed(source(module))
    defined, others = _defined(tree), _imports(tree)
    names = {name}
    waiting = [] if place in replaced else [name]
    while waiting:
        for node in defined[waiting.pop()]:
            used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            inside = {one for one in used if one in defined} - names
            names |= inside
            waiting += [one for one in inside if (module, one) not in replaced]
            for one in sorted(used & set(others)):
                where, what = others[one]
                if where.partition(".")[0] == "core":
                    assert what == one, f"{module} imports {where} as a whole, or under another name"
                    _take((where, what), taken, imported, replaced)
                else:
                    imported.add((where, what, one))
    taken.setdefault(module, set()).update(names)


def _imports_first(modules: Iterable[str]) -> Iterator[str]:
    """The modules so that each comes after those it imports."""
    known = sorted(modules)
    graph = {module: {where for where, _name in _imports(parsed(source(module))).values()} for module in known}
    return (module for module in TopologicalSorter(graph).static_order() if module in known)


def _defined(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """The statements that define each name of a module."""
    found: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _names(node):
            found.setdefault(name, []).append(node)
    return found


def _names(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Assign():
            return {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def _imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Each imported name with its module and what it is called there ("" for the module itself)."""
    found: dict[str, tuple[str, str]] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {(alias.asname or alias.name).partition(".")[0]: (alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
    return found


def _statements(module: str, names: set[str]) -> Iterator[ast.stmt]:
    return (node for node in parsed(source(module)).body if _names(node) & names)


def _replaced(module: str, node: ast.stmt, replaced: Mapping[Place, str]) -> bool:
    return any((module, name) in replaced for name in _names(node))


def _text(module: str, node: ast.stmt) -> str:
    """The lines of a statement, with its decorators and the comment above it."""
    lines = source(module).splitlines()
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))]) - 1
    while first > 0 and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : node.end_lineno])


def _import_lines(imported: set[Import]) -> list[str]:
    whole = [f"import {where}" if where.partition(".")[0] == name else f"import {where} as {name}"
             for where, what, name in imported if not what]  # fmt: skip
    parts: dict[str, list[str]] = {}
    for where, what, name in sorted(imported):
        if what:
            parts.setdefault(where, []).append(what if what == name else f"{what} as {name}")
    return sorted(whole) + [f"from {where} import {', '.join(names)}" for where, names in parts.items()]
