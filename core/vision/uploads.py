"""A zip file of somebody's pictures becomes a data set, or is refused with a reason and leaves nothing behind.

Runs in a process with little memory and knows no torch: the bytes come from a person. Nothing is ever extracted
under a name of the archive's choosing: pictures are read one by one, decoded, and written under names of ours.
"""

import contextlib
import hashlib
import io
import re
import shutil
import stat
import struct
import tempfile
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

from core.errors import UserError
from core.home import atlas_home
from core.vision.decoding import MAX_BYTES, decode_picture, picture_size

MOST_FILES = 20_000
MOST_BYTES = 500 * 2**20  # unpacked, all together
MOST_STORED_BYTES = 2 * 2**30  # of the PNG files we write
MOST_MEGAPIXELS = 2000  # of all pictures together, as they come: a thousand photographs as phones send them
PATIENCE_S = 120.0  # less than the caller waits before it kills this process, which could not tidy up then
ORPHAN_S = 3600.0  # a folder of an import that was killed is removed after this time
LONGEST_SIDE = 256  # pixels; no recipe looks closer
PARTS = {"train": "train", "val": "val", "validation": "val", "test": "test"}
# What a person takes for a picture. Those we cannot read are named and refused, rather than dropped silently.
PICTURES = {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif",
}  # fmt: skip
UTF8_NAME, ENCRYPTED = 0x800, 0x1  # flags of an entry (APPNOTE 6.3, section 4.4.4)

Found = dict[tuple[str, str], list[zipfile.ZipInfo]]  # (part or "", class): pictures
Placed = list[tuple[tuple[str, ...], zipfile.ZipInfo]]  # the folders and name of each entry


def import_zip(data: bytes, most: int = MOST_FILES) -> dict[str, Any]:
    """Decode all pictures, make them small and store them as PNG, to be loaded as the data set ``upload:<digest>``.

    `most` is how many pictures its owner may still add.

    Returns {"dataset", "classes": names, "counts": pictures of each class, "skipped": other files}. Raises
    `UserError`: no zip, names that climb out, links, too much inside, no or one class, a picture that is broken.
    What would take long is refused before any picture is decoded, and what takes long nevertheless is given up.
    """
    name = hashlib.sha256(data).hexdigest()[:16]
    home = atlas_home() / "uploads"
    home.mkdir(exist_ok=True)
    _remove_orphans(home)
    # Each entry costs memory as soon as a zip is opened, so they are counted before, by their signature.
    if data.count(b"PK\x01\x02") > 2 * MOST_FILES:
        raise _too_many(data.count(b"PK\x01\x02"))
    with _damage_told():
        archive = zipfile.ZipFile(io.BytesIO(data))
    found, skipped = _sorted_out(archive)
    if not (home / name).exists():
        if (pictures := sum(map(len, found.values()))) > most:
            raise UserError(
                "The zip file has {count} pictures; you may add {left} more here. Use fewer, or ask the teacher.",
                count=pictures, left=max(0, most),
            )  # fmt: skip
        _store(archive, found, home / name)
    counts: dict[str, int] = {}
    for (_part, label), entries in found.items():
        counts[label] = counts.get(label, 0) + len(entries)
    classes = sorted(counts)
    return {
        "dataset": f"upload:{name}",
        "classes": classes,
        "counts": [counts[label] for label in classes],
        "skipped": skipped,
    }


def _sorted_out(archive: zipfile.ZipFile) -> tuple[Found, int]:
    """The pictures of the archive by part and class, and how many files are none; from the directory alone."""
    # Not `is_dir`, which stumbles over an entry without a name.
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    if len(entries) > MOST_FILES:
        raise _too_many(len(entries))
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise _too_much(MOST_BYTES)
    placed = [(_checked_path(entry), entry) for entry in entries]
    visible = [(path, entry) for path, entry in placed if not any(p.startswith((".", "__MACOSX")) for p in path)]
    pictures = [(path, entry) for path, entry in visible if PurePosixPath(path[-1]).suffix.lower() in PICTURES]
    found = _by_class(_unwrapped(pictures))
    classes = {label for _part, label in found}
    if not classes:
        raise UserError("The zip file has no class folders: put the pictures of each class into a folder of its own.")
    if len(classes) < 2:
        raise UserError(
            "The zip file has one class only, {name}. A classifier needs a folder for each of at least two classes.",
            name=classes.pop(),
        )
    return found, len(visible) - sum(map(len, found.values()))


