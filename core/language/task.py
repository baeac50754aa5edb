"""A language model's whole life as one run of the queue."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from core.errors import UserError
from core.language import world
from core.language.life import Life, live
from core.language.nodes import NODES
from core.language.recipe import LanguageRecipe
from core.language.training import Stopped
from core.runs.folder import RunFolder
from core.training.loop import Event


class LanguageLife:
    """Runs node after node; what a node measures is an event, and so is every step of pre-training."""

    def __init__(
        self,
        recipe: LanguageRecipe,
        device: torch.device,
        pulse: Callable[[], bool],
        folder: RunFolder,
        since: RunFolder | None = None,
    ) -> None:
        """`since` is the run whose life goes on. Raises `UserError` when it has none."""
        self.life = Life(recipe, device, pulse, folder.append_event, folder.life_file)
        if folder.life_file.exists():
            return  # interrupted: on with the node it was in
        if since is None:
            self.life.save()
        elif not since.life_file.exists():
            raise UserError("The run that this one goes on from has been deleted. Run the whole loop again.")
        else:
            self.life.take_over(since.life_file)

    def events(self) -> Iterator[Event]:
        """The last event is "finished" or "stopped"."""
        accuracy, seconds = 0.0, 0.0
        try:
            for event in live(self.life, NODES):
                if event["event"] == "node" and not event.get("kept"):
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
