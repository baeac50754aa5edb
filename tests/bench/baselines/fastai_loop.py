"""fastai's learner with the picture recipe of its book: augmentation of whole batches, one-cycle schedule.

Pictures in memory, a batch cut out of them at once (as fastai does for tables), so no worker is needed: that was the
fastest on two cores. Flip and shift are composed into one interpolation, as `aug_transforms` does; `ChannelsLast` is
its own callback.
"""

from functools import partial

import numpy as np
import torch
from fastai import __version__
from fastai.callback.channelslast import ChannelsLast
from fastai.callback.schedule import Learner  # brings fit_one_cycle
from fastai.data.core import DataLoaders, TfmdDL
from fastai.data.transforms import IntToFloatTensor, Normalize
from fastai.learner import Callback
from fastai.losses import CrossEntropyLossFlat
from fastai.optimizer import SGD
from fastai.torch_core import TensorCategory, TensorImage
from fastai.vision.augment import AffineCoordTfm, Flip, PadMode, affine_mat, setup_aug_tfms
from numpy.typing import NDArray
from torch import Tensor

from core.vision.models import resnet20
from tests.bench.baselines import _contender as same


class Batches(TfmdDL):
    """Items are numbers; a batch is cut out of the pixels (N,C,H,W) at once."""

    def __init__(self, pixels: Tensor, labels: Tensor, **options: object) -> None:
        self.pixels, self.labels = pixels, labels
        super().__init__(dataset=range(len(labels)), num_workers=0, **options)

    def do_item(self, index: int | None) -> int:
        return index or 0

    def create_batch(self, indices: list[int]) -> tuple[TensorImage, TensorCategory]:
        chosen = torch.tensor(indices)
        return TensorImage(self.pixels[chosen]), TensorCategory(self.labels[chosen])


class Told(Callback):
    """Tells the stopwatch."""

    def __init__(self, watch: same.Stopwatch) -> None:
        self.watch = watch

    def after_batch(self) -> None:
        if self.training:
            self.watch.step()


def shift(x: Tensor) -> Tensor:
    """An affine matrix that moves each picture by whole pixels."""
    across, down = (torch.randint(-same.SHIFT, same.SHIFT + 1, (2, len(x))) * 2 / x.shape[-1]).float()
    zero, one = torch.zeros_like(across), torch.ones_like(across)
    return affine_mat(one, zero, across, zero, one, down)


def prepare(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> same.Round:
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    targets = torch.from_numpy(labels)
    options = {"mode": "nearest", "pad_mode": PadMode.Zeros}
    augment = setup_aug_tfms([Flip(**options), AffineCoordTfm(aff_fs=shift, **options)])
    after = [IntToFloatTensor(), *augment, Normalize.from_stats(same.MEAN, same.STD, cuda=False)]
    loaders = DataLoaders(
        Batches(images, targets, bs=same.BATCH, shuffle=True, after_batch=after),
        Batches(images[: same.BATCH], targets[: same.BATCH], bs=same.BATCH, after_batch=after),
        device=torch.device("cpu"),
    )
    learner = Learner(
        loaders, resnet20.build((3, 32, 32), 10), loss_func=CrossEntropyLossFlat(),
        opt_func=partial(SGD, mom=same.MOMENTUM), wd=same.WEIGHT_DECAY, cbs=[ChannelsLast()],
    )  # fmt: skip

    def train(watch: same.Stopwatch) -> None:
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(1, same.LEARNING_RATE, cbs=[Told(watch)])

    return train


if __name__ == "__main__":
    same.serve(prepare, version=__version__)
