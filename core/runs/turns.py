"""Whose turn it is: the queue is fair between people, not between runs."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A queued run: who asked for it, and when (epoch seconds)."""

    run_id: str
    owner: str
    queued: float


def in_order(waiting: Iterable[Waiting], last_turn: Mapping[str, float]) -> list[str]:
    """The ids of all waiting runs in the order in which they will start.

    Round-robin: next is the owner who has waited longest since a run of theirs last started
    (`last_turn`, epoch seconds; owners who never had one come first), and of theirs the oldest.
    One student who queues twenty runs delays another student's first run by one run, not by twenty.
    """
    lines: dict[str, deque[Waiting]] = defaultdict(deque)
    for one in sorted(waiting, key=lambda w: (w.queued, w.run_id)):
        lines[one.owner].append(one)
    turns = {owner: (0, last_turn.get(owner, 0.0), line[0].queued) for owner, line in lines.items()}
    order: list[str] = []
    while lines:
        owner = min(turns, key=turns.__getitem__)
        order.append(lines[owner].popleft().run_id)
        if lines[owner]:
            turns[owner] = (len(order), 0.0, lines[owner][0].queued)  # behind all who have not had this round
        else:
            del lines[owner], turns[owner]
    return order
