"""Labelled pictures in memory, as bytes.

Legend of shapes: N pictures, C channels (1 or 3), H × W pixels, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pictures:
    """N pictures and what each of them shows."""

    images: Tensor  # (N,C,H,W) uint8, 0 black to 255 white; channels_last in memory
    labels: Tensor  # (N,) int64, 0 to K-1

    def __post_init__(self) -> None:
        assert self.images.ndim == 4, self.images.shape
        assert self.images.dtype == torch.uint8, self.images.dtype
        assert self.labels.shape == self.images.shape[:1], (self.labels.shape, self.images.shape)
        assert self.labels.dtype == torch.int64, self.labels.dtype

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> "Pictures":
        return Pictures(self.images[indices], self.labels[indices])

    def to(self, device: torch.device) -> "Pictures":
        return Pictures(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class PictureDataset:
    """A data set as its makers split it; the validation part is cut from `train` unless it brings its own."""

    name: str  # as in the recipe, such as "digits" or "folder:PATH"
    version: str  # changes when the pictures change: a checksum, or the maker's version
    source: str  # who made it, and its licence, in one line
    classes: tuple[str, ...]  # K names
    train: Pictures
    test: Pictures
    validation: Pictures | None = None
    skipped: int = 0  # files that could not be read as pictures

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C,H,W) of every picture."""
        _, channels, height, width = self.train.images.shape
        return channels, height, width


def stratified_split(labels: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices (rest, part): `part` holds about `share` of every class, at least one of each that has two.

    The same labels, share and seed give the same split on every machine (drawn on the CPU).
    """
    generator = torch.Generator().manual_seed(seed)
    rest: list[Tensor] = []
    part: list[Tensor] = []
    for label in labels.unique():
        members = (labels == label).nonzero().flatten()
        members = members[torch.randperm(len(members), generator=generator)]
        take = 0 if len(members) < 2 else min(max(1, round(share * len(members))), len(members) - 1)
        part.append(members[:take])
        rest.append(members[take:])
    return _sorted(rest), _sorted(part)


def _sorted(indices: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(indices)).sort().values
