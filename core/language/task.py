"""A language model's whole life as one run of the queue."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from core.language import world
from core.language.loop import Life, live
from core.language.recipe import LanguageRecipe
from core.language.training import Stopped
from core.training.loop import Event


class LanguageLife:
    """Runs node after node; what a node measures is an event, and so is every step of pre-training."""

    def __init__(
        self, recipe: LanguageRecipe, device: torch.device, pulse: Callable[[], bool], say: Callable[[Event], None]
    ) -> None:
        self.life = Life(recipe, device, pulse, say)

    def events(self) -> Iterator[Event]:
        """The last event is "finished" or "stopped"."""
        accuracy, seconds = 0.0, 0.0
        try:
            for event in live(self.life):
                if event["event"] == "node":
                    accuracy, seconds = event.get("accuracy", accuracy), seconds + event["seconds"]
                yield event
        except Stopped:
            yield {"event": "stopped"}
            return
        yield {"event": "finished", "test_accuracy": accuracy, "seconds": seconds, "device": self.life.device.type}

    @property
    def model(self) -> nn.Module:
        """The version in use at the end."""
        return self.life.in_use

    def metadata(self) -> dict[str, Any]:
        return {"task": "language", "size": vars(self.life.in_use.size), "vocabulary": list(world.VOCABULARY)}
