"""The models of a life, each under the hash of its weights: in memory, and in a folder where there is one."""

import contextlib
import os
import shutil
from functools import lru_cache
from pathlib import Path

import safetensors.torch

from core.errors import UserError
from core.files import write_atomically
from core.language.model import LanguageModel, Size
from core.language.skills import weights_hash
from core.language.update import unknown_version
from core.training.weights import NOT_OURS, read_metadata, weights_bytes

FOLDER = "models"


class Shelf:
    """Weights never change under their name, so what lies here can be shared by all lives that go on from it."""

    def __init__(self, run: Path | None = None) -> None:
        """`run` is the folder of the run; without one everything stays in memory."""
        self.folder = run / FOLDER if run is not None else None
        self._held: dict[str, LanguageModel] = {}

    def put(self, model: LanguageModel) -> str:
        """Keep a model; its name."""
        name = weights_hash(model)
        self._held[name] = model
        if self.folder is not None and not (path := self.folder / f"{name}.safetensors").exists():
            self.folder.mkdir(exist_ok=True)
            write_atomically(path, weights_bytes(model, {"task": "language", "size": vars(model.size)}))
        return name

    def get(self, name: str) -> LanguageModel:
        """The model of that name; do not train it in place. Raises `UserError` when it is not here."""
        if name not in self._held:
            if self.folder is None:
                raise unknown_version(name)
            self._held[name] = read_model(self.folder / f"{name}.safetensors")
        return self._held[name]

    def take_over(self, run: Path) -> None:
        """Have all models of another run, too: by a link, or a copy where the disk knows none."""
        assert self.folder is not None, "a life goes on in a folder"
        self.folder.mkdir(exist_ok=True)
        for path in (run / FOLDER).glob("*.safetensors"):
            with contextlib.suppress(FileExistsError):
                try:
                    os.link(path, self.folder / path.name)
                except FileExistsError:
                    raise
                except OSError:
                    shutil.copyfile(path, self.folder / path.name)


@lru_cache(maxsize=16)
def read_model(path: Path) -> LanguageModel:
    """The language model of a weights file of ours, ready to answer. Raises `UserError` for any other file."""
    metadata = read_metadata(path)
    try:
        model = LanguageModel(Size(**metadata["size"]))
        model.load_state_dict(safetensors.torch.load(path.read_bytes()))
    except NOT_OURS:
        raise UserError("The weights of this run cannot be read; train it anew.") from None
    return model.eval()
