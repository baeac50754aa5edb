"""Finds the pages: every file ``views/<section>/<slug>.py`` is one page, found once and without running it.

A view says who it is in three constants, read from its text: ``TITLE = "Train"`` (English, translated by the
catalogues), ``ICON = ":material/…:"`` and ``ORDER = 10``, its place within its section. Its file name is its
address: ``views/maths/cross_entropy.py`` is ``/cross-entropy``.
"""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from app.language import LANGUAGES, SOURCE_LANGUAGE, _, catalogue, mark
from core.source import parsed

VIEWS = Path(__file__).parent / "views"
DEFAULT = "home"
SECTIONS = {
    "atlas": mark("Atlas"),
    "maths": mark("Maths"),
    "train": mark("Train"),
    "classify": mark("Classify"),
    "language": mark("Language"),
    "classroom": mark("Classroom"),
}


class NavigationError(RuntimeError):
    """The views do not make a navigation; says which file is wrong and what it lacks."""


@dataclass(frozen=True)
class View:
    """One page, as its file describes it."""

    path: Path
    section: str
    title: str
    icon: str
    order: int

    @property
    def slug(self) -> str:
        """Its address, and its name for links between pages."""
        return self.path.stem.replace("_", "-")


def pages() -> dict[str, list[st.Page]]:
    """What `st.navigation` takes: the pages of every section, titled in the language of the session."""
    found = find_views(VIEWS)
    shown = [section for section in SECTIONS if any(view.section == section for view in found)]
    return {_(SECTIONS[section]): [_page(view) for view in found if view.section == section] for section in shown}


def page(slug: str) -> st.Page:
    """The page of that slug, for `st.page_link` and `st.switch_page`."""
    for view in find_views(VIEWS):
        if view.slug == slug:
            return _page(view)
    raise NavigationError(f"No view has the slug {slug!r}.")


def has_page(slug: str) -> bool:
    return any(view.slug == slug for view in find_views(VIEWS))


def _page(view: View) -> st.Page:
    return st.Page(view.path, title=_(view.title), icon=view.icon, url_path=view.slug, default=view.slug == DEFAULT)


@cache
def find_views(folder: Path) -> tuple[View, ...]:
    """All views in the order of the navigation. Raises `NavigationError` for what would break it."""
    found = [_read(path) for path in sorted(folder.glob("*/*.py")) if not path.name.startswith("_")]
    paths: dict[str, Path] = {}
    for view in found:
        if view.section not in SECTIONS:
            raise NavigationError(f"{view.path}: no section is called {view.section!r}; SECTIONS names them.")
        if view.slug in paths:
            raise NavigationError(f"{paths[view.slug]} and {view.path} have the same slug {view.slug!r}.")
        paths[view.slug] = view.path
        _require_translations(view)
    if DEFAULT not in paths:
        raise NavigationError(f"{folder}: there is no view {DEFAULT!r} to open first.")
    sections = list(SECTIONS)
    return tuple(sorted(found, key=lambda view: (sections.index(view.section), view.order, view.slug)))


def _read(path: Path) -> View:
    """A view's description, from the text of its file: running it would show it."""
    tree = parsed(path.read_text(encoding="utf-8"))
    values = {
        target.id: statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    for name, kind in (("TITLE", str), ("ICON", str), ("ORDER", int)):
        if not isinstance(values.get(name), kind):
            raise NavigationError(f"{path}: a view needs {name} = a literal {kind.__name__}.")
    return View(path, path.parent.name, str(values["TITLE"]), str(values["ICON"]), int(str(values["ORDER"])))


def _require_translations(view: View) -> None:
    for language in LANGUAGES:
        if language != SOURCE_LANGUAGE and catalogue(language).gettext(view.title) == view.title:
            raise NavigationError(f"{view.path}: the title {view.title!r} has no translation into {language!r}.")
