"""Picture classification as a task for the training loop."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.device import autocast
from core.errors import UserError
from core.files import replacing
from core.tasks import Say
from core.training.recipe import Recipe
from core.training.task import Score, Task
from core.vision.augmentation import alternating_mirror, random_cutout, random_move
from core.vision.network import build_network
from core.vision.pictures import PictureDataset, Pictures
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset, splits

EVALUATION_BATCH = 500
WRONG_PICTURES = 30  # of the most confidently wrong, kept in the report


def build(recipe: Recipe, device: torch.device, say: Say) -> "PictureTask":
    """Load a recipe's pictures and initialise its model."""
    assert isinstance(recipe, PictureRecipe)
    return PictureTask(recipe, load_dataset(recipe, say), device)


class PictureTask(Task):
    """The whole data set lies on the device as bytes; a batch is cut out, varied and normalised there."""

    def __init__(self, recipe: PictureRecipe, dataset: PictureDataset, device: torch.device) -> None:
        self.recipe, self.dataset, self.device = recipe, dataset, device
        if recipe.cutout > min(dataset.input_shape[1:]):
            raise UserError(
                "{field} must be at most {maximum}, not {value}.",
                field="cutout",
                maximum=min(dataset.input_shape[1:]),
                value=recipe.cutout,
            )
        train, validation, test = splits(dataset, recipe)
        self.parts: dict[str, Pictures] = {
            name: part.to(device) for name, part in (("train", train), ("validation", validation), ("test", test))
        }
        self.num_train = len(train)
        # (N,H,W,C) view of the bytes: cutting whole pictures out of it gives channels-last batches.
        self.pixels = self.parts["train"].images.permute(0, 2, 3, 1).contiguous()
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.model, dataset.input_shape, len(dataset.classes))
        network.fit(self.parts["train"].images)
        self.model = network.to(device).to(memory_format=torch.channels_last)
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        self.mirrored: Tensor | None = None  # (N,) which pictures are in this epoch, if not chance decides
        if self.recipe.flip and self.recipe.alternating_flip:
            even = alternating_mirror(self.num_train, self.recipe.seed).to(self.device)
            self.mirrored = even if epoch % 2 == 0 else ~even

    def batch(self, indices: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        # index_select copies whole pictures; plain indexing would move them byte by byte, 15 times slower on a CPU.
        images = self.pixels.index_select(0, indices).permute(0, 3, 1, 2)  # (B,C,H,W) bytes
        if self.recipe.crop or self.recipe.flip:
            flip = self.recipe.flip if self.mirrored is None else self.mirrored.index_select(0, indices)
            images = random_move(images, self.recipe.crop, flip, generator)
        if self.recipe.cutout:
            images = random_cutout(images, self.recipe.cutout, generator)
        return images.div(255), self.parts["train"].labels.index_select(0, indices)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits, targets, label_smoothing=self.recipe.label_smoothing)

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        return (logits.argmax(1) == targets).sum()

    def evaluate(self, part: str) -> Score:
        losses, correct, count = [], [], 0
        for logits, labels in self._predictions(part):
            losses.append(F.cross_entropy(logits, labels, reduction="sum"))
            correct.append(self.correct(logits, labels))
            count += len(labels)
        if not count:
            return Score()
        # Read at the end: each reading waits for the device.
        return Score(sum(torch.stack(losses).tolist()), sum(torch.stack(correct).tolist()), count)

    @torch.no_grad()
    def _predictions(self, part: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Logits (B,K) and labels (B,) of a part, batch by batch, in order."""
        pictures = self.parts[part]
        self.model.eval()
        for start in range(0, len(pictures), EVALUATION_BATCH):
            images = pictures.images[start : start + EVALUATION_BATCH]
            images = images.to(torch.float32, memory_format=torch.channels_last).div_(255)
            with autocast(self.device):
                logits = self.model(images)
                if self.recipe.flip_test:
                    logits = (logits + self.model(images.flip(3))) / 2
            yield logits.float(), pictures.labels[start : start + EVALUATION_BATCH]
        self.model.train()

    def metadata(self) -> dict[str, Any]:
        return {
            "task": self.recipe.task,
            "model": self.recipe.model,
            "classes": list(self.dataset.classes),
            "input_shape": list(self.dataset.input_shape),
            "dataset": self.dataset.name,
            "dataset_version": self.dataset.version,
            "dataset_source": self.dataset.source,
            "num_train": self.num_train,
            "num_validation": len(self.parts["validation"]),
            "num_test": len(self.parts["test"]),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "recipe": self.recipe.to_mapping(),
        }

    def write_report(self, folder: Path) -> None:
        """`report.npz`: the confusion matrix, every prediction, and the most confidently wrong pictures."""
        batches = [logits.softmax(1).cpu() for logits, _ in self._predictions("test")]
        probabilities = torch.cat(batches)  # (N,K)
        labels = self.parts["test"].labels.cpu()
        confidence, predictions = probabilities.max(1)
        classes = probabilities.shape[1]
        confusion = torch.bincount(labels * classes + predictions, minlength=classes**2).reshape(classes, classes)
        wrong = (predictions != labels).nonzero().flatten()
        wrong = wrong[confidence[wrong].argsort(descending=True)][:WRONG_PICTURES]
        images = self.parts["test"].images[wrong.to(self.device)].permute(0, 2, 3, 1)
        with replacing(folder / "report.npz") as file:
            np.savez_compressed(
                file,
                confusion=confusion.numpy(),
                labels=labels.numpy(),
                predictions=predictions.numpy(),
                confidence=confidence.numpy(),
                wrong_images=images.cpu().numpy(),
                wrong_true=labels[wrong].numpy(),
                wrong_predicted=predictions[wrong].numpy(),
                wrong_confidence=confidence[wrong].numpy(),
            )
