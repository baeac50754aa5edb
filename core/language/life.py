"""A small language model's life: which nodes run, what each leaves behind, and what a change makes stale.

All that a life has come to is a `State`, written whole after every node. So a life that was interrupted goes on with
the node it was in, and a new run can take over the life of another one and run some of its nodes again.
"""

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from core.device import on_threads
from core.errors import UserError
from core.files import write_atomically
from core.language import world
from core.language.model import LanguageModel
from core.language.recipe import NEEDS, LanguageRecipe, downstream
from core.language.shelf import Shelf
from core.language.training import Stopped
from core.language.update import Versions
from core.training.loop import Event

PROGRESS_EVERY_S = 0.3


@dataclass
class State:
    """What a life has come to. Models are named by the hash of their weights."""

    round: int = 1
    base: str = ""
    candidates: dict[str, str] = field(default_factory=dict)  # which way of teaching made which model
    measured: dict[str, Event] = field(default_factory=dict)  # what each node has found
    stale: list[str] = field(default_factory=list)  # nodes whose base has changed since
    here: list[str] = field(default_factory=list)  # nodes that this run has run itself
    versions: Versions = field(default_factory=Versions)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "State":
        values = json.loads(text)
        return cls(**{**values, "versions": Versions.from_json(values["versions"])})


class Life:
    """A recipe, where it runs, and what later nodes take from earlier ones."""

    def __init__(
        self,
        recipe: LanguageRecipe,
        device: torch.device,
        pulse: Callable[[], bool] = lambda: False,
        say: Callable[[Event], None] = lambda _event: None,
        file: Path | None = None,
    ) -> None:
        """`pulse` is called at every step; when it answers True the life stops. `file` holds the state, if any."""
        self.recipe, self.device, self.pulse, self.say, self.file = recipe, device, pulse, say, file
        self.shelf = Shelf(file.parent if file else None)
        self.state = State()
        self._told = 0.0
        if file is not None and file.exists():
            self.state = State.from_json(file.read_text(encoding="utf-8"))

    def take_over(self, file: Path) -> None:
        """Go on from the life of another run, whose state lies in `file`, as the recipe says."""
        state = State.from_json(file.read_text(encoding="utf-8"))
        self.shelf.take_over(file.parent)
        state.here = []
        if self.recipe.use:
            state.versions.use(self.recipe.use)
        if self.recipe.next_round:
            _next_round(state, self.recipe.new_task)
        chosen = self.recipe.chosen_nodes
        stale = {*state.stale, *downstream(chosen)} & set(state.measured)
        state.stale = [node for node in NEEDS if node in stale]
        self.state = state
        self.save()

    def save(self) -> None:
        if self.file is not None:
            write_atomically(self.file, self.state.to_json().encode())

    @property
    def seed(self) -> int:
        return self.recipe.seed

    @property
    def documents(self) -> Tensor:
        """(N, LENGTH) int64: what the model is pre-trained on; the same seed gives the same ones."""
        return world.pretraining_documents(self.recipe.documents, torch.Generator().manual_seed(self.seed))

    @property
    def base(self) -> LanguageModel:
        """The model of this round. Not to be trained in place: `copy_of_base` is."""
        return self.shelf.get(self.state.base).to(self.device)

    def copy_of_base(self) -> LanguageModel:
        return copy.deepcopy(self.base)

    @property
    def learnt(self) -> list[str]:
        """The new tasks that the base has learnt in earlier rounds."""
        return [task for task in world.NEW_TASKS if task in self.state.versions.known[self.state.base].skills]

    @property
    def in_use(self) -> LanguageModel:
        """The version that passed the gate last, or was put into use."""
        assert self.state.versions.current is not None, "pre-training comes first"
        return self.shelf.get(self.state.versions.current)

    def progress(self, node: str, share: float) -> None:
        """Say how far a node is, but not more often than somebody can look."""
        if time.monotonic() - self._told > PROGRESS_EVERY_S:
            self._told = time.monotonic()
            self.say({"event": "progress", "node": node, "share": round(share, 3)})


Node = Callable[[Life], Event]


def live(life: Life, nodes: dict[str, Node]) -> Iterator[Event]:
    """Run the chosen nodes in order; yields "begun" before and "node" with what it measured after each.

    First comes what is known already, of another run or of this one before it was interrupted. Raises `Stopped`.
    It computes on one thread: for so small a model two take longer, and three times the processor.
    """
    with on_threads(1):
        yield from _live(life, nodes)


def _live(life: Life, nodes: dict[str, Node]) -> Iterator[Event]:
    for node, found in life.state.measured.items():
        yield found | {"kept": node not in life.state.here, "stale": node in life.state.stale}
    yield _where(life)
    for node in life.recipe.chosen_nodes:
        if node in life.state.here:
            continue
        if life.pulse():
            raise Stopped
        _require(life.state, node)
        yield {"event": "begun", "node": node}
        began = time.monotonic()
        found = nodes[node](life)
        found = {"event": "node", "node": node, **found, "seconds": round(time.monotonic() - began, 2)}
        life.state.measured[node] = found
        life.state.here.append(node)
        life.state.stale = [other for other in life.state.stale if other != node]
        life.save()
        yield found
        yield _where(life)


def _where(life: Life) -> Event:
    """Where the life stands: its round, its versions, and which of them is in use."""
    return {"event": "life", "round": life.state.round, "base": life.state.base, **life.state.versions.to_json()}


def _require(state: State, node: str) -> None:
    for needed in NEEDS[node]:
        if needed not in state.measured:
            raise UserError("The step “{needed}” has to run before “{node}”.", needed=needed, node=node)


def _next_round(state: State, task: str) -> None:
    """The version in use becomes the base; what was measured of the old base is left behind in its run."""
    versions = state.versions
    if versions.current is None or versions.current == state.base:
        raise UserError("No update has been promoted yet: the next round needs a new base.")
    if task in versions.known[versions.current].skills:
        raise UserError("The version in use has learnt this task already. Choose another one.")
    state.round += 1
    state.base = versions.current
    state.candidates = {}
    state.measured = {node: found for node, found in state.measured.items() if node in tuple(NEEDS)[:2]}
