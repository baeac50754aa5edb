"""Imported once in the forkserver, so that every worker is born with it. Touches no device and starts no thread."""

import gc
import importlib
import traceback

_HEAVY = (
    "torch",
    "numpy",
    "core.runs.execute",
    "core.runs.worker",
    "core.runs.warm",
    "core.vision.task",
    "core.vision.datasets.digits",
    "core.vision.preview",
    "core.vision.summary",
    "core.vision.classification",
)


def _import_all() -> None:
    for name in _HEAVY:
        try:
            importlib.import_module(name)
        except Exception:  # whoever needs this module will meet the error itself; without it the others stay warm
            traceback.print_exc()


_import_all()
gc.collect()
gc.freeze()  # what is here now will not be looked at again, so its memory stays shared between all workers
