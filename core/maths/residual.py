"""Plain and residual stacks of equal width: what reaches which layer before training, and a short race.

Legend of shapes: B pictures, D = 64 pixels and units of every layer, K = 10 classes.
He et al. 2015, "Deep Residual Learning for Image Recognition", arXiv 1512.03385.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.threads import one_thread

WIDTH, CLASSES = 64, 10
LEAST, MOST = 2, 56  # layers with weights
BATCH = 128
TEST = 360  # of the 1,797 digits
Initialise = Callable[[Tensor, torch.Generator], object]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
}
INITIALISATIONS: dict[str, Initialise] = {
    "he": lambda weight, g: nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=g),  # variance 2 / in
    "xavier": lambda weight, g: nn.init.xavier_normal_(weight, generator=g),  # variance 2 / (in + out)
    "small": lambda weight, g: nn.init.normal_(weight, 0.0, 0.01, generator=g),
    "orthogonal": lambda weight, g: nn.init.orthogonal_(weight, generator=g),
}


class Block(nn.Module):
    """Two layers F; with a shortcut x + F(x), without F(x) alone (arXiv 1512.03385, §3.1 and figure 2).

    `after`: an activation follows the sum, as in that paper. Otherwise both stand before their layers and nothing
    stands on the way of x, as the same authors proposed in 2016 (arXiv 1603.05027, figure 4e).
    """

    def __init__(self, residual: bool, activation: str, normalised: bool, after: bool) -> None:
        super().__init__()
        self.layer1, self.layer2 = _layer(WIDTH), _layer(WIDTH)
        self.norm1, self.norm2 = _norm(normalised), _norm(normalised)
        self.act, self.residual, self.after = ACTIVATIONS[activation], residual, after

    def branch(self, x: Tensor) -> Tensor:
        """F(x): (B,D) → (B,D)."""
        if self.after:
            y = self.act(self.norm1(self.layer1(x)))
            return cast(Tensor, self.norm2(self.layer2(y)))
        y = self.layer1(self.act(self.norm1(x)))
        return cast(Tensor, self.layer2(self.act(self.norm2(y))))

    def join(self, x: Tensor, y: Tensor) -> Tensor:
        """What leaves the block, from x and F(x): (B,D), (B,D) → (B,D)."""
        if self.residual:
            y = x + y
        return self.act(y) if self.after else y

    def forward(self, x: Tensor) -> Tensor:
        """(B,D) → (B,D)."""
        return self.join(x, self.branch(x))


class Stack(nn.Module):
    """`depth` layers with weights: one of pixels, (depth - 2) / 2 blocks of two, one of classes.

    Nets of one depth, seed and initialisation begin with the same weights, with or without shortcuts.
    """

    def __init__(
        self, depth: int, residual: bool, activation: str, initialisation: str, normalised: bool, after: bool, seed: int
    ) -> None:
        super().__init__()
        self.first = _layer(WIDTH)
        self.blocks = nn.ModuleList(Block(residual, activation, normalised, after) for _ in range((depth - 2) // 2))
        self.norm = _norm(normalised)
        self.last = _layer(CLASSES)
        self.act, self.after = ACTIVATIONS[activation], after
        generator = torch.Generator().manual_seed(seed)
        for layer in (*self.layers(), self.last):
            INITIALISATIONS[initialisation](layer.weight, generator)
            nn.init.zeros_(layer.bias)

    def connect(self) -> None:
        """Give every block its shortcut; the weights stay as they are."""
        for block in cast(Iterable[Block], self.blocks):
            block.residual = True

    def layers(self) -> Iterator[nn.Linear]:
        """The layers of equal width, from the pixels on."""
        return (module for module in self.modules() if isinstance(module, nn.Linear) and module is not self.last)

    def between(self, pixels: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """What flows between the blocks, (B,D) before the first and after each, and F(x) of each block, (B,D)."""
        x = self.first(pixels)
        if self.after:
            x = self.act(self.norm(x))
        flow, branches = [x], list[Tensor]()
        for block in cast(Iterable[Block], self.blocks):
            branches.append(block.branch(flow[-1]))
            flow.append(block.join(flow[-1], branches[-1]))
        return flow, branches

    def classes(self, x: Tensor) -> Tensor:
        """Logits (B,K) from what comes out of the last block (B,D)."""
        return cast(Tensor, self.last(x if self.after else self.act(self.norm(x))))

    def forward(self, pixels: Tensor) -> Tensor:
        """(B,D) → (B,K)."""
        return self.classes(self.between(pixels)[0][-1])


def norms(
    depth: int, activation: str, initialisation: str, normalised: bool, after: bool, data: str, seed: int
) -> dict[str, dict[str, Any]]:
    """Signal and gradient by layer, before any training, of the "plain" and the "residual" net.

    `data` is "digits" or "noise". Norms are those of one picture, quadratic means over a batch; in float64, because
    the gradient of 56 layers with sigmoids is smaller than the smallest float32. For each net:

    * "layers": after which layers the signal is read: the first, and the second of each block
    * "signal": |x| there, and "gradient": |∂loss/∂x| there
    * "weights": |∂loss/∂W| of each layer but the last, whose shape differs
    * "branch": |F(x)| of each block, "loss": the cross-entropy
    """
    _check(depth, activation, initialisation)
    with one_thread():
        pixels, labels = _batch(data, seed)
        net = Stack(depth, False, activation, initialisation, normalised, after, seed).double()
        found = {"plain": _measured(net, pixels, labels)}
        net.zero_grad()
        net.connect()
        found["residual"] = _measured(net, pixels, labels)
        for told in found.values():
            told["layers"] = list(range(1, depth, 2))
    return found


def _measured(net: Stack, pixels: Tensor, labels: Tensor) -> dict[str, Any]:
    flow, branches = net.between(pixels)
    for x in flow:
        x.retain_grad()  # torch keeps gradients of weights only, unless it is asked
    loss = F.cross_entropy(net.classes(flow[-1]), labels)
    loss.backward()
    return {
        "signal": [_norm_of(x.detach()) for x in flow],
        # The loss is a mean over B pictures, so each picture's own gradient is B times what stands in x.grad.
        "gradient": [_norm_of(cast(Tensor, x.grad)) * len(pixels) for x in flow],
        "weights": [float(cast(Tensor, layer.weight.grad).norm()) for layer in net.layers()],
        "branch": [_norm_of(y.detach()) for y in branches],
        "loss": float(loss.detach()),
    }


def race(
    depth: int,
    shallow: int,
    activation: str,
    initialisation: str,
    normalised: bool,
    after: bool,
    seed: int,
    learning_rate: float,
    epochs: int,
) -> dict[str, dict[str, Any]]:
    """Train "plain", "residual" and "shallow", a plain net of that depth, on the same digits in the same order.

    Stochastic gradient descent with momentum 0.9, as in §4.2, on batches of 128. For each net and epoch:

    * "loss" and "training": mean loss and accuracy over the epoch's batches, before each is learned from
    * "test": accuracy on the 360 pictures kept aside, "steps": batches seen so far
    * "diverged": whether the loss stopped being a number; the lists end before that
    """
    _check(depth, activation, initialisation)
    _check(shallow, activation, initialisation)
    runners = {"plain": (depth, False), "residual": (depth, True), "shallow": (shallow, False)}
    found = {}
    with one_thread():
        for name, (layers, residual) in runners.items():
            net = Stack(layers, residual, activation, initialisation, normalised, after, seed)
            found[name] = _train(net, seed, learning_rate, epochs)
    return found


def _train(net: Stack, seed: int, learning_rate: float, epochs: int) -> dict[str, Any]:
    pixels, labels = _digits(torch.float32)
    test_pixels, test_labels = pixels[:TEST], labels[:TEST]
    pixels, labels = pixels[TEST:], labels[TEST:]
    optimiser = torch.optim.SGD(net.parameters(), learning_rate, momentum=0.9, fused=True)
    shuffle = torch.Generator().manual_seed(seed)
    told: dict[str, Any] = {"loss": [], "training": [], "test": [], "steps": [], "diverged": False}
    for epoch in range(1, epochs + 1):
        net.train()
        batches = torch.randperm(len(pixels), generator=shuffle).split(BATCH)[:-1]  # the last is too small to be fair
        losses, right = 0.0, 0.0
        for batch in batches:
            logits = net(pixels[batch])
            loss = F.cross_entropy(logits, labels[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses += loss.item() / len(batches)
            right += (logits.argmax(dim=1) == labels[batch]).float().mean().item() / len(batches)
        if not math.isfinite(losses):
            told["diverged"] = True
            break
        net.eval()
        with torch.no_grad():
            answers = net(test_pixels).argmax(dim=1)
        told["loss"].append(losses)
        told["training"].append(right)
        told["test"].append((answers == test_labels).float().mean().item())
        told["steps"].append(epoch * len(batches))
    return told


def _batch(data: str, seed: int) -> tuple[Tensor, Tensor]:
    """256 digits, or as much noise with labels by lot: (256,D) and (256,)."""
    generator = torch.Generator().manual_seed(seed)
    if data == "noise":
        pixels = torch.randn(256, WIDTH, dtype=torch.float64, generator=generator)
        return pixels, torch.randint(CLASSES, (256,), generator=generator)
    if data != "digits":
        raise ValueError(f"data must be 'digits' or 'noise', not {data!r}")
    pixels, labels = _digits(torch.float64)
    chosen = torch.randperm(len(pixels), generator=generator)[:256]
    return pixels[chosen], labels[chosen]


@cache
def _digits(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The 1,797 digits of scikit-learn, mixed once and for all; pixels (N,D) of mean 0 and variance 1 over all."""
    from sklearn.datasets import load_digits  # noqa: PLC0415  slow to import, and needed by callers only

    packed = load_digits()
    order = torch.randperm(len(packed.target), generator=torch.Generator().manual_seed(0))
    pixels = torch.from_numpy(packed.data).to(dtype)[order]
    return (pixels - pixels.mean()) / pixels.std(), torch.from_numpy(packed.target).long()[order]


def _layer(units: int) -> nn.Linear:
    """Its weights are anything: the stack gives them their first values, and torch's own need not be drawn."""
    return cast(nn.Linear, nn.utils.skip_init(nn.Linear, WIDTH, units))


def _norm(normalised: bool) -> nn.Module:
    return nn.BatchNorm1d(WIDTH) if normalised else nn.Identity()


def _norm_of(x: Tensor) -> float:
    """The norm of one row (B,D), as a quadratic mean over the rows."""
    return float(x.norm()) / math.sqrt(len(x))


def _check(depth: int, activation: str, initialisation: str) -> None:
    if not (isinstance(depth, int) and LEAST <= depth <= MOST and depth % 2 == 0):
        raise ValueError(f"depth must be an even number from {LEAST} to {MOST}, not {depth}")
    for value, known in ((activation, ACTIVATIONS), (initialisation, INITIALISATIONS)):
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(known)}")
