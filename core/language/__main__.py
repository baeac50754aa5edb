"""The life of a language model without the app: ``python -m core.language --seed 0``.

Prints one JSON object for each node on standard output, as the node ends.
"""

import argparse
import json
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m core.language", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="where all random numbers start")
    parser.add_argument("--no-smeared-keys", action="store_true", help="without them few-shot hardly appears")
    options = parser.parse_args(arguments)
    if not 0 <= options.seed < 2**31:
        print("error: --seed is a number from 0 to 2147483647", file=sys.stderr)
        return 2
    from core.language.loop import whole_loop  # noqa: PLC0415  torch takes seconds; a bad option is told at once

    for event in whole_loop(options.seed, not options.no_smeared_keys):
        print(json.dumps(event, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
