"""Who may know whom, read from the imports; and what the web process must never load."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHOWN = ROOT / "content" / "article" / "code"  # programs that are shown and run on their own, not part of this one
FILES = sorted(
    path
    for folder in ("app", "core", "content")
    for path in (ROOT / folder).rglob("*.py")
    if SHOWN not in path.parents
)
HEAVY = {"torch", "torchvision", "sklearn", "onnx", "onnxruntime", "safetensors"}
# What of core the web process may import: it knows no torch.
LIGHT = {
    "core", "core.errors", "core.home", "core.registry", "core.tasks", "core.sandbox", "core.source", "core.runs",
    "core.votes", "core.people", "core.teacher", "core.settings", "core.events", "core.machine", "core.maths",
    "core.maths.cross_entropy", "core.maths.surfaces",
    "core.maths.descent", "core.maths.digits_slice", "core.maths.plane",
    "core.maths.expression", "core.maths.backpropagation", "core.language.recipe", "core.language.text_recipe",
    "core.language.texts", "core.language.sentences", "core.language.stories", "core.vision.factors",
    "core.runs.store", "core.runs.client", "core.runs.export", "core.runs.progress", "core.runs.index",
    "core.runs.shares", "core.runs.estimate",
    "core.runs.folder", "core.vision.recipe", "core.vision.scores",
    "core.vision.samples", "core.training.recipe",
}  # fmt: skip


def test_code_is_parsed_in_one_place():
    """`core.source.parsed` does it for one thread at a time; two at once may end with a SystemError in Python 3.11."""
    assert [path.name for path in FILES if "ast.parse(" in path.read_text(encoding="utf-8")] == ["source.py"]


def test_charts_are_drawn_in_one_place():
    """Streamlit's own chart is made anew for every figure; `app.components.chart` changes the one there is."""
    assert [path.name for path in FILES if "plotly_chart(" in path.read_text(encoding="utf-8")] == []


STORE = {"get", "list_runs", "stop", "resume", "delete", "rename"}


def test_pages_say_who_asks_for_runs():
    """Without a person the store takes them for a program of the machine, which may see everything."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "store" and node.func.attr in STORE:
                last = ast.unparse((*node.args, ast.Constant(""))[len(node.args) - 1])
                assert last in ("me()", "person"), f"{path}:{node.lineno}: store.{node.func.attr} without a person"


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            for alias in node.names:
                below = ROOT / module.replace(".", "/") / alias.name
                yield f"{module}.{alias.name}" if below.with_suffix(".py").exists() or below.is_dir() else module


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def forbidden(place: str, name: str) -> bool:
    """Whether the file at `place` (relative, with slashes) may not import `name`."""
    view = place.startswith("app/views/")
    if place.startswith("core/"):
        if within(name, "app", "content", "streamlit", "plotly"):
            return True
        if place.startswith("core/training/") and not place.endswith("__main__.py"):
            return within(name, "core.vision", "core.language", "core.runs")
        alone = place.startswith("core/maths/")
        return alone and within(name, "core") and not within(name, "core.maths", "core.errors", "core.threads")
    if place.startswith("content/article/code/"):  # shown as text and run on its own, imported by nothing
        return False
    if place.startswith("content/"):
        return within(name, "app", "core", "streamlit", "plotly") or within(name, *HEAVY)
    if within(name, *HEAVY) or (within(name, "core") and name not in LIGHT):
        return True
    if place.startswith("app/figures/") and within(name, "streamlit"):
        return True
    return view and within(name, "app.views")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_keep_the_layers(path):
    place = path.relative_to(ROOT).as_posix()
    assert [name for name in imports(path) if forbidden(place, name)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_stay_readable(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (120 if "views" in path.parts else 400)


def test_the_web_process_loads_no_torch(atlas_home):
    script = f"""
import sys, warnings
from streamlit.testing.v1 import AppTest
from app.navigation import VIEWS, find_views
app = AppTest.from_file({str(ROOT / "app" / "Home.py")!r}, default_timeout=60).run()
for view in find_views(VIEWS):
    app.switch_page("views/" + view.path.relative_to(VIEWS).as_posix()).run()
    assert not app.exception, view
print(sorted({HEAVY!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip().splitlines()[-1] == "[]"
