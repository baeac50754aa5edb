"""Labelled points in the plane: made from a formula or set by hand, checked, and split. NumPy only.

Shapes: N points, 2 coordinates, K classes (2 or 3, numbered from 0).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.errors import UserError

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CLASSES: Final = 3
MOST_BY_HAND: Final = 200
SIDE: Final = 41  # places per axis where a point can be set by hand: from -1 to 1 in steps of 0.05
EMPTY: Final = "-"  # a link without points says so: an empty parameter may get lost on the way
SHADES: Final = 240
STEP: Final = SHADES // CLASSES
FARTHEST: Final = 1000.0
TURNS: Final = 1.75  # of each arm of the spiral

# The distance between neighbouring classes, in units of which the noise is given: then 0.2 is equally bad for all.
GAPS: Final = {"moons": 1 / 3, "circles": 0.4, "spiral": 0.5 / TURNS, "xor": 0.5, "blobs": 0.6 * 3**0.5}

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcde"  # one sign for each of the 41 places


@dataclass(frozen=True)
class Sample:
    """Points (N, 2), their classes (N,), and which of them no model may learn from (N,)."""

    points: Floats
    labels: Labels
    held_out: Mask

    @property
    def box(self) -> float:
        """Half the side of the square around 0 that shows them all."""
        return 1.08 * max(1.0, float(np.abs(self.points).max(initial=0.0)))

    @property
    def classes(self) -> list[int]:
        return [int(label) for label in np.unique(self.labels)]


def make_points(kind: str, count: int, noise: float, seed: int) -> tuple[Floats, Labels]:
    """`count` points (N, 2) of one of `GAPS` and their classes (N,), as many of each class as can be.

    `noise` is the standard deviation of what is added to each coordinate, in units of the gap between the classes;
    the classes are settled before, so that noise mixes them.
    """
    random = np.random.default_rng(seed)
    classes = 3 if kind == "blobs" else 2
    labels = np.arange(count) % classes
    t = random.uniform(size=count)
    match kind:
        case "moons":
            angle = np.pi * t
            upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
            points = np.where(labels[:, None] == 0, upper, -upper) / 1.5
        case "circles":
            radius = np.where(labels == 0, 0.8, 0.4)
            points = radius[:, None] * np.stack([np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)], axis=1)
        case "spiral":
            radius = 0.05 + 0.95 * t
            angle = 2 * np.pi * TURNS * radius + np.pi * labels
            points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        case "xor":
            points = random.uniform(0.04, 1, size=(count, 2))
            points[:, 0] *= random.choice([-1, 1], size=count)
            points[:, 1] *= np.sign(points[:, 0]) * np.where(labels == 0, 1, -1)
        case "blobs":
            angle = np.pi / 2 + 2 * np.pi * labels / 3
            points = 0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        case _:
            raise UserError("There is no data set named {name}.", name=kind[:40])
    return points + noise * GAPS[kind] * random.standard_normal((count, 2)), labels


def split(points: Floats, labels: Labels, share: float, seed: int) -> Sample:
    """Hold out about this share of each class for the test, drawn at random; one point of each class stays to learn."""
    check(points, labels)
    held_out = np.zeros(len(labels), dtype=np.bool_)
    random = np.random.default_rng([seed, 1])  # not the numbers the points were made of
    for label in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == label))
        held_out[mine[: min(round(share * len(mine)), len(mine) - 1)]] = True
    return Sample(points, labels, held_out)


def check(points: Floats, labels: Labels) -> None:
    """Raise `UserError` unless there are two classes and two places, and every coordinate is an ordinary number."""
    if len(points) < 2:
        raise UserError("A model needs at least two points to learn from, not {n}.", n=len(points))
    if not (np.isfinite(points).all() and np.abs(points).max() <= FARTHEST):
        raise UserError("Every coordinate must be a number from −{most:g} to {most:g}.", most=FARTHEST)
    if len(np.unique(labels)) < 2:
        raise UserError("All points are of one class, so there is nothing to tell apart. Add another class.")
    if not np.ptp(points, axis=0).any():
        raise UserError("All points lie in the same place. Add one elsewhere.")


def read_points(text: str) -> tuple[Floats, Labels]:
    """Points set by hand, from their form in a link: three signs each, the class and the two places.

    >>> points, labels = read_points("0K01eK")  # class 0 below the middle, class 1 at the right
    >>> points.tolist(), labels.tolist()
    ([[0.0, -1.0], [1.0, 0.0]], [0, 1])
    """
    if text == EMPTY:
        text = ""
    if len(text) > 3 * MOST_BY_HAND:
        raise UserError("A link holds at most {n} points.", n=MOST_BY_HAND)
    known = set(_DIGITS)
    if len(text) % 3 or not set(text) <= known or not set(text[::3]) <= set(_DIGITS[:CLASSES]):
        raise UserError("The points in the link cannot be read: each is three signs, its class and its place.")
    places = np.array([_DIGITS.index(sign) for sign in text], dtype=np.int64).reshape(-1, 3)
    return (places[:, 1:] - SIDE // 2) / (SIDE // 2), places[:, 0]


def write_points(points: Floats, labels: Labels) -> str:
    """The form of these points in a link, each moved to the nearest of the `SIDE` × `SIDE` places."""
    places = np.clip(np.rint((points + 1) * (SIDE // 2)), 0, SIDE - 1).astype(int)
    signs = (
        _DIGITS[label] + _DIGITS[x] + _DIGITS[y] for label, (x, y) in zip(labels.tolist(), places.tolist(), strict=True)
    )
    return "".join(signs) or EMPTY


def add_point(text: str, place: tuple[float, float], label: int) -> str:
    """`text` with a point of this class added; a place that is taken gets the new class, one outside is none."""
    points, labels = read_points(text)
    if np.isfinite(place).all() and np.abs(place).max() <= 1:
        elsewhere = np.abs(points - place).max(axis=1, initial=0.0) > 0.5 / (SIDE // 2)
        points = np.vstack([points[elsewhere], [place]])
        labels = np.append(labels[elsewhere], label)
    if len(points) > MOST_BY_HAND:
        raise UserError("A link holds at most {n} points.", n=MOST_BY_HAND)
    return write_points(points, labels)


def remove_last(text: str) -> str:
    """`text` without the point that was set last."""
    return (text[:-3] if text != EMPTY else "") or EMPTY


def starter() -> str:
    """A few points to begin with: one class around the other, which no straight line can part."""
    inner = 2 * np.pi * np.arange(8) / 8
    outer = 2 * np.pi * np.arange(14) / 14
    angle = np.concatenate([inner, outer])
    labels = np.repeat([0, 1], [8, 14])
    radius = np.where(labels == 0, 0.3, 0.75)
    return write_points(radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), labels)


def shades(probabilities: Floats) -> npt.NDArray[np.uint8]:
    """One byte for the classes' probabilities (…, K), so that a picture of the plane stays small.

    Two classes: 240 times the probability of the second. Three: the likeliest class k and how sure it is, 0 (all
    alike) to 78 (certain), as 80 k + sureness. 255 would be "/" in base64, which plotly writes as six signs.
    """
    classes = probabilities.shape[-1]
    if classes == 2:
        return np.rint(SHADES * probabilities[..., 1]).astype(np.uint8)
    sure = (probabilities.max(axis=-1) - 1 / classes) / (1 - 1 / classes)
    coded = STEP * probabilities.argmax(axis=-1) + np.rint((STEP - 2) * sure)
    return np.asarray(coded, dtype=np.uint8)
