"""Fashion-MNIST: 70,000 grey pictures of clothes, 28×28 pixels, 10 classes (Xiao et al. 2017)."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.tasks import Say
from core.vision.datasets._argument import refuse_argument
from core.vision.datasets._downloads import channels_last, downloads_folder
from core.vision.fetching import Remote, kept
from core.vision.pictures import PictureDataset, Pictures

CLASSES = (
    "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
CHECKSUMS = {
    "train-images-idx3-ubyte": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "md5:25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "md5:bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "md5:bb300cfdad3c16e7a12a480ee83cd310",
}
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where the package dataset-fashion-mnist puts its files


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """1×28×28 pictures, 60,000 to learn from and 10,000 to be tested on, as their makers split them."""
    del seed, image_size, say
    refuse_argument("fashion-mnist", argument)
    train, test = _part("train"), _part("t10k")
    return PictureDataset(
        name="fashion-mnist",
        version="1.0",
        source="Zalando Research (Xiao, Rasul and Vollgraf 2017), MIT licence",
        classes=CLASSES,
        train=train,
        test=test,
    )


def missing() -> list[Remote]:
    """What has to be fetched before `load`, which fetches nothing."""
    return [_remote(name) for name in CHECKSUMS if _found(name) is None]


def _part(part: str) -> Pictures:
    pixels = _array(f"{part}-images-idx3-ubyte").reshape(-1, 28, 28, 1)
    labels = _array(f"{part}-labels-idx1-ubyte")
    return Pictures(channels_last(torch.from_numpy(pixels)), torch.from_numpy(labels.astype(np.int64)))


def _array(name: str) -> NDArray[np.uint8]:
    """The numbers of one of the four files."""
    data = _found(name)
    if data is None:
        data = _content(kept(_remote(name), "fashion-mnist"))
        assert data is not None, "the file has the right checksum"
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).copy()


def _remote(name: str) -> Remote:
    return Remote(f"{URL}{name}.gz", _folders()[-1] / f"{name}.gz", CHECKSUMS[name])


def _folders() -> tuple[Path, ...]:
    """Debian's, and the one in which torchvision would look, too."""
    return DEBIAN, downloads_folder() / "FashionMNIST" / "raw"


def _found(name: str) -> bytes | None:
    """An IDX file from one of the folders, packed or not."""
    files = (folder / f"{name}{ending}" for folder in _folders() for ending in ("", ".gz"))
    return next((data for file in files if (data := _content(file)) is not None), None)


def _content(file: Path) -> bytes | None:
    """What an IDX file holds, if it is there and whole: byte 3 is the number of sizes, which follow it."""
    try:
        data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        sizes = struct.unpack_from(f">{data[3]}I", data, 4)
    except (OSError, EOFError, zlib.error, struct.error, IndexError):  # not there, or broken off
        return None
    return data if len(data) == 4 + 4 * len(sizes) + math.prod(sizes) else None
