"""Classify pictures without the app: ``python -m core.vision.classify IMAGE… [--model imagenet|RUN_ID]``."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.machine import wait_without_spinning
from core.vision.decoding import MAX_BYTES, decode_picture

AT_ONCE = 32  # pictures in memory


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a JSON list, one object a picture. The exit code: 0, 1 if a picture could not be read, 2 for no model."""
    parser = argparse.ArgumentParser(prog="python -m core.vision.classify", description="What pictures show.")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a PNG, JPEG or WebP file")
    parser.add_argument("--model", default="imagenet", help="imagenet, or the id of a finished run")
    options = parser.parse_args(arguments)
    wait_without_spinning()

    from core.vision import imagenet  # noqa: PLC0415
    from core.vision.classification import load_classifier  # noqa: PLC0415  torch takes seconds to import
    from core.vision.fetching import fetch  # noqa: PLC0415

    try:
        for remote in imagenet.missing(options.model):  # asked for by this command; the app only reads
            fetch(remote)
        load_classifier(options.model)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    answers = list(_answers(options.images, options.model))
    print(json.dumps(answers, ensure_ascii=False, indent=2))
    return 1 if any("error" in answer for answer in answers) else 0


def _answers(files: Sequence[str], model: str) -> Iterator[dict[str, Any]]:
    """For each file what it shows, or why it cannot be read."""
    from core.vision.classification import classify  # noqa: PLC0415

    for start in range(0, len(files), AT_ONCE):
        some = files[start : start + AT_ONCE]
        read = [_pixels(Path(file)) for file in some]
        results = iter(classify([pixels for pixels in read if not isinstance(pixels, str)], model))
        for file, pixels in zip(some, read, strict=True):
            if isinstance(pixels, str):
                yield {"file": file, "error": pixels}
            else:
                yield {"file": file, "top": next(results)["top"]}


def _pixels(file: Path) -> NDArray[np.uint8] | str:
    """The decoded picture, (H,W,3), or the reason why there is none."""
    try:
        with file.open("rb") as stream:
            return decode_picture(stream.read(MAX_BYTES + 1))  # a longer file is refused without reading on
    except UserError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)


if __name__ == "__main__":
    sys.exit(main())
