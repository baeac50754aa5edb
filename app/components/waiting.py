"""What a run that waits says: its place, and when it may begin."""

from app.language import _, _n
from core.runs import estimate
from core.runs.store import Run


def waiting(run: Run) -> str:
    """The place of a queued run, with an estimate where earlier runs of this server allow one."""
    place = _("In the queue, place {place}.").format(place=run.queue_position or 1)
    seconds = estimate.seconds_until(run.id)
    if seconds is None:
        return place
    if seconds < 60:
        return f"{place} {_('By earlier runs it begins within a minute.')}"
    minutes = _n("By earlier runs it begins in about {n} minute.", "By earlier runs it begins in about {n} minutes.",
                 round(seconds / 60))  # fmt: skip
    return f"{place} {minutes}"
