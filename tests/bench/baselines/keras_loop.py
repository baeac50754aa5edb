"""Keras 3 on torch: ``compile`` and ``fit`` on a ``PyDataset`` that varies whole batches with NumPy.

The very net that the others train comes in by Keras's own `TorchModuleWrapper`. Tuned on two cores: see `VARIANT`.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.vision.models import resnet20
from tests.bench.baselines import _contender as same

NET = os.environ.get("NET", "wrapped")
DATA = os.environ.get("DATA", "pydataset")
WORKERS = int(os.environ.get("WORKERS", "1"))
MULTI = os.environ.get("MULTI") == "1"


class Varied(keras.utils.PyDataset):
    """Batches (B,32,32,3) of floats, cropped and flipped, and labels (B,)."""

    def __init__(self, pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        super().__init__(workers=WORKERS, use_multiprocessing=MULTI)
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
        return ((images / np.float32(255) - np.float32(same.MEAN)) / np.float32(same.STD)), self.labels[chosen]

    def on_epoch_end(self) -> None:
        self.order = self.chance.permutation(len(self.labels))


def conv(x, width, kernel, stride=1):
    x = keras.layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return keras.layers.BatchNormalization()(x)


def native(x):
    x = keras.layers.ReLU()(conv(x, 16, 3))
    before = 16
    for stage, width in enumerate((16, 32, 64)):
        for place in range(3):
            stride = 2 if stage and not place else 1
            y = keras.layers.ReLU()(conv(x, width, 3, stride))
            y = conv(y, width, 3)
            if stride == 2:
                x = x[:, ::2, ::2]
                half = (width - before) // 2
                x = keras.ops.pad(x, ((0, 0), (0, 0), (0, 0), (half, half)))
            x = keras.layers.ReLU()(x + y)
            before = width
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.layers.Dense(10)(x)


class Wrapped(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        net = resnet20.build((3, 32, 32), 10).to(memory_format=torch.channels_last)
        self.net = keras.layers.TorchModuleWrapper(net)

    def call(self, x):
        return self.net(x.permute(0, 3, 1, 2))


class Told(keras.callbacks.Callback):
    """Tells the stopwatch."""

    def __init__(self, watch: same.Stopwatch) -> None:
        super().__init__()
        self.watch = watch

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.watch.step()


def prepare(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> same.Round:
    if NET == "wrapped":
        model = Wrapped()
    else:
        x = inputs = keras.Input((32, 32, 3))
        if DATA == "layers":
            x = keras.layers.RandomFlip("horizontal")(x)
            x = keras.layers.RandomTranslation(
                same.SHIFT / 32, same.SHIFT / 32, fill_mode="constant", interpolation="nearest"
            )(x)
            x = keras.layers.Rescaling(1 / 255)(x)
        model = keras.Model(inputs, native(x))
    model.compile(
        keras.optimizers.SGD(same.LEARNING_RATE, momentum=same.MOMENTUM, nesterov=True, weight_decay=same.WEIGHT_DECAY),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    data = Varied(pixels, labels)

    def train(watch: same.Stopwatch) -> None:
        if DATA == "layers":
            model.fit(pixels, labels, batch_size=same.BATCH, epochs=1, verbose=0, callbacks=[Told(watch)])
        else:
            model.fit(data, epochs=1, verbose=0, callbacks=[Told(watch)])

    return train


if __name__ == "__main__":
    same.serve(prepare, version=keras.__version__)
