"""The one error a mistake in the content makes: it names the file and the line to put right."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


class ContentError(ValueError):
    """A file of the content is not as it should be.

    >>> str(ContentError(Path("content/concepts/cat/en.md"), 3, "the heading is missing"))
    'content/concepts/cat/en.md:3: the heading is missing'
    """

    def __init__(self, path: Path, line: int, reason: str) -> None:
        self.path = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path
        self.line = line
        self.reason = reason
        super().__init__(f"{self.path.as_posix()}:{line}: {reason}")
