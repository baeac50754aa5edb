"""The life of a language model without the app: ``python -m core.language --seed 0``.

Prints one JSON object for each node on standard output, as the node ends.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from core.errors import UserError
from core.language.recipe import LanguageRecipe
from core.language.texts import read_text


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m core.language", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="where all random numbers start")
    parser.add_argument("--no-smeared-keys", action="store_true", help="without them few-shot hardly appears")
    parser.add_argument("--device", default="cpu", choices=("auto", "cpu", "cuda", "mps"), help="so small a model: cpu")
    parser.add_argument("--text", metavar="FILE", help="instead: train a model of the characters of a text")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long to train on the text")
    options = parser.parse_args(arguments)
    if not 0 <= options.seed < 2**31:
        print("error: --seed is a number from 0 to 2147483647", file=sys.stderr)
        return 2
    if not 0 < options.minutes <= 600:
        print("error: --minutes is a number above 0 and at most 600", file=sys.stderr)
        return 2
    # Below, since torch takes seconds and a bad option is told at once.
    from core.device import choose_device, prepare  # noqa: PLC0415
    from core.language.life import Life, live  # noqa: PLC0415
    from core.language.nodes import NODES  # noqa: PLC0415
    from core.language.text import learn_text  # noqa: PLC0415

    try:
        if options.text:
            events = learn_text(read_text(Path(options.text)), 60 * options.minutes, options.seed)
        else:
            recipe = LanguageRecipe.preset(
                "a-minute", seed=options.seed, smeared_keys=not options.no_smeared_keys, device=options.device
            )
            device = choose_device(recipe.device)
            prepare(device)
            events = (event for event in live(Life(recipe, device), NODES) if event["event"] == "node")
        for event in events:
            print(json.dumps(event, ensure_ascii=False), flush=True)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
