"""Small pictures, enlarged so that every pixel stays a square: a browser would blur them. And pictures as files."""

import io
from typing import Any

import numpy as np
from PIL import Image

ENLARGED = 128  # pixels


def crisp(image: Any, side: int = ENLARGED) -> Any:
    """(H,W,C) or (H,W) uint8 with each pixel repeated until the picture is about `side` pixels wide."""
    times = max(1, side // image.shape[1])
    return np.repeat(np.repeat(image.squeeze(), times, axis=0), times, axis=1)


def encoded(image: Any) -> bytes:
    """The file of a picture (H,W,C) or (H,W) uint8: PNG where each pixel counts, else JPEG, a third of the bytes that
    Streamlit would send."""
    small = image.shape[1] <= ENLARGED // 2
    file = io.BytesIO()
    Image.fromarray(crisp(image)).save(file, "PNG" if small else "JPEG", quality=90)
    return file.getvalue()
