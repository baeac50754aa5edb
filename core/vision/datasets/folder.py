"""Your own pictures: a folder with one folder for each class, with or without train, val and test folders."""

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import UserError
from core.tasks import Say
from core.vision.decoding import MAX_BYTES, decode_square
from core.vision.pictures import PictureDataset, Pictures, stratified_split
from core.vision.stored import Chunk, StoredPixels, chunked, kept

ENDINGS = {".png", ".jpg", ".jpeg", ".webp"}
PARTS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
TEST_SHARE = 0.2  # of folders that bring no test part
MOST_FILES = 1_000_000
READ_AT_ONCE = 500  # pictures a thread reads in one go: handing over single small ones costs more than reading them
Entry = tuple[str, str, Path]  # part, class, file


def load(argument: str, *, seed: int, image_size: int, say: Say) -> PictureDataset:
    """3×S×S pictures, S = `image_size`: the shorter side is resized, the centre cut out. Cached as bytes."""
    if not argument:
        raise UserError("Say which folder, as in folder:PATH.")
    root = Path(os.path.expanduser(argument))  # Path.expanduser raises for unknown users
    if not os.path.isdir(root):  # Path.is_dir raises for names that are too long
        raise UserError("There is no folder {path} on this machine.", path=str(root)[:200])
    try:
        entries = find_pictures(root)
        version = _digest(root, entries, image_size)
    except OSError:
        raise UserError("You may not read all of the folder {path}. Check its access rights.", path=root.name) from None
    classes = sorted({name for _part, name, _file in entries})
    if len(classes) < 2:
        raise UserError(
            "{path} has {count} folders with pictures; a classifier needs one folder for each of at least two classes.",
            path=root.name,
            count=len(classes),
        )
    whole, readable = _pixels(root, entries, image_size, version, say)
    if not readable.any():
        raise UserError("None of the {count} pictures in {path} can be read.", count=len(entries), path=root.name)
    number = {name: label for label, name in enumerate(classes)}
    everything = Pictures(whole, torch.tensor([number[name] for _part, name, _file in entries]))
    of_part = np.array([part for part, _name, _file in entries])
    found = {
        part: everything.take(torch.from_numpy((readable & (of_part == part)).nonzero()[0]))
        for part in set(PARTS.values())
    }
    train, test = found["train"], found["test"]
    if not len(test) and len(train):
        rest, part = stratified_split(train.labels, TEST_SHARE, seed)
        train, test = train.take(rest), train.take(part)
    if len(train.labels.unique()) < 2 or not len(test):
        raise UserError("There are too few pictures to learn from: every class needs at least three.")
    return PictureDataset(
        name=f"folder:{argument}",
        version=version,
        source=f"{root.name}: {int(readable.sum()):,}",
        classes=tuple(classes),
        train=train,
        test=test,
        validation=found["validation"] if len(found["validation"]) else None,
        skipped=int((~readable).sum()),
    )


def find_pictures(root: Path) -> list[Entry]:
    """Every picture file below a folder, with its part and class, in a fixed order."""
    below = sorted(entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith((".", "__")))
    split = [folder for folder in below if folder.name.lower() in PARTS]
    # A lone "train" folder is a part; a class may be called "test" only beside classes that are no parts.
    with_parts = bool(split) and len(split) == len(below)
    groups = [(PARTS[f.name.lower()], f) for f in split] if with_parts else [("train", root)]
    entries: list[Entry] = []
    for part, folder in groups:
        for place in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
            with os.scandir(place) as found:  # knows what is a file without asking for each
                names = sorted(f.name for f in found if f.is_file() and Path(f.name).suffix.lower() in ENDINGS)
            entries += [(part, place.name, place / name) for name in names]
            if len(entries) > MOST_FILES:
                raise UserError("{path} has more than {maximum} pictures.", path=root.name, maximum=MOST_FILES)
    return entries


def _digest(root: Path, entries: Sequence[Entry], image_size: int) -> str:
    """Changes when a file is added, removed, renamed or written."""
    digest = hashlib.sha256(f"{image_size}".encode())
    for part, name, file in entries:
        stat = file.stat()
        digest.update(f"{part}/{name}/{file.relative_to(root)}:{stat.st_size}:{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:12]


def _pixels(
    root: Path, entries: Sequence[Entry], size: int, version: str, say: Say
) -> tuple[Tensor | StoredPixels, NDArray[np.bool_]]:
    """(N,3,S,S) bytes of all files and which of them could be read, from the cache or the files.

    One cache file for each folder and size: what is stored of an older version is replaced, not kept beside.
    """
    place = hashlib.sha256(str(root.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    shape = (len(entries), size, size, 3)
    stored = kept(f"folder-{place}-{size}", version, shape, lambda: _decoded(entries, size, say))
    return stored.pixels, stored.marks.numpy() != 0


def _decoded(entries: Sequence[Entry], size: int, say: Say) -> Iterator[Chunk]:
    """All pictures in order, as threads read them, marked with 1; what cannot be read is black and marked with 0."""

    def read(bounds: tuple[int, int]) -> Chunk:
        images = np.zeros((bounds[1] - bounds[0], size, size, 3), dtype=np.uint8)
        readable = np.zeros(len(images), dtype=np.int64)
        for place, (_part, _name, path) in enumerate(entries[slice(*bounds)]):
            with contextlib.suppress(UserError, OSError):  # stays unreadable, and is counted
                with path.open("rb") as file:
                    data = file.read(MAX_BYTES + 1)  # a longer file is refused without reading on
                images[place] = decode_square(data, size)
                readable[place] = 1
        return images, readable

    done = 0
    for images, readable in _in_threads(read, chunked(len(entries), size * size * 3, READ_AT_ONCE)):
        done += len(images)
        say("pictures", done / len(entries))
        yield images, readable


def _in_threads(read: Callable[[tuple[int, int]], Chunk], pieces: Iterable[tuple[int, int]]) -> Iterator[Chunk]:
    """What `read` makes of the pieces, in order; no more than a few are read before they are taken."""
    workers = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as threads:
        coming: deque[Future[Chunk]] = deque()
        for piece in pieces:
            coming.append(threads.submit(read, piece))
            if len(coming) > 2 * workers:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
