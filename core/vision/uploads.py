"""A zip file of somebody's pictures becomes a data set, or is refused with a reason and leaves nothing behind.

Runs in a process with little memory and knows no torch: the bytes come from a person.
"""

import hashlib
import io
import re
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from core.errors import UserError
from core.home import atlas_home
from core.vision.decoding import decode_picture

MOST_FILES = 20_000
MOST_BYTES = 500 * 2**20  # unpacked, all together
MOST_PICTURE_BYTES = 20_000_000
LONGEST_SIDE = 256  # pixels; no recipe looks closer
PARTS = {"train": "train", "val": "val", "validation": "val", "test": "test"}
Found = dict[tuple[str, str], list[zipfile.ZipInfo]]  # (part or "", class): pictures


def import_zip(data: bytes) -> dict[str, Any]:
    """{"dataset": "upload:<digest>", "classes": […], "count": n}: decoded, reduced and stored as PNG.

    Raises `UserError`: no zip, entries that climb out, too much inside, no or one class, a broken picture.
    """
    name = hashlib.sha256(data).hexdigest()[:16]
    home = atlas_home() / "uploads"
    home.mkdir(exist_ok=True)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = _sorted_out(archive)
            if not (home / name).exists():
                _store(archive, found, home / name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):  # encrypted, odd or damaged
        raise UserError("This is no zip file that can be read.") from None
    classes = sorted({label for _part, label in found})
    return {"dataset": f"upload:{name}", "classes": classes, "count": sum(map(len, found.values()))}


def _sorted_out(archive: zipfile.ZipFile) -> Found:
    """The pictures of the archive by part and class, from names and declared sizes alone."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > MOST_FILES:
        raise UserError("The zip file has {count} files; at most {maximum} are taken.", count=len(entries),
                        maximum=MOST_FILES)  # fmt: skip
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise _too_much()
    paths: list[tuple[tuple[str, ...], zipfile.ZipInfo]] = []
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", entry.filename):
            raise UserError("The zip file has a name that climbs out of its folder. Pack it again.")
        if not any(part.startswith((".", "__MACOSX")) for part in path.parts):
            paths.append((path.parts, entry))
    while paths and all(len(parts) > 2 for parts, _ in paths) and len({parts[0] for parts, _ in paths}) == 1:
        if paths[0][0][0].lower() in PARTS:
            break
        paths = [(parts[1:], entry) for parts, entry in paths]  # one folder around everything
    found: Found = {}
    for parts, entry in paths:
        if len(parts) == 2:
            found.setdefault(("", _class_name(parts[0])), []).append(entry)
        elif len(parts) == 3 and parts[0].lower() in PARTS:
            found.setdefault((PARTS[parts[0].lower()], _class_name(parts[1])), []).append(entry)
    if len({label for _part, label in found}) < 2:
        raise UserError("The zip file needs one folder for each class, and at least two classes.")
    return found


def _class_name(text: str) -> str:
    """A folder name that is safe on every system; letters of every script stay."""
    name = "".join(c if c.isprintable() and c not in '<>:"|?*/\\' else "_" for c in text).strip(". ")[:60]
    return name or "_"


def _store(archive: zipfile.ZipFile, found: Found, target: Path) -> None:
    """Write all pictures to a folder that appears only when it is complete."""
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".import-"))
    try:
        left = MOST_BYTES
        for (part, label), entries in found.items():
            folder = scratch / part / label
            folder.mkdir(parents=True)
            for place, entry in enumerate(entries):
                data = _unpacked(archive, entry, left)
                left -= len(data)
                try:
                    pixels = decode_picture(data, LONGEST_SIDE)
                except UserError as error:
                    shown = PurePosixPath(entry.filename).name[:80]
                    raise UserError("{file} in the zip file: {reason}", file=shown, reason=str(error)) from None
                Image.fromarray(pixels).save(folder / f"{place:06d}.png")
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """The bytes of one entry, however many it says it has: reading stops at the bound."""
    bound = min(MOST_PICTURE_BYTES, left)
    with archive.open(entry) as file:
        data = file.read(bound + 1)
    if len(data) > bound:
        raise _too_much()
    return data


def _too_much() -> UserError:
    return UserError("The zip file unpacks to more than {maximum} MB. Use fewer or smaller pictures.",
                     maximum=MOST_BYTES // 2**20)  # fmt: skip
