"""Versions of a model, and the gate that an update has to pass."""

from dataclasses import dataclass, field

from core.errors import UserError

TOLERANCE = 0.05


@dataclass(frozen=True)
class Version:
    """One state of the model, by the hash of its weights, and what it can do."""

    id: str
    parent: str | None
    skills: dict[str, float]
    label: str = ""


@dataclass
class Versions:
    """A tree of versions, one of which is in use."""

    known: dict[str, Version] = field(default_factory=dict)
    current: str | None = None
    rejected: dict[str, dict[str, float]] = field(default_factory=dict)  # id: how far which skill has fallen

    def first(self, version: Version) -> None:
        self.known[version.id] = version
        self.current = version.id

    def propose(self, version: Version, tolerance: float = TOLERANCE) -> dict[str, float]:
        """Take an update into use unless a skill falls by more than the tolerance; the skills that fell too far."""
        if version.parent not in self.known:
            raise UserError("There is no version named “{name}”.", name=str(version.parent))
        before = self.known[version.parent].skills
        fallen = {
            skill: before[skill] - version.skills.get(skill, 0.0)
            for skill in before
            if before[skill] - version.skills.get(skill, 0.0) > tolerance
        }
        self.known[version.id] = version
        if fallen:
            self.rejected[version.id] = fallen
        else:
            self.current = version.id
        return fallen

    def roll_back(self) -> str:
        """Go back to the version that the current one came from; its id."""
        parent = self.known[self.current].parent if self.current else None
        if parent is None:
            raise UserError("This is the first version: there is none to go back to.")
        self.current = parent
        return parent
