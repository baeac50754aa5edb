"""Pictures that arrive with the installation, to classify before one has one's own. Knows no torch."""

import importlib.util
import io
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

PHOTOGRAPHS = {"china": "china.jpg", "flower": "flower.jpg"}  # scikit-learn's own, CC BY

# Digits as somebody writes them: the points of each stroke, x and y from 0 to 1 on the sheet.
STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "handwritten 3": (
        (
            (0.36, 0.30), (0.42, 0.23), (0.52, 0.21), (0.60, 0.25), (0.62, 0.33), (0.57, 0.41), (0.46, 0.46),
            (0.58, 0.49), (0.65, 0.57), (0.64, 0.68), (0.56, 0.76), (0.45, 0.78), (0.35, 0.73),
        ),
    ),
    "handwritten 7": (((0.33, 0.27), (0.50, 0.26), (0.65, 0.25), (0.56, 0.44), (0.49, 0.62), (0.45, 0.79)),),
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
    width = SHEET // 16
    for stroke in STROKES[name]:
        points = [(x * SHEET, y * SHEET) for x, y in stroke]
        pen.line(points, fill=INK, width=width, joint="curve")
        for x, y in (points[0], points[-1]):  # a round nib
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=INK)
    file = io.BytesIO()
    sheet.filter(ImageFilter.GaussianBlur(1)).save(file, "PNG")
    return file.getvalue()
