"""What stands behind the colon in ``folder:PATH``, for the data sets that take nothing there."""

from core.errors import UserError


def refuse_argument(name: str, argument: str) -> None:
    """Raises `UserError` when there is one."""
    if argument:
        raise UserError(
            "The data set {name} takes no argument; leave out “:{argument}”.", name=name, argument=argument[:80]
        )
