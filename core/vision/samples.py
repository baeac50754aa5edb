"""Photographs that arrive with the installation, to classify before one has one's own. Knows no torch."""

import importlib.util
from functools import cache
from pathlib import Path

SAMPLES = {"china": "china.jpg", "flower": "flower.jpg"}  # scikit-learn's own, CC BY 2.0


@cache
def sample_pictures() -> dict[str, bytes]:
    """The encoded pictures by name; empty where scikit-learn is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "datasets" / "images"
    return {name: (folder / file).read_bytes() for name, file in SAMPLES.items() if (folder / file).is_file()}
