"""Classify pictures without the app: ``python -m core.vision.classify IMAGE… [--model imagenet|RUN_ID]``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.vision.decoding import decode_picture


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a JSON list, one object a picture. The exit code: 0, 1 if a picture could not be read, 2 for no model."""
    parser = argparse.ArgumentParser(prog="python -m core.vision.classify", description="What pictures show.")
    parser.add_argument("images", nargs="+", metavar="IMAGE")
    parser.add_argument("--model", default="imagenet", help="imagenet, or the id of a finished run")
    options = parser.parse_args(arguments)
    answers: dict[int, dict[str, Any]] = {}
    pictures: dict[int, Any] = {}
    for place, file in enumerate(options.images):
        try:
            pictures[place] = decode_picture(Path(file).read_bytes())
        except UserError as error:
            answers[place] = {"file": file, "error": str(error)}
        except OSError as error:
            answers[place] = {"file": file, "error": error.strerror or str(error)}
    failed = bool(answers)
    try:
        from core.vision.classification import classify  # noqa: PLC0415  torch takes seconds to import

        results = classify(list(pictures.values()), options.model) if pictures else []
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for place, result in zip(pictures, results, strict=True):
        answers[place] = {"file": options.images[place], "top": result["top"]}
    print(json.dumps([answers[place] for place in sorted(answers)], ensure_ascii=False, indent=2))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