def _checked_path(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    """Its folders and its name. Raises `UserError` for what no honest program packs, or we cannot unpack."""
    name = _decoded_name(entry).replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name):
        raise UserError("The zip file has a name that climbs out of its folder. Pack it again.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise UserError(
            "{file} in the zip file is a link, not a picture. Pack the pictures themselves.", file=name[:80]
        )
    if entry.flag_bits & ENCRYPTED:
        raise UserError("The zip file is locked with a password. Pack it again without one.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others may claim any memory
        raise _damaged()
    return path.parts or ("",)


def _decoded_name(entry: zipfile.ZipInfo) -> str:
    """The name as it was meant: without the UTF-8 flag, it is in the encoding of whichever system packed it."""
    if entry.flag_bits & UTF8_NAME:
        return entry.filename
    with contextlib.suppress(UnicodeError):
        raw = entry.filename.encode("cp437")  # which is how zipfile read it
        for encoding in ("utf-8", "gb18030"):  # macOS, Chinese Windows
            with contextlib.suppress(UnicodeDecodeError):
                return raw.decode(encoding)
    return entry.filename


def _unwrapped(pictures: Placed) -> Placed:
    """Without the folder around everything, if there is one."""
    while pictures and all(len(path) > 2 for path, _ in pictures) and len({path[0] for path, _ in pictures}) == 1:
        if pictures[0][0][0].lower() in PARTS:
            break
        pictures = [(path[1:], entry) for path, entry in pictures]
    return pictures


def _by_class(pictures: Placed) -> Found:
    """Pictures in class folders; those elsewhere are left out. Told apart just as `datasets.folder` does."""
    tops = {path[0].lower() for path, _ in pictures if len(path) > 1}
    depth = 3 if tops and tops <= set(PARTS) else 2
    spelled: dict[str, str] = {}  # "Cat" and "cat" are one folder on some systems, so they are one class on all
    found: Found = {}
    for path, entry in pictures:
        if len(path) == depth:
            name = _class_name(path[-2])
            label = spelled.setdefault(name.casefold(), name)
            part = PARTS[path[0].lower()] if depth == 3 else ""
            found.setdefault((part, label), []).append(entry)
    return found


def _class_name(text: str) -> str:
    """A folder name that is safe on every system; letters of every script stay."""
    text = unicodedata.normalize("NFC", text)  # macOS packs accents as letters of their own
    name = "".join(c if c.isprintable() and c not in '<>:"|?*/\\' else "_" for c in text).strip(". ")[:60]
    return name or "_"


def _store(archive: zipfile.ZipFile, found: Found, target: Path) -> None:
    """Write all pictures to a folder that appears only when it is complete."""
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".import-"))
    deadline = time.monotonic() + PATIENCE_S
    try:
        _check_pixels(archive, found, deadline)
        stored = 0
        for (part, label), entries in found.items():
            folder = scratch / part / label
            folder.mkdir(parents=True)
            for place, data in enumerate(_contents(archive, entries, deadline)):
                with _named(entries[place]):
                    pixels = decode_picture(data, LONGEST_SIDE)
                file = folder / f"{place:06d}.png"
                Image.fromarray(pixels).save(file)
                stored += file.stat().st_size
                if stored > MOST_STORED_BYTES:
                    raise _too_much(MOST_STORED_BYTES)
        with contextlib.suppress(OSError):  # the same zip was imported meanwhile: that folder is as good
            scratch.rename(target)
        assert target.is_dir(), target
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_pixels(archive: zipfile.ZipFile, found: Found, deadline: float) -> None:
    """Look at all headers first: some kilobytes can hold pictures that take minutes to decode."""
    entries = [entry for those in found.values() for entry in those]
    pixels = 0
    for place, data in enumerate(_contents(archive, entries, deadline)):
        with _named(entries[place]):
            width, height = picture_size(data)
        pixels += width * height
        if pixels > MOST_MEGAPIXELS * 10**6:
            raise UserError(
                "The pictures of the zip file have more than {maximum} megapixels together. "
                "Make them smaller, {side} pixels a side are enough, or use fewer.",
                maximum=MOST_MEGAPIXELS, side=LONGEST_SIDE,
            )  # fmt: skip


def _contents(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], deadline: float) -> Iterator[bytes]:
    """What the entries unpack to, one after the other, as long as there is time."""
    left = MOST_BYTES
    for entry in entries:
        if time.monotonic() > deadline:
            raise UserError(
                "Reading the pictures of the zip file takes more than {seconds} seconds. "
                "Use fewer or smaller pictures.",
                seconds=round(PATIENCE_S),
            )
        data = _unpacked(archive, entry, left)
        left -= len(data)
        yield data


@contextlib.contextmanager
def _named(entry: zipfile.ZipInfo) -> Iterator[None]:
    """What is wrong with a picture, with its name."""
    try:
        yield
    except UserError as error:
        shown = PurePosixPath(_decoded_name(entry)).name[:80]
        raise UserError("{file} in the zip file: {reason}", file=shown, reason=error) from None


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: int) -> bytes:
    """The bytes of one entry, however many it says it has: reading stops at the bound."""
    bound = min(MAX_BYTES, left)
    with _damage_told(), archive.open(entry) as file:
        data = file.read(bound + 1)
    if len(data) > bound:
        raise _too_much(MOST_BYTES) if bound == left else _too_large(entry)
    return data


def _remove_orphans(home: Path) -> None:
    for folder in home.glob(".import-*"):
        with contextlib.suppress(FileNotFoundError):  # another import ended just now
            if time.time() - folder.stat().st_mtime > ORPHAN_S:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    """What `zipfile` raises for damaged archives, found by damaging thousands, as one sentence."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, ValueError):
        raise _damaged() from None


def _damaged() -> UserError:
    return UserError("This is no zip file that can be read.")


def _too_many(count: int) -> UserError:
    return UserError("The zip file has {count} files; at most {maximum} are taken.", count=count, maximum=MOST_FILES)


def _too_large(entry: zipfile.ZipInfo) -> UserError:
    return UserError(
        "{file} in the zip file unpacks to more than {maximum} MB. Make it smaller.",
        file=PurePosixPath(_decoded_name(entry)).name[:80],
        maximum=MAX_BYTES // 10**6,
    )


def _too_much(maximum: int) -> UserError:
    return UserError(
        "The zip file unpacks to more than {maximum} MB. Use fewer or smaller pictures.", maximum=maximum // 2**20
    )
