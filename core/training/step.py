"""One training step: forward, backward, update. And the same recorded once as a CUDA graph and replayed.

A step of a small net is some hundred short kernels, and on a GPU asking for them one by one takes longer than
computing them. A CUDA graph remembers them with all their addresses; one call then launches them all. So the batch is
copied to where the recorded step expects it; gradients, learning rate and the meter's sums lie at fixed places, too.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from core import events
from core.device import autocast
from core.errors import UserError
from core.training.meter import Meter
from core.training.task import Task

Work = Callable[[], None]


class Step:
    """θ ← θ − η∇L, with whatever the optimiser makes of the gradient. The meter is told how the batch went."""

    def __init__(self, task: Task, optimizer: torch.optim.Optimizer, device: torch.device, meter: Meter) -> None:
        self.task, self.optimizer, self.device, self.meter = task, optimizer, device, meter
        self.weights = [weight for group in optimizer.param_groups for weight in group["params"]]

    def __call__(self, inputs: Tensor, targets: Tensor) -> None:
        for weight in self.weights:  # what `zero_grad` does, without what it tells a profiler
            weight.grad = None
        with autocast(self.device), _enough_to_normalise(len(inputs)):
            logits = self.task.model(inputs)
            loss = self.task.loss(logits.float(), targets)
        loss.backward()
        self.optimizer.step()
        self.meter.add(loss.detach(), logits.detach(), targets)


class Recorder(Protocol):
    """What records work and plays it back; tests have one that does it again instead."""

    def aside(self) -> contextlib.AbstractContextManager[None]: ...

    def record(self, work: Work) -> Work: ...


class CudaGraphs:
    """Records work on a stream of its own; what goes before has to be done there, too.

    Autograd remembers the stream on which a weight was first used, and a recording that meets another one breaks off.
    """

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """What is launched here waits for what was launched before, and what comes after waits for it."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            yield
        torch.cuda.current_stream().wait_stream(self.stream)

    def record(self, work: Work) -> Work:
        """Record what `work` launches, without doing it, and return what does it."""
        graph, before = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
        try:
            with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                work()
        finally:
            torch.cuda.set_stream(before)  # a recording that breaks off leaves its own
        return graph.replay


class ReplayedStep:
    """A step that is recorded when a few batches of one shape have come in a row, and then replayed.

    The first steps are plain ones: libraries choose their kernels then, and the optimiser makes what it remembers. So
    are those of other shapes, as of the last batch of an epoch: recording takes longer than they save. A step that
    cannot be recorded stays a plain one; `refused` and the log say why.
    """

    PLAIN = 3  # steps in a row before one is recorded

    def __init__(self, step: Step, recorder: Recorder | None = None) -> None:
        self.step = step
        self.recorder: Recorder = CudaGraphs(step.device) if recorder is None else recorder
        self.recorded: _Recorded | None = None
        self.refused = ""
        self.in_a_row: tuple[torch.Size, int] = (torch.Size(), 0)

    def __call__(self, inputs: Tensor, targets: Tensor) -> None:
        if self.recorded is None and not self.refused:
            shape, seen = self.in_a_row
            self.in_a_row = (inputs.shape, seen + 1 if inputs.shape == shape else 1)
            if self.in_a_row[1] > self.PLAIN:
                self._try_to_record(inputs, targets)
        if self.recorded is None or inputs.shape != self.recorded.inputs.shape:
            with self.recorder.aside():
                self.step(inputs, targets)
        else:
            self.recorded.replay(inputs, targets, self.step.optimizer)

    def _try_to_record(self, inputs: Tensor, targets: Tensor) -> None:
        """Nothing is computed yet: the replay will do this batch, too."""
        try:
            self.recorded = _Recorded.of(self.step, inputs, targets, self.recorder.record)
        except RuntimeError as error:  # of CUDA: an operation that waits for the device, or too little memory
            self.refused = str(error).partition("\n")[0] or type(error).__name__
            events.note("step-not-recorded", reason=self.refused)


@dataclass
class _Recorded:
    """A recorded step and the places that it reads and writes."""

    inputs: Tensor
    targets: Tensor
    rates: list[Tensor]  # of each group of the optimiser
    gradients: list[tuple[torch.nn.Parameter, Tensor | None]]
    play: Work

    @classmethod
    def of(cls, step: Step, inputs: Tensor, targets: Tensor, record: Callable[[Work], Work]) -> "_Recorded":
        own_inputs, own_targets = inputs.clone(), targets.clone()
        rates = [torch.tensor(float(group["lr"]), device=step.device) for group in step.optimizer.param_groups]

        def work() -> None:
            with _rates_in(step.optimizer, rates):
                step(own_inputs, own_targets)

        play = record(work)
        gradients = [(parameter, parameter.grad) for parameter in step.task.model.parameters()]
        return cls(own_inputs, own_targets, rates, gradients, play)

    def replay(self, inputs: Tensor, targets: Tensor, optimizer: torch.optim.Optimizer) -> None:
        self.inputs.copy_(inputs)
        self.targets.copy_(targets)
        for rate, group in zip(self.rates, optimizer.param_groups, strict=True):
            rate.fill_(group["lr"])
        for parameter, gradient in self.gradients:  # a plain step of another shape may have come between
            parameter.grad = gradient
        self.play()


@contextlib.contextmanager
def _rates_in(optimizer: torch.optim.Optimizer, rates: list[Tensor]) -> Iterator[None]:
    """Let the optimiser read its learning rates from tensors: a number would be recorded as it is now."""
    before = [dict(group) for group in optimizer.param_groups]
    try:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
            if "capturable" in group:  # Adam and AdamW refuse to be recorded without this word
                group["capturable"] = True
        yield
    finally:
        for group, was in zip(optimizer.param_groups, before, strict=True):
            group.update({name: was[name] for name in ("lr", "capturable") if name in was})


@contextlib.contextmanager
def _enough_to_normalise(examples: int) -> Iterator[None]:
    """Say what to change when a batch of one, which a person asked for, meets batch normalisation."""
    try:
        yield
    except ValueError:
        if examples > 1:
            raise
        raise UserError(
            "This model compares the examples of a batch with each other, and a batch has only one. Choose a batch "
            "size of at least 2, and at least 2 examples to learn from."
        ) from None
