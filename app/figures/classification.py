"""The picture of where a network looked. Numbers in, a picture out."""

import numpy as np
from numpy.typing import NDArray

# Cividis, which is ordered alike for every kind of colour vision: dark blue, grey, yellow.
COLOURS = np.array([(0, 34, 78), (124, 123, 120), (254, 232, 56)], dtype=float)


def heat_over(picture: NDArray[np.uint8], heatmap: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A (H,W,1 or 3) picture under its (H,W) heat map from 0 to 1: the warmer, the more of the map is seen."""
    heat = heatmap[:, :, None].astype(float)
    colour = np.stack([np.interp(heatmap, (0, 0.5, 1), COLOURS[:, c]) for c in range(3)], axis=2)
    blended: NDArray[np.uint8] = (picture * (1 - 0.6 * heat) + colour * 0.6 * heat).round().astype(np.uint8)
    return blended
