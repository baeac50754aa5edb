"""Our training loop against those people use instead: ``python -m tests.bench.frameworks [--json] [--rounds N]``.

Keras 3 on torch, fastai and PyTorch Lightning, each with its own data pipeline, train the same ResNet-20 on the same
pictures, batch 128, with crop and flip. They are no dependencies of ours: they are installed into a virtual environment
that is thrown away (``--environment FOLDER`` keeps it for the next time), beside the torch that is here. Each contender
is a process of its own that stays alive and warm; the rounds take turns. With ``--json`` the last line is one JSON
object that ends with the ratios.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from core.machine import THREADS_WAIT
from tests.bench._timing import alternating, begin, ratio, report

ROOT = Path(__file__).parents[2]
OURS = "our_loop"
OTHERS = {
    "keras": ("keras_loop", "keras==3.15.1"),
    "fastai": ("fastai_loop", "fastai==2.8.12"),
    # On 30 April 2026 versions 2.6.2 and 2.6.3 of `lightning` stole passwords (GHSA-w37p-236h-pfx3). This is the other
    # package, with the same trainer, in the last version from before that day.
    "lightning": ("lightning_loop", "pytorch-lightning==2.6.1"),
}
STEPS, ROUNDS = 40, 5


class Contender:
    """A process that trains an epoch whenever it is asked to."""

    def __init__(self, python: Path, module: str, steps: int, said: IO[str]) -> None:
        self.module = module
        self.said = said  # a file for what its library has to say, told if it ends too soon
        self.process = subprocess.Popen(
            [str(python), "-m", f"tests.bench.baselines.{module}", str(steps)], cwd=ROOT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | (THREADS_WAIT if module == OURS else {}),  # as our workers
        )  # fmt: skip
        self.about = self._answer()

    def round(self) -> float:
        """Pictures per second of one more epoch."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        return float(self._answer()["speed"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.close()
            self.said.seek(0)
            raise RuntimeError(f"{self.module} ended: {self.said.read()[-2000:]}")
        return dict(json.loads(line))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def measured(python: Path, names: list[str], steps: int, rounds: int) -> dict[str, Any]:
    """The versions of all contenders, and our speed over that of each of the others."""
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, module in {"ours": OURS, **{name: OTHERS[name][0] for name in names}}.items():
            said = stack.enter_context(tempfile.TemporaryFile("w+"))
            processes[name] = Contender(python, module, steps, said)
            stack.callback(processes[name].close)
        speeds = alternating({name: process.round for name, process in processes.items()}, rounds)
    report(speeds)
    versions = {name: processes[name].about["version"] for name in names}
    return {"versions": versions, **{f"ours_over_{name}": ratio(speeds, "ours", name) for name in names}}


@contextlib.contextmanager
def environment(folder: str | None, names: list[str]) -> Iterator[Path]:
    """The Python of a virtual environment in which the others are installed, beside the torch of this one."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(folder or scratch).resolve()
        python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        wanted = [OTHERS[name][1] for name in names]
        if not python.exists():
            venv.create(place, with_pip=True)
        found = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True,
            text=True,
        )  # fmt: skip
        here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (Path(found.stdout.strip()) / "beside.pth").write_text("\n".join(here) + "\n")
        print(f"installing {', '.join(wanted)} …", flush=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True, stdout=sys.stderr)
        yield python


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.frameworks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each epoch, else {STEPS}")
    parser.add_argument("--only", choices=OTHERS, action="append", help="one of them; may be repeated")
    parser.add_argument("--environment", metavar="FOLDER", help="where to install them, and keep them")
    options, end = begin(parser)
    names = options.only or list(OTHERS)
    with environment(options.environment, names) as python:
        found = measured(python, names, options.steps, options.rounds)
    for name in names:
        print(f"ours / {name:12}{found['versions'][name]:12}{found[f'ours_over_{name}']:8.2f}")
    end({key: round(value, 4) if isinstance(value, float) else value for key, value in found.items()})


if __name__ == "__main__":
    main()
