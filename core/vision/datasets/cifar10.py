"""CIFAR-10: 60,000 colour photographs of 32×32 pixels, 10 classes of animals and vehicles (Krizhevsky 2009)."""

import contextlib
import tarfile
from typing import Any

import torch
from filelock import FileLock

from core.tasks import Say
from core.vision.datasets._argument import refuse_argument
from core.vision.datasets._downloads import channels_last, downloads_folder
from core.vision.fetching import Remote, kept
from core.vision.pictures import PictureDataset, Pictures

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
MD5 = "c58f30108f718f92721af3b95e74349a"


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """3×32×32 pictures, 50,000 to learn from and 10,000 to be tested on, as their maker split them."""
    del seed, image_size, say
    refuse_argument("cifar10", argument)
    parts = [_part(train) for train in (True, False)]
    train, test = (
        Pictures(channels_last(torch.from_numpy(part.data)), torch.tensor(part.targets, dtype=torch.int64))
        for part in parts
    )
    return PictureDataset(
        name="cifar10",
        version="python",
        source="Alex Krizhevsky, University of Toronto, 2009",
        classes=tuple(parts[0].classes),
        train=train,
        test=test,
    )


def missing() -> list[Remote]:
    """What has to be fetched before `load`, which fetches nothing."""
    return [] if _archive().is_here() or _unpacked(train=False) is not None else [_archive()]


def _archive() -> Remote:
    return Remote(URL, downloads_folder() / "cifar-10-python.tar.gz", f"md5:{MD5}")


def _part(train: bool) -> Any:
    """torchvision's data set; what was never unpacked, or not to the end, is unpacked from the archive."""
    found = _unpacked(train)
    if found is not None:
        return found
    archive = kept(_archive(), "cifar10")
    one_at_a_time = FileLock(archive.with_name(archive.name + ".unpacking"))  # a preview and a run may both want it
    with one_at_a_time, tarfile.open(archive) as files:
        files.extractall(archive.parent, filter="data")
    found = _unpacked(train)
    assert found is not None, "the archive has the right checksum"
    return found


def _unpacked(train: bool) -> Any:
    """torchvision's data set if all of its files are there with the right checksums, else None."""
    import torchvision  # noqa: PLC0415  takes seconds, and other data sets do without it

    with contextlib.suppress(RuntimeError):
        return torchvision.datasets.CIFAR10(downloads_folder(), train=train, download=False)
    return None
