"""Fashion-MNIST: 70,000 grey pictures of clothes, 28×28 pixels, 10 classes (Xiao et al. 2017)."""

import gzip
from pathlib import Path

import numpy as np
import torch

from core.tasks import Say
from core.vision.datasets._argument import refuse_argument
from core.vision.datasets._downloads import channels_last, torchvision_dataset
from core.vision.pictures import PictureDataset, Pictures

CLASSES = (
    "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # where the package dataset-fashion-mnist puts its files


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """1×28×28 pictures, 60,000 to learn from and 10,000 to be tested on, as their makers split them."""
    del seed, image_size
    refuse_argument("fashion-mnist", argument)
    train, test = _part("train", say), _part("t10k", say)
    return PictureDataset(
        name="fashion-mnist",
        version="1.0",
        source="Zalando Research (Xiao, Rasul and Vollgraf 2017), MIT licence",
        classes=CLASSES,
        train=train,
        test=test,
    )


def _part(part: str, say: Say) -> Pictures:
    images, labels = _file(f"{part}-images-idx3-ubyte"), _file(f"{part}-labels-idx1-ubyte")
    if images is None or labels is None:
        data = torchvision_dataset("FashionMNIST", "Fashion-MNIST", part == "train", say)
        return Pictures(channels_last(data.data[..., None]), data.targets.long())
    pixels = torch.from_numpy(np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28, 1).copy())
    return Pictures(channels_last(pixels), torch.from_numpy(np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)))


def _file(name: str) -> bytes | None:
    """An IDX file of the Debian package, packed or not."""
    plain, packed = DEBIAN / name, DEBIAN / f"{name}.gz"
    if plain.is_file():
        return plain.read_bytes()
    return gzip.decompress(packed.read_bytes()) if packed.is_file() else None
