"""A recipe: everything that decides how a training run goes, and nothing else.

The same fields make the form on the Train page, the link that reproduces it, the JSON file and the options of
``python -m core.training``. Imports no torch: the web process validates recipes too.
"""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Self

from core.errors import UserError, message

LONGEST_TEXT = 1_000  # characters of a field


@dataclass(frozen=True)
class Setting:
    """What is allowed in a field, and one line that says what the field does."""

    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None


def setting(default: Any, help: str, **bounds: Any) -> Any:
    """A dataclass field with a default, its description and its bounds."""
    return field(default=default, metadata={"setting": Setting(help, **bounds)})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every training run has, whatever it trains. Raises `UserError` naming the field that is wrong."""

    task: ClassVar[str]
    presets: ClassVar[dict[str, dict[str, Any]]] = {}

    optimizer: str = setting(
        "sgd",
        "How a gradient becomes a change of the weights.",
        choices=("sgd", "momentum", "nesterov", "adam", "adamw", "muon"),
    )
    learning_rate: float = setting(0.1, "How far each step goes along the gradient.", minimum=1e-7, maximum=100)
    schedule: str = setting(
        "constant",
        "How the learning rate changes during the run.",
        choices=("constant", "linear", "cosine", "one-cycle", "step"),
    )
    batch_size: int = setting(128, "How many examples each step looks at.", minimum=1, maximum=4096)
    epochs: int = setting(5, "How many times the run passes over the training data.", minimum=1, maximum=500)
    weight_decay: float = setting(
        0.0, "How strongly weights are pulled towards zero at each step.", minimum=0, maximum=1
    )
    label_smoothing: float = setting(
        0.0, "The share of the target spread evenly over all classes.", minimum=0, maximum=0.9
    )
    early_stopping: int = setting(
        0,
        "Stop after this many epochs without a better validation loss; 0 means never.",
        minimum=0,
        maximum=500,
    )
    keep_best: bool = setting(True, "Test the weights of the best validation accuracy, not the last ones.")
    seed: int = setting(0, "Where all random numbers of the run start.", minimum=0, maximum=2**31 - 1)
    device: str = setting(
        "auto",
        "Where the run computes; auto takes the fastest there is.",
        choices=("auto", "cpu", "cuda", "mps"),
    )

    def __post_init__(self) -> None:
        for name, (kind, bounds) in self.settings().items():
            object.__setattr__(self, name, _checked(name, getattr(self, name), kind, bounds))

    @classmethod
    @cache
    def settings(cls) -> dict[str, tuple[type, Setting]]:
        """Each field's name with its type and what is allowed in it, in the order of the form."""
        hints = typing.get_type_hints(cls)
        return {f.name: (hints[f.name], f.metadata["setting"]) for f in dataclasses.fields(cls)}

    @classmethod
    def defaults(cls) -> Self:
        return cls()

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The named preset, with some fields changed."""
        if name not in cls.presets:
            known = ", ".join(cls.presets)
            raise UserError("“{name}” is not known here. Choose one of: {known}.", name=shown(name), known=known)
        return cls.from_mapping({**cls.presets[name], **changes})

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """A recipe from plain values (JSON, a link, options); text is read as the field's type."""
        for name in values:
            if name not in cls.settings():
                raise UserError("“{field}” is not a field of a recipe.", field=shown(name))
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A recipe from a JSON object, as `to_json` writes it."""
        values = read_object(text)
        if values.pop("task", cls.task) != cls.task:
            raise UserError("This recipe is for another kind of training.")
        return cls.from_mapping(values)

    def to_mapping(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def to_json(self) -> str:
        return json.dumps({"task": self.task, **self.to_mapping()}, indent=2, ensure_ascii=False) + "\n"

    def changes(self, base: "Recipe") -> dict[str, Any]:
        """The fields in which this recipe differs from another: what a link has to carry."""
        mine, theirs = self.to_mapping(), base.to_mapping()
        return {name: value for name, value in mine.items() if theirs.get(name) != value}


def read_object(text: str) -> dict[str, Any]:
    """The JSON object that a recipe is stored as, its fields not yet checked."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError("This is not a JSON file: {reason}.", reason=str(error)) from None
    if not isinstance(values, dict):
        raise UserError("A recipe is one JSON object with a value for each field.")
    return values


def shown(value: object) -> str:
    """A wrong value as it may stand in a sentence: short, without half characters and what cannot be seen."""
    return "".join(c if c.isprintable() else "�" for c in str(value)[:80])


def _checked(name: str, value: Any, kind: Any, bounds: Setting) -> Any:
    value = _typed(name, value, kind)
    if bounds.choices is not None and value not in bounds.choices:
        raise UserError(
            "{field} must be one of {choices}, not “{value}”.",
            field=name,
            choices=", ".join(bounds.choices),
            value=shown(value),
        )
    if bounds.minimum is not None and not value >= bounds.minimum:  # NaN fails too
        raise UserError(
            "{field} must be at least {minimum}, not {value}.", field=name, minimum=bounds.minimum, value=value
        )
    if bounds.maximum is not None and not value <= bounds.maximum:
        raise UserError(
            "{field} must be at most {maximum}, not {value}.", field=name, maximum=bounds.maximum, value=value
        )
    return value


_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _typed(name: str, value: Any, kind: Any) -> Any:
    """The value as the field's type; text such as "0.1" is read, but 1.5 is no whole number and True no number."""
    assert not isinstance(kind, types.UnionType), "recipe fields have one plain type"
    wrong = UserError(_WRONG_TYPE[kind], field=name, value=shown(value))
    if kind is bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _TRUTH:
            return _TRUTH[value.lower()]
        raise wrong
    if kind is str:
        if isinstance(value, str) and len(value) <= LONGEST_TEXT and value.isprintable():
            return value
        raise wrong
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong
    try:
        number = kind(value) if isinstance(value, str) else value
        if kind is int and not (math.isfinite(number) and number == int(number)):
            raise wrong
        return kind(number)
    except (ValueError, OverflowError):  # a whole number of a thousand digits is no float
        raise wrong from None


_WRONG_TYPE = {
    bool: message("{field} must be true or false, not “{value}”."),
    str: message("{field} must be text, not “{value}”."),
    int: message("{field} must be a whole number, not “{value}”."),
    float: message("{field} must be a number, not “{value}”."),
}
