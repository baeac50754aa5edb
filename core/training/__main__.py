"""Train without the app: ``python -m core.training --preset quick-look --out runs/first``.

Prints one JSON object per line and event on standard output. This file puts the parts together, so it alone in
this package knows about tasks and run folders.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.machine import wait_without_spinning
from core.runs.folder import RunFolder
from core.training.recipe import Recipe
from core.vision.recipe import PictureRecipe

FIRST_PRESET = "quick-look"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 finished, 1 failed, 2 a bad recipe or option, 130 interrupted (resume with the same line)."""
    options = _parser().parse_args(arguments)
    wait_without_spinning()
    try:
        recipe = _recipe(options)
        with tempfile.TemporaryDirectory() as scratch:
            folder = RunFolder(Path(options.out or scratch).expanduser().resolve())
            _prepare(folder, recipe, anything_goes=options.preset is options.recipe is None and not _changes(options))
            return _train(folder)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _train(folder: RunFolder) -> int:
    from core.runs.execute import execute  # noqa: PLC0415  torch takes seconds; a bad recipe is told at once
    from core.vision import downloads  # noqa: PLC0415
    from core.vision.fetching import fetch  # noqa: PLC0415

    recipe = folder.recipe()
    assert isinstance(recipe, PictureRecipe)
    for remote in downloads.missing(recipe.dataset):  # asked for by this command; a run of the app only reads
        fetch(remote, lambda what, share: _tell({"event": "preparing", "what": what, "share": share}))
    interrupted: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: interrupted.append(received))
    last = ""
    for event in execute(folder, pulse=lambda: bool(interrupted)):
        _tell(event)
        last = event["event"]
    return 0 if last == "finished" else 130


def _tell(event: Mapping[str, Any]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


def _prepare(folder: RunFolder, recipe: Recipe, anything_goes: bool) -> None:
    """Make the run's folder, or take up an interrupted run in it; another run's folder is left alone."""
    if not folder.recipe_file.exists():
        folder.create(recipe)
        return
    if folder.weights_file.exists():
        raise UserError("The run in {folder} is finished. Choose another folder for --out.", folder=folder.path)
    if not anything_goes and folder.recipe() != recipe:
        raise UserError(
            "The folder {folder} holds an interrupted run of another recipe. Choose another folder for --out, or "
            "leave out the options to resume it.",
            folder=folder.path,
        )


def _recipe(options: argparse.Namespace) -> PictureRecipe:
    values = dict(PictureRecipe.presets[options.preset or FIRST_PRESET])
    if options.recipe is not None:
        try:
            text = Path(options.recipe).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise UserError("The recipe file {file} cannot be read.", file=options.recipe) from None
        values = PictureRecipe.from_json(text).to_mapping()
    return PictureRecipe.from_mapping(values | _changes(options))


def _changes(options: argparse.Namespace) -> dict[str, str]:
    """The fields that were named on the command line."""
    return {name: value for name, value in vars(options).items() if name in PictureRecipe.settings() and value}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core.training", description="Train a network on pictures; one JSON line per event."
    )
    parser.add_argument("--recipe", metavar="FILE", help="a recipe as JSON, as the app saves it")
    parser.add_argument("--preset", choices=PictureRecipe.presets, help=f"else {FIRST_PRESET}")
    parser.add_argument("--out", metavar="DIR", help="the run's folder; the same line again resumes it")
    defaults = PictureRecipe.defaults()
    for name, (kind, allowed) in PictureRecipe.settings().items():
        about = f"{allowed.help} ({kind.__name__}, else {getattr(defaults, name)})"
        parser.add_argument(f"--{name.replace('_', '-')}", dest=name, metavar="…", help=about)
    return parser


if __name__ == "__main__":
    sys.exit(main())
