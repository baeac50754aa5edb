"""CIFAR-10: 60,000 colour photographs of 32×32 pixels, 10 classes of animals and vehicles (Krizhevsky 2009)."""

import torch

from core.tasks import Say
from core.vision.datasets._argument import refuse_argument
from core.vision.datasets._downloads import channels_last, torchvision_dataset
from core.vision.pictures import PictureDataset, Pictures


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """3×32×32 pictures, 50,000 to learn from and 10,000 to be tested on, as their maker split them."""
    del seed, image_size
    refuse_argument("cifar10", argument)
    parts = [torchvision_dataset("CIFAR10", "CIFAR-10", train, say) for train in (True, False)]
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
