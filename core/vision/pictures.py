"""Labelled pictures as bytes, in memory or in a file.

Legend of shapes: M pictures that several parts share, N pictures of one part, B of a batch, C channels (1 or 3),
H × W pixels, K classes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.vision.stored import StoredPixels

TOGETHER = 500  # pictures that are looked at together when all of them are


@dataclass(frozen=True)
class Pictures:
    """N pictures and what each of them shows. A part of a data set is a list of rows of the whole, never a copy."""

    whole: Tensor | StoredPixels  # (M,C,H,W) uint8, 0 black to 255 white; channels_last in memory
    labels: Tensor  # (N,) int64, 0 to K-1
    rows: Tensor | None = None  # (N,) int64, where in the whole each picture stands; None: all of them, in order

    def __post_init__(self) -> None:
        count = self.whole.shape[:1] if self.rows is None else self.rows.shape
        assert len(self.whole.shape) == 4, self.whole.shape
        assert self.labels.shape == count, (self.labels.shape, count)
        assert self.labels.dtype == torch.int64, self.labels.dtype
        if isinstance(self.whole, Tensor):
            assert self.whole.dtype == torch.uint8, self.whole.dtype
            assert self.whole.permute(0, 2, 3, 1).is_contiguous(), "whole pictures are copied as they lie in memory"

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where the pixels lie: in memory or a file, which is "cpu", or on a card."""
        return self.whole.device if isinstance(self.whole, Tensor) else torch.device("cpu")

    @property
    def images(self) -> Tensor:
        """All pictures of this part, (N,C,H,W) bytes: a copy, unless the part is the whole. For what is small."""
        if self.rows is None and isinstance(self.whole, Tensor):
            return self.whole
        return self.at(torch.arange(len(self), device=self.device))

    def at(self, indices: Tensor, pinned: bool = False) -> Tensor:
        """Some of them, (B,C,H,W) bytes, channels_last; from a file into pinned memory if asked for."""
        if isinstance(self.whole, StoredPixels):
            return self.begin(indices, pinned)()
        # index_select copies whole pictures; plain indexing would move them byte by byte, 15 times slower on a CPU.
        return self.whole.permute(0, 2, 3, 1).index_select(0, self._rows(indices)).permute(0, 3, 1, 2)

    def begin(self, indices: Tensor, pinned: bool = False) -> Callable[[], Tensor]:
        """Begin to read some of them from their file; what is returned hands them over, as `at` does."""
        assert isinstance(self.whole, StoredPixels), "what is in memory need not be fetched"
        return self.whole.begin(self._rows(indices), pinned)

    def _rows(self, indices: Tensor) -> Tensor:
        return indices if self.rows is None else self.rows.index_select(0, indices)

    def chunks(self, size: int = TOGETHER) -> Iterator[Tensor]:
        """All of them in order, (size,C,H,W) bytes at a time."""
        for start in range(0, len(self), size):
            if self.rows is None and isinstance(self.whole, Tensor):
                yield self.whole[start : start + size]
            else:
                yield self.at(torch.arange(start, min(start + size, len(self)), device=self.device))

    def take(self, indices: Tensor) -> "Pictures":
        """The part of this one that stands in these rows of it."""
        return Pictures(self.whole, self.labels[indices], indices if self.rows is None else self.rows[indices])

    def to(self, device: torch.device) -> "Pictures":
        """The pictures and labels on a device, from wherever they are; a CPU leaves them there."""
        if device.type == "cpu":
            return self
        _, channels, height, width = self.whole.shape
        pixels = torch.empty((len(self), height, width, channels), dtype=torch.uint8, device=device)
        for start, images in zip(range(0, len(self), TOGETHER), self.chunks(), strict=True):
            pixels[start : start + TOGETHER] = images.permute(0, 2, 3, 1)
        return Pictures(pixels.permute(0, 3, 1, 2), self.labels.to(device))

    def labels_to(self, device: torch.device) -> "Pictures":
        """The labels on a device, the pictures where they are."""
        return Pictures(self.whole, self.labels.to(device), self.rows)


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
        _, channels, height, width = self.train.whole.shape
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
