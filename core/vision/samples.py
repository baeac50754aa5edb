"""Pictures that arrive with the installation, to classify before one has one's own. Knows no torch."""

import importlib.util
import io
import itertools
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

PHOTOGRAPHS = {"china": "china.jpg", "flower": "flower.jpg"}  # scikit-learn's own, CC BY

# Digits as somebody writes them: the points of each stroke, x and y from 0 to 1 on the sheet.
Stroke = tuple[tuple[float, float], ...]
STROKES: dict[str, tuple[Stroke, ...]] = {
    "handwritten 3": (
        ((0.35, 0.29), (0.42, 0.21), (0.62, 0.20), (0.64, 0.40), (0.45, 0.46), (0.68, 0.50), (0.66, 0.78), (0.45, 0.82),
         (0.34, 0.72)),
    ),
    "handwritten 5": (
        ((0.62, 0.22), (0.40, 0.23), (0.38, 0.46), (0.60, 0.40), (0.68, 0.56), (0.64, 0.78), (0.46, 0.82),
         (0.35, 0.73)),
    ),
    "handwritten 7": (
        ((0.34, 0.25), (0.48, 0.25), (0.64, 0.23), (0.55, 0.44), (0.49, 0.62), (0.46, 0.79)),
        ((0.40, 0.53), (0.64, 0.50)),
    ),
}  # fmt: skip
PAPER, INK, SHEET = (226, 222, 210), (36, 42, 84), 320  # colours, and pixels of a side


@cache
def sample_pictures() -> dict[str, bytes]:
    """Encoded pictures by name: photographs where scikit-learn is installed (not imported), and written digits."""
    spec = importlib.util.find_spec("sklearn")
    folder = Path(spec.origin).parent / "datasets" / "images" if spec and spec.origin else None
    photographs = {name: folder / file for name, file in PHOTOGRAPHS.items()} if folder else {}
    found = {name: file.read_bytes() for name, file in photographs.items() if file.is_file()}
    return found | {name: _written(name) for name in STROKES}


def _written(name: str) -> bytes:
    """A PNG of blue ink on paper, as a photograph of a notebook shows it."""
    sheet = Image.new("RGB", (SHEET, SHEET), PAPER)
    pen = ImageDraw.Draw(sheet)
    width = SHEET // 15
    for stroke in STROKES[name]:
        points = [(x * SHEET, y * SHEET) for x, y in _rounded(stroke)]
        pen.line(points, fill=INK, width=width, joint="curve")
        for x, y in points:  # a round nib
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=INK)
    file = io.BytesIO()
    sheet.filter(ImageFilter.GaussianBlur(1)).save(file, "PNG")
    return file.getvalue()


def _rounded(stroke: Stroke) -> Stroke:
    """The stroke with its corners cut three times over (Chaikin 1974)."""
    for _ in range(3):
        cut = [
            ((1 - t) * x0 + t * x1, (1 - t) * y0 + t * y1)
            for (x0, y0), (x1, y1) in itertools.pairwise(stroke)
            for t in (0.25, 0.75)
        ]
        stroke = (stroke[0], *cut, stroke[-1])
    return stroke
