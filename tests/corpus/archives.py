"""Zips of pictures, other archives, recipes: taken as a data set or a recipe, or refused."""

import io
import pickle
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.corpus import ARCHIVE, RECIPE, Case
from tests.corpus import making as m

NO_ZIP, CLIMBS, LINK = "no zip file", "climbs out", "is a link"


def archives() -> list[Case]:
    return [*_taken(), *_climbing(), *_bombs(), *_no_zips(), *_recipes()]


def _taken() -> Iterator[Case]:
    """Names of classes come out safe on every system."""
    sorts = {
        "plain": ("red", "red"),
        "script": ("<script>alert(1)<", "_script_alert(1)_"),
        "rtl": ("\u202egnp.exe", "_gnp.exe"),
        "new-line": ("two\nlines", "two_lines"),
        "letters-300": ("n" * 300, "n" * 60),
        "formula": ("=1+1", "=1+1"),
        "braces": ("{0.__class__}", "{0.__class__}"),
        "chinese": ("猫咪", "猫咪"),
        "percent": ("%2e%2e%2f", "%2e%2e%2f"),
    }
    for sort, (given, name) in sorts.items():
        yield _takes(f"class-{sort}.zip", lambda given=given: m.zipped(m.two_classes(given)), name, "blue")
    yield _refused("class-hidden.zip", lambda: m.zipped(m.two_classes("...")), "one class only, blue")
    yield _takes("macos.zip", lambda: m.zip_with({"__MACOSX/red/._1.png": b"1"}), "blue", "red")
    yield _takes("zip-and-picture.zip", lambda: m.red_png() + m.zipped(m.two_classes()), "blue", "red")
    yield _takes("with-program.zip", lambda: m.zip_with({"red/a.exe": b"MZ", "a.py": b"1/0"}), "blue", "red")
    nested = m.zipped({"red/zeros.png": bytes(10_000_000)})
    yield _takes("zip-in-zip.zip", lambda: m.zip_with({"red/x.zip": nested}), "blue", "red")


def _climbing() -> Iterator[Case]:
    for sort, name in (
        ("up", "../a/1.png"),
        ("middle", "red/../../1.png"),
        ("windows", "red\\..\\..\\1.png"),
        ("root", "/etc/cron.d/1.png"),
        ("drive", "C:/a/1.png"),
        ("share", "\\\\host\\a\\1.png"),
    ):
        yield _refused(f"slip-{sort}.zip", lambda name=name: m.zip_with({name: m.red_png()}), CLIMBS)
    yield _refused("symlink.zip", _linked, LINK)


def _bombs() -> Iterator[Case]:
    zeros = bytes(60_000_000)
    yield _refused("one-large.zip", lambda: m.zip_with({"red/x.png": zeros}), "more than 20 MB")
    small = m.two_classes() | {"red/x.png": b"\0"}
    yield _refused("declared-4-gigabytes.zip", lambda: _declared(small, 2**32 - 2), "500 MB")
    yield _refused("understated.zip", lambda: _declared(m.two_classes() | {"red/x.png": zeros}, 100), NO_ZIP)
    many = {f"{k}/x": b"" for k in range(20_001)}
    yield _refused("many-files.zip", lambda: m.zipped(many, zipfile.ZIP_STORED), "20001 files")
    yield _refused("million-entries.zip", lambda: b"PK\1\2" * 1_000_000, "1000000 files")
    yield _refused("overlapping.zip", _overlapping, "no zip file|no PNG|broken")
    yield _refused("picture-bomb.zip", lambda: m.zip_with({"red/x.png": m.white_png(10_000, 10_000)}), "100.0 mega")
    huge = dict.fromkeys((f"red/{k}.png" for k in range(60)), m.white_png(6000, 6000))
    yield _refused("many-large-pictures.zip", lambda: m.zip_with(huge), "more than 2000 megapixels together")
    comments = m.zip_with({"red/x.jpg": m.jpeg(b"\xff\xfe\0\2" * 1_000_000)})
    yield _refused("parts-bomb.zip", lambda: comments, "x.jpg .*too many parts")
    for kind, name in ((zipfile.ZIP_LZMA, "lzma"), (zipfile.ZIP_BZIP2, "bzip2")):
        yield _refused(f"{name}.zip", lambda kind=kind: m.zipped(m.two_classes(), kind), NO_ZIP)


