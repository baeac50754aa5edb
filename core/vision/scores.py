"""Scores from a confusion matrix, (K,K): rows are true classes, columns predicted ones. Knows no torch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def accuracy(confusion: NDArray[np.int64]) -> float:
    """Top-1 accuracy: the share on the diagonal, 0 for an empty matrix."""
    return float(np.trace(confusion) / max(1, confusion.sum()))


def per_class_scores(confusion: NDArray[np.int64]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of every class; 0 where there is nothing to divide by."""
    hits = np.diag(confusion).astype(float)
    predicted, support = confusion.sum(0), confusion.sum(1)
    precision = hits / np.maximum(1, predicted)
    recall = hits / np.maximum(1, support)
    f1 = 2 * precision * recall / np.maximum(1e-12, precision + recall)
    return [
        {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
        for p, r, f, s in zip(precision, recall, f1, support, strict=True)
    ]


def macro_average(confusion: NDArray[np.int64]) -> dict[str, float]:
    """The mean of precision, recall and F1 over the classes, rare ones counting as much as common ones."""
    rows = per_class_scores(confusion)
    return {name: float(np.mean([row[name] for row in rows])) for name in ("precision", "recall", "f1")}
