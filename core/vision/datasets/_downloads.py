"""Data sets that torchvision fetches once and keeps."""

from typing import Any
from urllib.error import URLError

import torch

from core.errors import UserError
from core.home import atlas_home
from core.tasks import Say


def torchvision_dataset(name: str, title: str, train: bool, say: Say) -> Any:
    """torchvision's data set of that name, from the cache or else from the internet; `UserError` without either."""
    import torchvision  # noqa: PLC0415  takes seconds, and folders of pictures do without it

    folder = atlas_home() / "downloads"
    make = getattr(torchvision.datasets, name)
    try:
        return make(folder, train=train, download=False)
    except RuntimeError:  # not there yet, or broken
        say("download", 0.0)
    try:
        return make(folder, train=train, download=True)
    except (URLError, OSError, RuntimeError):
        raise UserError(
            "{name} is not on this machine and cannot be downloaded. Connect to the internet once, or put its "
            "files into {folder}.",
            name=title,
            folder=folder,
        ) from None


def channels_last(images: torch.Tensor) -> torch.Tensor:
    """(N,H,W,C) bytes as (N,C,H,W), the same memory."""
    return images.permute(0, 3, 1, 2)
