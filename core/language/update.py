"""Versions of a model, and the gate that an update has to pass."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import UserError


@dataclass(frozen=True)
class Version:
    """One state of the model, by the hash of its weights, and what it can do."""

    id: str
    parent: str | None
    skills: dict[str, float]
    label: str = ""
    round: int = 1


@dataclass
class Versions:
    """A tree of versions, one of which is in use."""

    known: dict[str, Version] = field(default_factory=dict)
    current: str | None = None
    rejected: dict[str, dict[str, float]] = field(default_factory=dict)  # id: how far which skill has fallen

    def first(self, version: Version) -> None:
        self.known[version.id] = version
        self.current = version.id

    def propose(self, version: Version, tolerance: Mapping[str, float]) -> dict[str, float]:
        """Take an update into use unless a skill falls by more than its tolerance; the skills that fell too far.

        A skill that has no tolerance of its own has that of "learnt". Raises `UserError` for an unknown parent.
        """
        if version.parent not in self.known:
            raise unknown_version(str(version.parent))
        before = self.known[version.parent].skills
        falls = {skill: before[skill] - version.skills.get(skill, 0.0) for skill in before}
        fallen = {skill: fall for skill, fall in falls.items() if fall > tolerance.get(skill, tolerance["learnt"])}
        self.known[version.id] = version
        self.rejected.pop(version.id, None)
        if fallen:
            self.rejected[version.id] = fallen
        else:
            self.current = version.id
        return fallen

    def use(self, id: str) -> None:
        """Put a version into use, whatever the gate said of it. Raises `UserError` for an unknown one."""
        if id not in self.known:
            raise unknown_version(id)
        self.current = id

    def roll_back(self) -> str:
        """Go back to the version that the current one came from; its id."""
        parent = self.known[self.current].parent if self.current else None
        if parent is None:
            raise UserError("This is the first version: there is none to go back to.")
        self.current = parent
        return parent

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Versions":
        known = {id: Version(**version) for id, version in data["known"].items()}
        return cls(known, data["current"], dict(data["rejected"]))


def unknown_version(name: str) -> UserError:
    """What is wrong when somebody names a version that is not there, whatever they have typed."""
    return UserError("There is no version named “{name}”.", name=name[:40] or "–")
