"""Seven models that tell points in the plane apart: six of machine learning's classics, and a deep network.

The network is written out: its weights, its layers, its training. The classics are scikit-learn's.

Shapes: N points, 2 coordinates, K classes (2 or 3), D features, H width, G × G places of a picture, E epochs, F frames.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from torch import Tensor

from core.maths.plane import SHADES, Floats, Labels, Mask, check, shades
from core.threads import one_thread

GRID: Final = 44  # places along a side of a picture
FRAMES: Final = 32
BATCH: Final = 32
UNITS: Final = 12  # hidden units that are shown
ACTIVATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "none": lambda x: x,
}
Layers = list[tuple[Tensor, Tensor]]


def linear_features(points: Floats, squares: bool, product: bool, sine: bool) -> Floats:
    """What the linear model sees (N, D): x and y, and whatever a person has thought of for it.

    A deep network finds such features by itself; this is the whole difference.
    """
    x, y = points[:, 0], points[:, 1]
    columns = [x, y]
    if squares:
        columns += [x * x, y * y]
    if product:
        columns += [x * y]
    if sine:
        columns += [np.sin(np.pi * x), np.sin(np.pi * y)]
    return np.stack(columns, axis=1)


def classic(
    name: str, *, tree_depth: int = 6, trees: int = 50, neighbours: int = 5, gamma: float = 3.0, c: float = 3.0,
    seed: int = 0,
) -> Any:  # fmt: skip
    """A scikit-learn classifier that has not learnt anything yet. Raises `KeyError` for an unknown name."""
    makers: dict[str, Callable[[], Any]] = {
        "logistic": lambda: LogisticRegression(C=100, max_iter=2000),
        "tree": lambda: DecisionTreeClassifier(max_depth=tree_depth, random_state=seed),
        "forest": lambda: RandomForestClassifier(trees, max_depth=tree_depth, random_state=seed),
        "neighbours": lambda: KNeighborsClassifier(neighbours),
        "svm": lambda: SVC(C=c, gamma=gamma, break_ties=True),
        "bayes": GaussianNB,
    }
    return makers[name]()


def fit(
    name: str, points: Floats, labels: Labels, held_out: Mask, box: float, *,
    squares: bool = False, product: bool = False, sine: bool = False, neighbours: int = 5, **settings: Any,
) -> dict[str, Any]:  # fmt: skip
    """Fit a classic to the points that are not held out, and picture what it says everywhere else.

    Returns "grid" (G, G) as `plane.shades` gives it, rows from below; "train_error" and "test_error", shares of
    points it gets wrong (None where no point is held out).
    """
    check(points, labels)
    classes, targets = np.unique(labels, return_inverse=True)
    learnt = ~held_out
    model = classic(name, neighbours=min(neighbours, int(learnt.sum())), **settings)

    def features(at: Floats) -> Floats:
        return linear_features(at, squares, product, sine) if name == "logistic" else at

    model.fit(features(points[learnt]), targets[learnt])

    def probabilities(at: Floats) -> Floats:
        if name != "svm":
            return np.asarray(model.predict_proba(features(at)))
        # A support vector machine knows distances from its boundary, in margins, and no probabilities.
        distance = torch.from_numpy(model.decision_function(at))
        scores = distance if len(classes) > 2 else torch.stack([-distance, distance], dim=1)
        return scores.softmax(dim=1).numpy()

    wrong = probabilities(points).argmax(axis=1) != targets
    grid = shades(probabilities(grid_points(box))).reshape(GRID, GRID)
    return {"grid": grid, **_errors(wrong, held_out)}


def grid_points(box: float, side: int = GRID) -> Floats:
    """The middles of `side` × `side` squares that fill the picture (side², 2), row by row from below."""
    line = box * (2 * (np.arange(side) + 0.5) / side - 1)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def _errors(wrong: Mask, held_out: Mask) -> dict[str, float | None]:
    return {
        "train_error": float(wrong[~held_out].mean()),
        "test_error": float(wrong[held_out].mean()) if held_out.any() else None,
    }


def new_layers(depth: int, width: int, classes: int, activation: str, random: torch.Generator) -> Layers:
    """Weights (out, in) and biases (out,) of `depth` hidden layers and the last one.

    Drawn so that a signal keeps its size on the way: variance 2 / fan-in for ReLU, which drops half of it
    (He et al. 2015, arXiv 1502.01852, §2.2), and 1 / fan-in otherwise (Glorot and Bengio 2010, §4.2).
    """
    sizes = [2, *[width] * depth, classes]
    layers = []
    for place, (inputs, outputs) in enumerate(pairwise(sizes)):
        gain = 2.0 if activation == "relu" and place < depth else 1.0
        weight = torch.randn(outputs, inputs, generator=random) * (gain / inputs) ** 0.5
        layers.append((weight.requires_grad_(), torch.zeros(outputs, requires_grad=True)))
    return layers


def hidden(layers: Layers, activation: str, x: Tensor) -> Tensor:
    """The features that the hidden layers make of points x (N, 2): the activations of the last of them (N, H)."""
    bend = ACTIVATIONS[activation]
    for weight, bias in layers[:-1]:
        x = bend(F.linear(x, weight, bias))
    return x


def network(layers: Layers, activation: str, x: Tensor) -> Tensor:
    """What the network says of points x (N, 2): one logit for each class (N, K), linear in its hidden features."""
    weight, bias = layers[-1]
    return F.linear(hidden(layers, activation, x), weight, bias)


@one_thread()
def train_network(
    points: Floats, labels: Labels, held_out: Mask, box: float, *,
    depth: int = 3, width: int = 16, activation: str = "relu", learning_rate: float = 0.01, weight_decay: float = 0.0,
    epochs: int = 200, seed: int = 0, frames: int = FRAMES,
) -> dict[str, Any]:  # fmt: skip
    """Train a network on the points that are not held out, and film what it says of the plane.

    Mini-batches of 32, cross-entropy, AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101). Returns "grids"
    (F, G, G) and "frames" (F,), the epochs they were taken after; "train_loss", "test_loss", "train_errors" and
    "test_errors" (E + 1,) before training and after each epoch, NaN where no point is held out; the final
    "train_error" and "test_error"; "parameters"; "broken", the epoch in which an answer or the loss ceased to be a
    finite number, or None: the film ends before it. "units" (U, G / 2, G / 2) are the features with the greatest
    weights, at the end, each from 0, its least activation in the picture, to `plane.SHADES`.
    """
    check(points, labels)
    classes, targets = np.unique(labels, return_inverse=True)
    random = torch.Generator().manual_seed(seed)
    layers = new_layers(depth, width, len(classes), activation, random)
    parameters = [tensor for layer in layers for tensor in layer]
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=weight_decay, fused=True)

    all_x, all_y = torch.tensor(points, dtype=torch.float32), torch.tensor(targets)
    learnt = torch.from_numpy(~held_out)
    x, y = all_x[learnt], all_y[learnt]
    places = torch.tensor(grid_points(box), dtype=torch.float32)
    filmed = np.unique(np.linspace(0, epochs, frames).round().astype(int))
    grids: list[npt.NDArray[np.uint8]] = []
    curves: list[tuple[float, float, float, float]] = []
    broken = None

    for epoch in range(epochs + 1):
        if epoch:
            for batch in torch.randperm(len(x), generator=random).split(BATCH):
                loss = F.cross_entropy(network(layers, activation, x[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        with torch.inference_mode():
            logits = network(layers, activation, all_x)
            seen = network(layers, activation, places).softmax(dim=1) if epoch in filmed else logits  # (G², K)
            measured = _measure(logits, all_y, learnt)
            # Logits of 1e38 are finite still, and the loss, a difference of two of them, is not.
            losses = measured[: 2 if held_out.any() else 1]
            if not (logits.isfinite().all() and seen.isfinite().all() and np.isfinite(losses).all()):
                broken = epoch
                break
            curves.append(measured)
            if epoch in filmed:
                grids.append(shades(seen.double().numpy()).reshape(GRID, GRID))

    train_loss, test_loss, train_errors, test_errors = np.array(curves, dtype=np.float32).T
    return {
        "grids": np.stack(grids),
        "frames": [int(epoch) for epoch in filmed[: len(grids)]],
        "train_loss": train_loss,
        "test_loss": test_loss,
        "train_errors": train_errors,
        "test_errors": test_errors,
        "train_error": float(train_errors[-1]),
        "test_error": float(test_errors[-1]) if held_out.any() else None,
        "parameters": sum(tensor.numel() for tensor in parameters),
        "broken": broken,
        "units": _units(layers, activation, box) if depth and broken is None else np.empty((0, 0, 0), np.uint8),
    }


def _units(layers: Layers, activation: str, box: float) -> npt.NDArray[np.uint8]:
    side = GRID // 2
    weights = layers[-1][0].detach()  # (K, H)
    strongest = (weights - weights.mean(dim=0)).norm(dim=0).argsort(descending=True)[:UNITS]
    with torch.inference_mode():
        active = hidden(layers, activation, torch.tensor(grid_points(box, side), dtype=torch.float32))[:, strongest]
        low, high = active.amin(dim=0), active.amax(dim=0)
        scaled = SHADES * (active - low) / (high - low).clamp(min=1e-12)
    return scaled.T.reshape(-1, side, side).round().byte().numpy()


def _measure(logits: Tensor, labels: Tensor, learnt: Tensor) -> tuple[float, float, float, float]:
    """Loss of the training and test points, share of them that is wrong; the mean of nothing is NaN."""
    losses = F.cross_entropy(logits, labels, reduction="none")
    wrong = (logits.argmax(dim=1) != labels).float()
    values = torch.stack([losses[learnt].mean(), losses[~learnt].mean(), wrong[learnt].mean(), wrong[~learnt].mean()])
    train_loss, test_loss, train_error, test_error = values.tolist()
    return train_loss, test_loss, train_error, test_error
