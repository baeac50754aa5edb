"""Pictures that were uploaded as a zip file on the Train page."""

import dataclasses
import re

from core.errors import UserError
from core.home import atlas_home
from core.tasks import Say
from core.vision.datasets import folder
from core.vision.pictures import PictureDataset


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """The pictures of an imported zip; `argument` is the digest that `core.vision.uploads.import_zip` gave it."""
    place = atlas_home() / "uploads" / argument
    if not re.fullmatch(r"[0-9a-f]{16}", argument) or not place.is_dir():
        raise UserError("These uploaded pictures are not here. Upload the zip file again.")
    dataset = folder.load(str(place), seed=seed, image_size=image_size, say=say)
    return dataclasses.replace(dataset, name=f"upload:{argument}")
