"""Our own loop beside the others: the same pictures, net and optimiser, asked in the same way."""

import numpy as np
import torch
from numpy.typing import NDArray

from core.device import prepare as prepare_process
from core.training.loop import Trainer
from core.vision.pictures import PictureDataset, Pictures
from core.vision.recipe import PictureRecipe
from core.vision.task import PictureTask
from tests.bench.baselines import _contender as same


def prepare(pixels: NDArray[np.uint8], labels: NDArray[np.int64]) -> same.Round:
    device = torch.device("cpu")
    prepare_process(device)
    part = Pictures(torch.from_numpy(pixels).permute(0, 3, 1, 2), torch.from_numpy(labels))
    few = part.take(torch.arange(same.BATCH))
    dataset = PictureDataset("generated", "1", "random bytes", tuple("0123456789"), part, few, few)
    recipe = PictureRecipe(
        model="resnet20", optimizer="nesterov", learning_rate=same.LEARNING_RATE, weight_decay=same.WEIGHT_DECAY,
        batch_size=same.BATCH, epochs=1, crop=same.SHIFT, flip=True, device="cpu",
    )  # fmt: skip
    task = PictureTask(recipe, dataset, device)

    def train(watch: same.Stopwatch) -> None:
        def tell() -> bool:
            if trainer.step > watch.steps:
                watch.step()
            return False

        trainer = Trainer(task, recipe, device, pulse=tell)
        for _event in trainer.events():
            if trainer.step == trainer.steps:
                tell()
                return

    return train


if __name__ == "__main__":
    same.serve(prepare, version="ours")
