"""Picture classification as a task for the training loop."""

import math
from collections.abc import Iterator, Sequence
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
from core.training.task import MOST_TOGETHER, Batch, Score, Task
from core.vision.ahead import Reader, room_for_pictures
from core.vision.augmentation import alternating_mirror, cut_out, draw_centres, draw_moves, moved
from core.vision.network import build_network
from core.vision.pictures import PictureDataset, Pictures
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset, splits

PARTS = ("train", "validation", "test")
EVALUATION_BATCH = 500
TOGETHER_BYTES = 2**24  # of batches that are made one right after the other
WRONG_PICTURES = 30  # of the most confidently wrong, kept in the report


def build(recipe: Recipe, device: torch.device, say: Say) -> "PictureTask":
    """Load a recipe's pictures and initialise its model."""
    assert isinstance(recipe, PictureRecipe)
    return PictureTask(recipe, load_dataset(recipe, say), device)


class PictureTask(Task):
    """The data set lies on the device as bytes, where it fits; a batch is cut out, varied and normalised there.

    What is too large stays in memory, or in its file, and its batches are read ahead.
    """

    def __init__(self, recipe: PictureRecipe, dataset: PictureDataset, device: torch.device) -> None:
        self.recipe, self.device = recipe, device
        if recipe.cutout > min(dataset.input_shape[1:]):
            raise UserError(
                "{field} must be at most {maximum}, not {value}.",
                field="cutout",
                maximum=min(dataset.input_shape[1:]),
                value=recipe.cutout,
            )
        self.classes, self.input_shape = dataset.classes, dataset.input_shape
        self.source = {
            "dataset": dataset.name, "dataset_version": dataset.version, "dataset_source": dataset.source,
        }  # fmt: skip
        self.parts = _placed(dict(zip(PARTS, splits(dataset, recipe), strict=True)), device)
        self.readers = {name: Reader(part, device) for name, part in self.parts.items()}
        self.num_train = len(self.parts["train"])
        self.indices_on = torch.device("cpu") if self.readers["train"].far else device
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.model, self.input_shape, len(self.classes))
        network.fit(self.parts["train"])
        self.model = network.to(device).to(memory_format=torch.channels_last)
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        self.mirrored: Tensor | None = None  # (N,) which pictures are in this epoch, if not chance decides
        if self.recipe.flip and self.recipe.alternating_flip:
            even = alternating_mirror(self.num_train, self.recipe.seed).to(self.device)
            self.mirrored = even if epoch % 2 == 0 else ~even

    def expect(self, indices: Tensor) -> None:
        self.readers["train"].expect(indices)

    def batches_together(self, batch_size: int) -> int:
        most = TOGETHER_BYTES // (4 * batch_size * math.prod(self.input_shape))
        return max(1, min(MOST_TOGETHER, most))

    def batch(self, indices: Tensor, generator: torch.Generator) -> Batch:
        return self.batches([indices], generator)[0]

    def batches(self, several: Sequence[Tensor], generator: torch.Generator) -> list[Batch]:
        sizes, indices = [len(some) for some in several], torch.cat(list(several))
        here = indices.to(self.device)
        images = self.readers["train"].batch(indices)  # (B,C,H,W) bytes, all of them
        moves, centres = [], []
        for which in here.split(sizes):
            if self.recipe.crop or self.recipe.flip:
                flip = self.recipe.flip if self.mirrored is None else self.mirrored.index_select(0, which)
                moves.append(draw_moves(len(which), self.recipe.crop, flip, generator))
            if self.recipe.cutout:
                centres.append(draw_centres(len(which), generator))
        if moves:
            images = moved(images, self.recipe.crop, torch.cat(moves, 1))
        if centres:
            images = cut_out(images, self.recipe.cutout, torch.cat(centres, 1))
        labels = self.parts["train"].labels.index_select(0, here)
        return list(zip(_fractions(images).split(sizes), labels.split(sizes), strict=True))

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits, targets, label_smoothing=self.recipe.label_smoothing)

    def correct(self, logits: Tensor, targets: Tensor) -> Tensor:
        return torch.count_nonzero(logits.argmax(1) == targets)

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
        self.model.eval()
        start = 0
        for images in self.readers[part].in_order(EVALUATION_BATCH):
            labels = self.parts[part].labels[start : start + len(images)]
            start += len(images)
            with autocast(self.device):
                values = _fractions(images)
                logits = self.model(values)
                if self.recipe.flip_test:
                    logits = (logits + self.model(values.flip(3))) / 2
            yield logits.float(), labels
        self.model.train()

    def metadata(self) -> dict[str, Any]:
        return {
            "task": self.recipe.task,
            "model": self.recipe.model,
            "classes": list(self.classes),
            "input_shape": list(self.input_shape),
            **self.source,
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
        images = self.parts["test"].at(wrong.to(self.parts["test"].device)).permute(0, 2, 3, 1)
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


def _fractions(images: Tensor) -> Tensor:
    """Bytes (B,C,H,W) as values from 0 to 1, channels-last."""
    if images.device.type != "cpu":
        return images.div(255)
    # Two passes of vector instructions: `div` of the bytes themselves takes three times as long, to the same bits.
    return images.to(torch.float32, memory_format=torch.channels_last).div_(255)


def _placed(parts: dict[str, Pictures], device: torch.device) -> dict[str, Pictures]:
    """The parts on the device if all of them have room there; else their labels alone."""
    size = math.prod(parts["train"].whole.shape[1:]) * sum(map(len, parts.values()))
    if device.type == "cpu" or size <= room_for_pictures(device):
        return {name: part.to(device) for name, part in parts.items()}
    return {name: part.labels_to(device) for name, part in parts.items()}
