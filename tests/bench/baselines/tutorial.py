"""The training loop of PyTorch's introductory tutorial ("Training a Classifier"), its pictures through PIL.

Data set, transforms, DataLoader with two workers, SGD with momentum, ``loss.item()`` at every step: the recipe as it
is published, at its batch of 4 and at 128. Crop and flip as in the common CIFAR-10 recipe.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


class PilPictures(Dataset[tuple[torch.Tensor, int]]):
    """What `torchvision.datasets.CIFAR10` does with its array: a PIL picture for each item, then the transforms."""

    def __init__(self, pixels: NDArray[np.uint8], labels: list[int], augmented: bool) -> None:
        """`pixels` (N,H,W,C) bytes."""
        self.pixels, self.labels = pixels, labels
        varied = [transforms.RandomCrop(pixels.shape[1], padding=4), transforms.RandomHorizontalFlip()]
        plain = [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))]
        self.transform = transforms.Compose([*(varied if augmented else []), *plain])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def tutorial(
    make: Callable[[], nn.Module], pixels: NDArray[np.uint8], labels: list[int], batch_size: int, batches: int,
    augmented: bool = False,
) -> float:  # fmt: skip
    """Pictures per second over `batches` steps, the start of the workers left out."""
    net = make()
    loader = DataLoader(PilPictures(pixels, labels, augmented), batch_size=batch_size, shuffle=True, num_workers=2)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    running_loss, began = 0.0, 0.0
    for step, (inputs, targets) in enumerate(loader):
        if step == 1:
            began = time.perf_counter()  # the workers are there, the first batch is done
        if step > batches:
            break
        optimizer.zero_grad()
        loss = criterion(net(inputs), targets)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    assert step > batches, "too few pictures for so many batches"
    assert running_loss > 0
    return batches * batch_size / (time.perf_counter() - began)
