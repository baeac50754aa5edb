"""What a data set or an ImageNet model still has to fetch, a piece at a time, so that a page can show how far it is."""

from typing import Any

from core import registry
from core.vision.fetching import Remote, fetch_some
from core.vision.recipe import DATASETS


def go_on(what: str, seconds: float) -> dict[str, Any]:
    """Fetch for about so many seconds; the "file" that is coming, its bytes "done" of "total", and whether all is
    "ready". `what` is a data set or a model of `core.vision.imagenet`. Raises `UserError` as `fetch_some` does.
    """
    for remote in missing(what):
        if not remote.is_here():
            progress = fetch_some(remote, seconds)
            return {"file": remote.file.name, "done": progress.done, "total": progress.total, "ready": False}
    return {"ready": True}


def lacking(what: str) -> list[str]:
    """The addresses of what `go_on` would fetch; asks nobody."""
    return [remote.url for remote in missing(what) if not remote.is_here()]


def missing(what: str) -> list[Remote]:
    """The files it is made of, or those of them that are not here."""
    if what.startswith("imagenet"):
        from core.vision import imagenet  # noqa: PLC0415  imports torchvision

        return imagenet.missing(what)
    ask = getattr(registry.load(DATASETS, what.partition(":")[0]), "missing", None)
    return ask() if ask else []
