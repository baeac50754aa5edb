"""Imported once in the forkserver, so that every worker is born with it. Touches no device and starts no thread.

Where there is no forkserver (Windows) every worker imports it for itself.
"""

import gc
import importlib
import multiprocessing
import os
import sys
import threading

_HEAVY = (
    "torch",
    "torch._dynamo",  # every optimiser imports it when it is made: two seconds before the first step
    "sklearn.datasets",  # two more
    "core.runs.execute",
    "core.runs.worker",
    "core.runs.warm",
    "core.maths.playground",
    "core.vision.task",
    "core.language.task",
    "core.language.inside",
    "core.language.text",
    "core.maths.race",
    "core.maths.residual",
    "core.vision.preview",
    "core.vision.summary",
    "core.vision.classification",
)


def _import_all() -> None:
    supervisor = os.getppid()
    named = os.environ.get("ATLAS_PRELOAD")  # tests of the queue need no torch
    for name in _HEAVY if named is None else named.split():
        if os.getppid() != supervisor:
            return  # it ended while we were at it: nobody will need us
        try:
            importlib.import_module(name)
        except Exception as error:  # whoever needs it will meet the error itself; the others still get their start
            print(f"not preloaded: {name}: {error!r}", file=sys.stderr)


_import_all()
if multiprocessing.parent_process() is None:  # we are the forkserver; where there is none, each worker imports this
    assert threading.active_count() == 1, "a process with threads must not be forked"
gc.collect()
gc.freeze()  # what is here now will not be looked at again, so its memory stays shared between all workers
