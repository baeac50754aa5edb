"""PyTorch Lightning's trainer, as in its tutorial "CIFAR10 ~94 % baseline": a LightningModule and a DataLoader.

Pictures through PIL as torchvision's data set gives them. Tuned on two cores: one worker, kept between epochs, was
faster than none and than two; `channels_last` for net and batch; no logger, no progress bar, no checkpoints.
"""

import logging
import warnings
from typing import Any

import numpy as np
import pytorch_lightning as lightning
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from core.vision.models import resnet20
from tests.bench.baselines import _contender as same

WORKERS = 1


class Cifar(Dataset[tuple[Tensor, int]]):
    """What `torchvision.datasets.CIFAR10` does with its array."""

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        """`pixels` (N,H,W,C) bytes."""
        self.pixels, self.labels = pixels, labels.tolist()
        self.transform = transforms.Compose([
            transforms.RandomCrop(32, padding=same.SHIFT), transforms.RandomHorizontalFlip(),
            transforms.ToTensor(), transforms.Normalize(same.MEAN, same.STD),
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


class Classifier(lightning.LightningModule):
    """The net with its loss and its optimiser."""

    def __init__(self) -> None:
        super().__init__()
        self.net = resnet20.build((3, 32, 32), 10).to(memory_format=torch.channels_last)

    def training_step(self, batch: tuple[Tensor, Tensor], _place: int) -> Tensor:
        images, labels = batch
        loss = F.cross_entropy(self.net(images.contiguous(memory_format=torch.channels_last)), labels)
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(
            self.parameters(),
            lr=same.LEARNING_RATE,
            momentum=same.MOMENTUM,
            nesterov=True,
            weight_decay=same.WEIGHT_DECAY,
        )


class Told(lightning.Callback):
    """Tells the stopwatch."""

    def __init__(self, watch: same.Stopwatch) -> None:
        self.watch = watch

    def on_train_batch_end(self, *_: Any) -> None:
        self.watch.step()


def prepare(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> same.Round:
    loader = DataLoader(
        Cifar(pixels, labels), batch_size=same.BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=WORKERS > 0
    )
    classifier = Classifier()

    def train(watch: same.Stopwatch) -> None:
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, callbacks=[Told(watch)],
        )  # fmt: skip
        trainer.fit(classifier, loader)

    return train


if __name__ == "__main__":
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    same.serve(prepare, version=lightning.__version__)
