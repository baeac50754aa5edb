"""Handwritten digits: 1,797 grey pictures of 8×8 pixels that come with the installation."""

import hashlib

import torch

from core.errors import UserError
from core.tasks import Say
from core.vision.datasets._argument import refuse_argument
from core.vision.pictures import PictureDataset, Pictures, stratified_split

TEST_SHARE = 0.2


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """1×8×8 pictures in 10 classes, a seeded and stratified fifth of them for the test.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998, as packed by
    scikit-learn.
    """
    del image_size
    refuse_argument("digits", argument)
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415  slow to import, and not on every machine
    except ImportError:
        raise UserError(
            "The digits come with scikit-learn, which is not installed here; "
            "install it with “pip install scikit-learn” or choose another data set."
        ) from None
    say("digits", 0.0)
    packed = load_digits()
    grey = torch.from_numpy(packed.images)  # (N,8,8) float64, 0 white paper to 16 full ink
    images = (grey * 255 / 16).round().to(torch.uint8).unsqueeze(1)  # (N,1,8,8)
    images = images.contiguous(memory_format=torch.channels_last)
    pictures = Pictures(images, torch.from_numpy(packed.target).long())
    rest, part = stratified_split(pictures.labels, TEST_SHARE, seed)
    say("digits", 1.0)
    return PictureDataset(
        name="digits",
        version=hashlib.sha256(images.numpy().tobytes()).hexdigest()[:12],
        source="Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, UCI 1998, CC BY 4.0), "
        "by way of scikit-learn",
        classes=tuple("0123456789"),
        train=pictures.take(rest),
        test=pictures.take(part),
    )
