"""What the browser may fetch before it knows that it needs it: scripts of Streamlit's that every page of ours uses.

Streamlit's first page names the scripts of its core. Those of single elements come later, each when the first such
element arrives; ours stand in the head of the answer, so that they travel beside the core instead of after it.
"""

import json
from functools import cache
from pathlib import Path

import streamlit

ELEMENTS = ("ButtonGroup", "Html")  # the switch between the languages, and our styles
_STATIC = Path(streamlit.__file__).parent / "static"


@cache
def link_header() -> str | None:
    """The value of the header; None where this version of Streamlit calls its scripts otherwise."""
    try:
        manifest = json.loads((_STATIC / "manifest.json").read_text(encoding="utf-8"))
        first = (_STATIC / "index.html").read_text(encoding="utf-8")
        scripts = _scripts(manifest, ELEMENTS)
    except (OSError, KeyError, ValueError):
        return None
    return ", ".join(f"<./{script}>; rel=modulepreload; crossorigin" for script in scripts if script not in first)


def _scripts(manifest: dict[str, dict[str, object]], elements: tuple[str, ...]) -> list[str]:
    """The files of these elements and of all that they import, without the style sheets."""
    waiting = [name for name in manifest if name.rpartition("/")[2].partition(".")[0] in elements]
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = str(manifest[name]["file"])
            imported = manifest[name].get("imports", [])
            waiting += imported if isinstance(imported, list) else []
    return [file for file in found.values() if file.endswith(".js")]
