"""Train a small convolutional network, test it once: python corrected.py [digits | cifar10] [epochs]

"digits" comes with scikit-learn; "cifar10" is downloaded by torchvision (170 MB) the first time.
"""

import sys

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

Pictures = Dataset[tuple[Tensor, ...]]  # of (3, 32, 32) from 0 to 1, each with its class from 0 to 9


def small_network() -> nn.Sequential:
    """Pictures (B, 3, 32, 32) to ten logits (B, 10), no softmax; 62,006 parameters."""
    return nn.Sequential(
        nn.Conv2d(3, 6, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2),  # (B, 6, 14, 14)
        nn.Conv2d(6, 16, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2),  # (B, 16, 5, 5)
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def load_pictures(name: str) -> tuple[Pictures, Pictures]:
    """The training part and the test part."""
    if name == "cifar10":
        from torchvision import datasets, transforms  # noqa: PLC0415  here: importing it takes seconds

        as_tensor = transforms.ToTensor()
        train, test = (datasets.CIFAR10("data", part, as_tensor, download=True) for part in (True, False))
        return train, test
    digits = load_digits()
    small = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16  # (1797, 1, 8, 8)
    pictures = F.interpolate(small, size=32, mode="bilinear").repeat(1, 3, 1, 1)
    train, test = random_split(TensorDataset(pictures, torch.tensor(digits.target)), [0.8, 0.2])
    return train, test


@torch.no_grad()
def accuracy(model: nn.Module, part: Pictures, device: torch.device) -> float:
    model.eval()
    batches = DataLoader(part, batch_size=256)
    return torch.cat([model(x.to(device)).argmax(1) == y.to(device) for x, y in batches]).float().mean().item()


def main(name: str = "digits", epochs: int = 5) -> float:
    torch.manual_seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, test = load_pictures(name)
    train, validation = random_split(train, [0.9, 0.1])  # the test part stays sealed until the end
    model = small_network().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(1, epochs + 1):
        model.train()
        losses = []
        for pictures, classes in DataLoader(train, batch_size=16, shuffle=True):
            loss = F.cross_entropy(model(pictures.to(device)), classes.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        mean, validated = sum(losses) / len(losses), accuracy(model, validation, device)
        print(f"epoch {epoch}: loss {mean:.3f}, validation accuracy {validated:.1%}", flush=True)
    tested = accuracy(model, test, device)
    print(f"test accuracy {tested:.1%}")
    return tested


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else "digits", int(sys.argv[2]) if sys.argv[2:] else 5)
