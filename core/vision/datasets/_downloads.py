"""Where the data sets that are fetched once are kept."""

from pathlib import Path

import torch

from core.home import atlas_home


def downloads_folder() -> Path:
    return atlas_home() / "downloads"


def channels_last(images: torch.Tensor) -> torch.Tensor:
    """(N,H,W,C) bytes as (N,C,H,W), channels-last in memory: the same memory where it lies so already."""
    return images.contiguous().permute(0, 3, 1, 2)
