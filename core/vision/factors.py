"""What one can turn in the coloured shapes. Imports no torch: the form has a slider for each factor."""

import dataclasses
import math
from dataclasses import dataclass

from core.errors import UserError

MIN_COUNT, MAX_COUNT = 10, 1_000_000  # at least one picture of each class


@dataclass(frozen=True)
class Factors:
    """What varies between pictures of one class, each from 0 (not at all) to 1 (as much as it can)."""

    colour: float = 0.5  # at 0 every class has a colour of its own; at 1 colour says nothing about the class
    rotation: float = 1.0  # the largest turn, as a share of half a turn either way
    texture: float = 0.3  # contrast of the stripes on shape and background
    clutter: float = 0.2  # share of the largest number of small distracting pieces
    count: int = 5_000  # training pictures; a fifth as many more are drawn for the test

    def argument(self) -> str:
        """The factors that differ from the defaults, as `read_factors` reads them."""
        changed = {k: v for k, v in dataclasses.asdict(self).items() if v != getattr(Factors(), k)}
        return ",".join(f"{name}={value:g}" for name, value in changed.items())


def read_factors(argument: str) -> Factors:
    """The factors named in "colour=0.5,count=5000"; those not named keep their defaults."""
    values: dict[str, float] = {}
    known = {f.name: f.type for f in dataclasses.fields(Factors)}
    for pair in argument.split(",") if argument.strip() else ():
        name, _, text = (part.strip() for part in pair.partition("="))
        if name not in known:
            raise UserError(
                "“{name}” is no factor of the shapes. Choose from: {known}.",
                name=name[:40], known=", ".join(known),
            )  # fmt: skip
        minimum, maximum = (MIN_COUNT, MAX_COUNT) if name == "count" else (0, 1)
        try:
            number = known[name](text)  # type: ignore[operator]
        except ValueError:
            number = math.nan
        if not minimum <= number <= maximum:
            raise UserError(
                "{field} must be a number from {minimum} to {maximum}, not “{value}”.",
                field=name, minimum=minimum, maximum=maximum, value=text[:40],
            )  # fmt: skip
        values[name] = number
    return Factors(**values)  # type: ignore[arg-type]
