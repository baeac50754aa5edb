"""Small pictures, enlarged so that every pixel stays a square: a browser would blur them."""

from typing import Any

import numpy as np


def crisp(image: Any, side: int = 128) -> Any:
    """(H,W,C) or (H,W) uint8 with each pixel repeated until the picture is about `side` pixels wide."""
    times = max(1, side // image.shape[1])
    return np.repeat(np.repeat(image.squeeze(), times, axis=0), times, axis=1)
