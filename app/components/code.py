"""The code that runs, shown: the very lines of the function, cut out of its file without importing it."""

import ast
import importlib.util
from functools import cache
from pathlib import Path

import streamlit as st

from app.language import _


def show_code(*names: str) -> None:
    """An expander with the source of each "package.module:function"."""
    with st.expander(_("The code that runs"), icon=":material/code:"):
        for name in names:
            place, text = source(name)
            st.caption(place)
            st.code(text, language="python")


@cache
def source(name: str) -> tuple[str, str]:
    """("core/training/loop.py, line 20", the source of the function or class)."""
    module, _colon, wanted = name.partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None, name
    assert spec.origin is not None, name
    text = Path(spec.origin).read_text(encoding="utf-8")
    node = next(n for n in ast.parse(text).body if getattr(n, "name", None) == wanted)
    assert isinstance(node, ast.FunctionDef | ast.ClassDef), name
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    lines = text.splitlines()[first - 1 : node.end_lineno]
    return f"{module.replace('.', '/')}.py:{first}", "\n".join(lines)