def _no_zips() -> Iterator[Case]:
    yield _refused("zero-bytes.zip", lambda: b"", NO_ZIP)
    yield _refused("text.zip", lambda: b"hello", NO_ZIP)
    yield _refused("cut.zip", lambda: m.zipped(m.two_classes())[:-30], NO_ZIP)
    yield _refused("symlink.tar", _tar_with_link, NO_ZIP)
    yield _refused("gzip-bomb.zip", lambda: b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zlib.compress(bytes(100_000_000)), NO_ZIP)
    yield _refused("pickle.zip", lambda: pickle.dumps({"a": 1}), NO_ZIP)
    yield _refused("empty.zip", lambda: m.zipped({}), "no class folders")
    yield _refused("gif-inside.zip", lambda: m.zip_with({"red/x.gif": m.saved(m.plain(), "GIF")}), "a GIF file")
    yield _refused("svg-inside.zip", lambda: m.zip_with({"red/x.png": b"<svg onload='a()'/>"}), "a SVG file")
    yield _refused("cut-inside.zip", lambda: m.zip_with({"red/x.png": m.red_png()[:45]}), "x.png .*broken")
    yield _refused("noise.zip", lambda: b"PK\3\4" + Image.effect_noise((64, 64), 90).tobytes(), NO_ZIP)


def _recipes() -> Iterator[Case]:
    """Recipes are small JSON files; nothing in them is a path, a format or a number without bound."""
    for sort, text, words in (
        ("nested", "[" * 90_000, "not a JSON file"),
        ("list", "[1]", "one JSON object"),
        ("unhashable-task", '{"task": []}', "not known here"),
        ("endless-number", '{"epochs": ' + "9" * 4000 + "}", "epochs must be"),
        ("endless-float", '{"learning_rate": ' + "9" * 4000 + "}", "learning_rate must be"),
        ("infinite", '{"learning_rate": Infinity}', "at most"),
        ("no-number", '{"learning_rate": NaN}', "at least"),
        ("path", '{"model": "../../../etc/passwd"}', "model must be one of"),
        ("lone-surrogate", '{"dataset": "folder:\\ud800"}', "dataset"),
        ("zero-byte", '{"dataset": "folder:\\u0000"}', "dataset"),
    ):
        yield Case(f"{sort}.json", text.encode, RECIPE, refused=words)


def _takes(name: str, make: Callable[[], bytes], *classes: str) -> Case:
    return Case(name, make, ARCHIVE, classes=tuple(sorted(classes)))


def _refused(name: str, make: Callable[[], bytes], words: str) -> Case:
    return Case(name, make, ARCHIVE, refused=words)


def _linked() -> bytes:
    buffer = io.BytesIO(m.zipped(m.two_classes()))
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo("red/link.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def _declared(files: dict[str, bytes], size: int) -> bytes:
    """The last file says that it unpacks to so many bytes."""
    data = m.zipped(files)
    place = data.rindex(b"PK\1\2")
    return data[: place + 24] + struct.pack("<I", size) + data[place + 28 :]


def _overlapping() -> bytes:
    """A hundred entries that all point at the same compressed bytes."""
    data = m.zip_with({"red/x.png": bytes(4_000_000)})
    directory = data.index(b"PK\1\2")
    last, end = data.rindex(b"PK\1\2"), data.rindex(b"PK\5\6")
    entries = data[directory:end] + data[last:end] * 100
    count = data[directory:end].count(b"PK\1\2") + 100
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(entries), directory, 0)
    return data[:directory] + entries + tail


def _tar_with_link() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("red/link.png")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    return buffer.getvalue()
