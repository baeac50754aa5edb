"""The translation catalogues: ``python -m tests.catalogues update`` after a sentence was added or changed.

``update`` reads every sentence out of the code, keeps the translations there are, drops those no longer said, and
compiles; ``add FILE.po`` takes translations from a file first. A sentence without translation fails the tests.
"""

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from filelock import FileLock

from core import registry
from core.vision.recipe import DATASETS, MODELS

ROOT = Path(__file__).parent.parent
PO = ROOT / "app" / "locale" / "zh" / "LC_MESSAGES" / "atlas.po"
MO = PO.with_suffix(".mo")
CALLS = {"_": 1, "mark": 1, "_n": 2, "UserError": 1, "message": 1}  # how many leading arguments are sentences


def sentences() -> list[str | tuple[str, str]]:
    """Every sentence of the code, sorted; a pair where its form depends on a number."""
    found: set[str | tuple[str, str]] = set()
    for folder in ("app", "core"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.update(_in_file(ast.parse(path.read_text(encoding="utf-8"))))
    for package in (DATASETS, MODELS):
        found.update(registry.summary(package, name) for name in registry.names(package))
    return sorted(found, key=str)


def _in_file(tree: ast.Module) -> Iterator[str | tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "setting" and len(node.args) > 1:
                yield from _texts(node.args[1:2])
            texts = tuple(_texts(node.args[: CALLS.get(node.func.id, 0)]))
            if len(texts) == 2:
                yield texts
            else:
                yield from texts
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "TITLE":
            yield from _texts([node.value])


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def read() -> Catalog:
    if not PO.exists():
        return Catalog(locale="zh")
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def compiled(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def update(extra: Path | None = None) -> Catalog:
    """Write the catalogue anew: the sentences of today, with the translations that are known."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(PO.with_suffix(".lock")):
        known = read()
        if extra is not None:
            with extra.open("rb") as file:
                for message in read_po(file, locale="zh"):
                    if message.id and message.string:
                        known.delete(message.id)
                        known[message.id] = message
        fresh = Catalog(locale="zh", project="Concept Atlas", fuzzy=False)
        for sentence in sentences():
            key = sentence if isinstance(sentence, str) else sentence[0]
            old = known.get(key)
            fresh.add(sentence, old.string if old else "")
        with PO.open("wb") as file:
            write_po(file, fresh, width=110, sort_output=True, omit_header=False, ignore_obsolete=True)
        MO.write_bytes(compiled(read()))
    PO.with_suffix(".lock").unlink(missing_ok=True)
    return fresh


if __name__ == "__main__":
    done = update(Path(sys.argv[2]) if sys.argv[1:2] == ["add"] else None)
    for message in done:
        if message.id and not (message.string[0] if isinstance(message.string, tuple) else message.string):
            print("no translation:", message.id)
