"""Keras 3 on torch: ``compile`` and ``fit`` on a ``PyDataset`` that varies whole batches with NumPy.

The very net that the others train comes in by Keras's own `TorchModuleWrapper`, channels-last. Tuned on two cores: the
same net of Keras's own layers reached 0.7 of its speed, and two processes that make the batches gave 1.2 times that of
making them in between.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"  # read when it is imported

import keras
import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from core.vision.models import resnet20
from tests.bench.baselines import _contender as same

WORKERS = 2


class Varied(keras.utils.PyDataset):
    """Batches (B,32,32,3) of floats, cropped, flipped and normalised, and labels (B,)."""

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        super().__init__(workers=WORKERS, use_multiprocessing=True)
        sides = ((0, 0), (same.SHIFT, same.SHIFT), (same.SHIFT, same.SHIFT), (0, 0))
        self.windows = sliding_window_view(np.pad(pixels, sides), (32, 32), axis=(1, 2))  # (N,9,9,3,32,32)
        self.labels = labels
        self.chance = np.random.default_rng(0)
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.labels) // same.BATCH

    def __getitem__(self, place: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        chosen = self.order[place * same.BATCH : (place + 1) * same.BATCH]
        top, left = self.chance.integers(2 * same.SHIFT + 1, size=(2, same.BATCH))
        images = self.windows[chosen, top, left].transpose(0, 2, 3, 1)  # (B,32,32,3)
        mirrored = self.chance.random(same.BATCH) < 0.5
        images = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
        values = (images / np.float32(255) - np.float32(same.MEAN)) / np.float32(same.STD)
        return values, self.labels[chosen]

    def on_epoch_end(self) -> None:
        self.order = self.chance.permutation(len(self.labels))


class Classifier(keras.Model):
    """The net, whose pictures (B,H,W,C) it takes channels-last as they lie."""

    def __init__(self) -> None:
        super().__init__()
        net = resnet20.build((3, 32, 32), 10).to(memory_format=torch.channels_last)
        self.net = keras.layers.TorchModuleWrapper(net)

    def call(self, images: Tensor) -> Tensor:
        return self.net(images.permute(0, 3, 1, 2))


class Told(keras.callbacks.Callback):
    """Tells the stopwatch."""

    def __init__(self, watch: same.Stopwatch) -> None:
        super().__init__()
        self.watch = watch

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.watch.step()


def prepare(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> same.Round:
    model = Classifier()
    model.compile(
        optimizer=keras.optimizers.SGD(
            same.LEARNING_RATE, momentum=same.MOMENTUM, nesterov=True, weight_decay=same.WEIGHT_DECAY
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    data = Varied(pixels, labels)

    def train(watch: same.Stopwatch) -> None:
        model.fit(data, epochs=1, verbose=0, callbacks=[Told(watch)])

    return train


if __name__ == "__main__":
    same.serve(prepare, version=keras.__version__)
