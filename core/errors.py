"""The one error a person can cause.

The message is an English template: it is the key of the translation catalogues, so the same error can be shown
in the language of whoever looks at it, and stored in a run's folder without choosing one.
"""

from collections.abc import Mapping
from typing import Any, Self


class UserError(ValueError):
    """Something a person can put right, said in one sentence that tells them how.

    >>> str(UserError("{field} must be at most {maximum}, not {value}.", field="epochs", maximum=500, value=900))
    'epochs must be at most 500, not 900.'
    """

    def __init__(self, message: str, /, **values: object) -> None:
        self.message = message
        self.values = values
        super().__init__(message.format(**values))

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.values))

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which `from_json` makes the same error again."""
        return {"message": self.message, "values": {k: _plain(v) for k, v in self.values.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        values = dict(data.get("values", {}))
        values = {k: cls.from_json(v) if isinstance(v, Mapping) else v for k, v in values.items()}
        return cls(str(data["message"]), **values)


def _plain(value: object) -> object:
    """An error may be the reason that another one gives; it stays one, so that it can be translated too."""
    if isinstance(value, UserError):
        return value.to_json()
    return value if isinstance(value, int | float | str | bool) else str(value)


def _rebuild(cls: type[UserError], message: str, values: dict[str, object]) -> UserError:
    """Errors cross process boundaries; keyword values need this to survive pickling."""
    return cls(message, **values)


def message(text: str) -> str:
    """Mark a template that reaches a `UserError` by way of a variable, so that the catalogues find it."""
    return text
