"""Fuzz one target for some minutes; an input that fails is written to ``seeds/TARGET`` and ends the run with 1."""

import argparse
import hashlib
import random
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import ODD, SEEDS, TARGETS, checked, seeds

BATCH = 500  # inputs that Hypothesis draws before it is asked for the time


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Known inputs, mutilated: bytes changed, pieces cut out, doubled, put in from others; and new inputs."""
    given_ones = [*seeds(name), b""]

    @st.composite
    def mutilated(draw: st.DrawFn) -> bytes:
        chance = random.Random(draw(st.integers(0, 2**64)))
        data = bytearray(chance.choice(given_ones))
        for _ in range(draw(st.integers(0, 8))):
            place, until = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
            match chance.randrange(6):
                case 0 if data:
                    data[place % len(data)] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.choice((1, 2, 4, until - place))]
                case 2:
                    data[place:place] = data[place : min(until, place + 64)]
                case 3:
                    other = chance.choice(given_ones)
                    start = chance.randint(0, len(other))
                    data[place:place] = other[start : start + chance.choice((4, 16, 256, 4096))]
                case 4:
                    odd = chance.choice(ODD)
                    data[place : place + len(odd)] = odd
                case _:
                    data[place:place] = draw(st.one_of(st.binary(max_size=8), st.text(max_size=6).map(str.encode)))
        return bytes(data)

    from_nothing = st.one_of(st.binary(max_size=200), st.text(max_size=80).map(str.encode))
    return st.one_of(mutilated(), mutilated(), from_nothing)


def by_hypothesis(name: str, seconds: float) -> tuple[int, bytes | None]:
    """How many inputs were tried, and the first (made small) that failed."""
    tried, failed = 0, None

    def try_one(data: bytes) -> None:
        nonlocal tried, failed
        tried += 1
        try:
            checked(TARGETS[name], data)
        except BaseException:
            failed = data
            raise

    begun, number = time.monotonic(), random.SystemRandom().randrange(2**32)
    while time.monotonic() - begun < seconds and failed is None:
        number += 1
        test = settings(
            max_examples=BATCH, database=None, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=False, phases=[Phase.generate, Phase.shrink],
        )(hypothesis.seed(number)(given(inputs(name))(try_one)))  # fmt: skip
        try:
            test()
        except BaseException:
            traceback.print_exc()
    return tried, failed


def by_atheris(name: str, seconds: float) -> None:
    """Guided by which lines of our code and of Pillow's an input reaches; never returns, prints what it found."""
    import atheris

    with atheris.instrument_imports(include=["core", "PIL", "zipfile"]):
        import core.language.text
        import core.maths.expression
        import core.tasks
        import core.vision.uploads  # noqa: F401
    folder = Path(tempfile.mkdtemp(prefix="atlas-fuzz-"))
    for data in seeds(name):
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def try_one(data: bytes) -> None:
        try:
            checked(TARGETS[name], data)
        except BaseException:
            print("written to", _kept(name, data), file=sys.stderr)
            raise

    atheris.Setup(
        [sys.argv[0], str(folder), f"-max_total_time={int(seconds)}", "-max_len=32768", "-timeout=30",
         "-rss_limit_mb=4000", "-print_final_stats=1", "-verbosity=0"],
        try_one,
    )  # fmt: skip
    atheris.Fuzz()


def _kept(name: str, data: bytes) -> Path:
    file = SEEDS / name / hashlib.sha256(data).hexdigest()[:16]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--engine", choices=("hypothesis", "atheris"), default="hypothesis")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.engine == "atheris":
        by_atheris(options.target, 60 * options.minutes)
    tried, failed = by_hypothesis(options.target, 60 * options.minutes)
    outcome = "none failed" if failed is None else "one failed"
    print(f"{options.target}: {tried:,} inputs in {options.minutes:g} minutes, {outcome}")
    if failed is not None:
        print("written to", _kept(options.target, failed))
    return failed is not None


if __name__ == "__main__":
    sys.exit(main())
