"""Zips of people become data sets, or get one sentence and leave nothing behind."""

import io
import os
import random
import stat
import subprocess
import sys
import time
import zipfile

import pytest
from PIL import Image

from app.language import explain
from core.errors import UserError
from core.vision import uploads
from core.vision.preview import dataset_preview
from core.vision.uploads import import_zip
from tests.corpus.making import white_png


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def picture(colour: str, size: tuple[int, int] = (20, 14), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def two_classes(prefix: str = "", count: int = 10) -> dict[str, bytes]:
    return {f"{prefix}{colour}/{k}.png": picture(colour) for colour in ("red", "blue") for k in range(count)}


OTHER_FILES = {
    "": {},
    "beside the classes": {"README.txt": b"1", "labels.csv": b"1"},
    "among the pictures": {"red/Thumbs.db": b"1"},
    "of macOS": {"__MACOSX/red/._1.png": b"1", ".DS_Store": b"1", "red/.DS_Store": b"1"},
}


@pytest.mark.parametrize("others", OTHER_FILES)
@pytest.mark.parametrize("prefix", ["", "mine/", "a/b/"])
def test_a_zip_becomes_a_data_set(prefix, others):
    more = {prefix + name: data for name, data in OTHER_FILES[others].items()}
    found = import_zip(zipped(two_classes(prefix) | more))
    assert found["classes"] == ["blue", "red"]
    assert found["counts"] == [10, 10]
    assert found["skipped"] == (0 if others == "of macOS" else len(more))
    preview = dataset_preview({"dataset": found["dataset"]})
    assert preview["input_shape"] == [3, 32, 32]
    assert preview["name"] == found["dataset"]
    assert sum(map(sum, preview["counts"].values())) == 20


def test_parts_of_a_zip_are_kept():
    files = two_classes("mine/Train/") | two_classes("mine/val/") | two_classes("mine/test/")
    preview = dataset_preview({"dataset": import_zip(zipped(files))["dataset"]})
    assert preview["counts"] == {"train": [10, 10], "validation": [10, 10], "test": [10, 10]}


def test_the_same_zip_is_imported_once(home):
    data = zipped(two_classes())
    first = import_zip(data)
    before = [file.stat().st_mtime_ns for file in sorted(home.rglob("*.png"))]
    assert import_zip(data) == first
    assert [file.stat().st_mtime_ns for file in sorted(home.rglob("*.png"))] == before


def uploads_sizes(home) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(file.read_bytes())).size for file in home.rglob("*.png")]


def test_large_pictures_are_stored_small(home):
    import_zip(zipped(two_classes() | {"red/large.jpg": picture("red", (1000, 500), "JPEG")}))
    assert max(uploads_sizes(home)) == (256, 128)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_chinese_names_survive_every_packer(encoding):
    """Windows and macOS write names in encodings of theirs and do not say so; only the bytes tell."""
    files = {name: picture("red") for name in ("cats/1.png", "dogs/1.png")}
    chinese = {b"cats": "猫咪".encode(encoding), b"dogs": "小狗".encode(encoding)}
    width = len(chinese[b"cats"])
    data = zipped({name.replace("cats", "c" * width).replace("dogs", "d" * width): d for name, d in files.items()})
    data = data.replace(b"c" * width + b"/", chinese[b"cats"] + b"/").replace(
        b"d" * width + b"/", chinese[b"dogs"] + b"/"
    )
    assert import_zip(data)["classes"] == sorted(["猫咪", "小狗"])


def test_spellings_of_one_class_are_one_class():
    found = import_zip(
        zipped(two_classes("train/") | {"test/Red/1.png": picture("red"), "test/blue/1.png": picture("blue")})
    )
    assert found["classes"] == ["blue", "red"]


def link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in two_classes().items():
            archive.writestr(name, data)
        entry = zipfile.ZipInfo("red/link.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def locked() -> bytes:
    """The flag that says encrypted, set in the directory of a plain zip."""
    data = bytearray(zipped(two_classes()))
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    return bytes(data)


def declared(data: bytes, size: int) -> bytes:
    """The same zip, whose last file now says that it unpacks to so many bytes."""
    place = data.rindex(b"PK\x01\x02")
    return data[: place + 24] + size.to_bytes(4, "little") + data[place + 28 :]


def bomb() -> bytes:
    return declared(zipped(two_classes() | {"red/x.png": b"\0" * 60_000}), 4_000_000_000)


def understated() -> bytes:
    """Says it unpacks to 100 bytes, and unpacks to 60 million."""
    return declared(zipped(two_classes() | {"red/x.png": b"\0" * 60_000_000}), 100)


def damaged() -> bytes:
    """Compressed bytes that are no compressed bytes."""
    data = bytearray(zipped(two_classes()))
    place = data.index(b"red/0.png") + len(b"red/0.png")
    data[place : place + 20] = b"\xff" * 20
    return bytes(data)


BAD_ZIPS = {
    "nothing": (lambda: b"", "no zip file"),
    "no zip": (lambda: b"hello", "no zip file"),
    "cut": (lambda: zipped(two_classes())[:-30], "no zip file"),
    "damaged": (damaged, "no zip file"),
    "odd compression": (lambda: zipped(two_classes(), zipfile.ZIP_LZMA), "no zip file"),
    "locked": (locked, "password"),
    "empty": (lambda: zipped({}), "no class folders"),
    "no folders": (lambda: zipped({"a.png": picture("red")}), "no class folders"),
    "parts without classes": (lambda: zipped({"train/1.png": b"", "test/1.png": b""}), "no class folders"),
    "no pictures": (lambda: zipped({"red/1.txt": b"1", "blue/1.txt": b"1"}), "no class folders"),
    "one class": (lambda: zipped({"a/1.png": picture("red")}), "one class only, a"),
    "climbs out": (lambda: zipped(two_classes() | {"../a/1.png": b""}), "climbs out"),
    "climbs out in the middle": (lambda: zipped(two_classes() | {"red/../../1.png": b""}), "climbs out"),
    "climbs out as on Windows": (lambda: zipped(two_classes() | {"red\\..\\..\\1.png": b""}), "climbs out"),
    "absolute": (lambda: zipped(two_classes() | {"/a/1.png": b""}), "climbs out"),
    "another drive": (lambda: zipped(two_classes() | {"C:/a/1.png": b""}), "climbs out"),
    "link": (link, "red/link.png in the zip file is a link"),
    "broken picture": (
        lambda: zipped(two_classes() | {"red/x.png": picture("red")[:40]}),
        "x.png in the zip file: .*broken",
    ),
    "text named png": (lambda: zipped(two_classes() | {"red/x.png": b"text"}), "x.png in the zip file: .*no PNG"),
    "a GIF": (lambda: zipped(two_classes() | {"red/x.gif": picture("red", kind="GIF")}), "x.gif .*no PNG"),
    "bomb": (bomb, "more than 500 MB"),
    "one large": (lambda: zipped(two_classes() | {"red/x.png": b"\0" * 60_000_000}), "x.png in .* more than 20 MB"),
    "understated": (understated, "no zip file"),
    "many files": (lambda: zipped({f"{k}/x": b"" for k in range(20_001)}, zipfile.ZIP_STORED), "20001 files"),
    "very many files": (lambda: b"PK\x01\x02" * 50_000, "50000 files"),
}


@pytest.mark.parametrize("name", BAD_ZIPS)
def test_a_bad_zip_gets_a_sentence_and_leaves_nothing(name, home):
    make, sentence = BAD_ZIPS[name]
    with pytest.raises(UserError, match=sentence):
        import_zip(make())
    assert list((home / "uploads").iterdir()) == []


def test_damage_never_raises_anything_else(home):
    chance, whole = random.Random(0), zipped(two_classes(count=2))
    sentences = 0
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            import_zip(bytes(data))
        except UserError:
            sentences += 1
    assert sentences > 100
    assert not list((home / "uploads").glob(".*"))


@pytest.mark.parametrize(
    ("bound", "value", "sentence"),
    [
        ("PATIENCE_S", -1.0, "seconds"),
        ("MOST_STORED_BYTES", 100, "unpacks to more"),
        ("MOST_MEGAPIXELS", 0.005, "more than 0.005 megapixels together"),
    ],
)
def test_bounds_that_show_only_on_the_way_leave_nothing(bound, value, sentence, home, monkeypatch):
    monkeypatch.setattr(uploads, bound, value)
    with pytest.raises(UserError, match=sentence):
        import_zip(zipped(two_classes()))
    assert list((home / "uploads").iterdir()) == []


def test_pictures_that_would_take_minutes_are_refused_before_one_is_decoded(home, monkeypatch):
    """A hundred kilobytes, two thousand million pixels."""
    large = white_png(6000, 6000)
    monkeypatch.setattr(uploads, "decode_picture", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UserError, match=r"more than 2000 megapixels together\. Make them smaller, 256 pixels"):
        import_zip(zipped(two_classes() | {f"red/large-{k}.png": large for k in range(56)}))
    assert list((home / "uploads").iterdir()) == []


def test_the_time_is_looked_at_between_any_two_pictures(home, monkeypatch):
    """However few pixels they claim: what they unpack to on the way may be large."""
    seen, ticks = [], iter(range(1000))
    monkeypatch.setattr(uploads.time, "monotonic", lambda: 10.0 * next(ticks))
    monkeypatch.setattr(uploads, "picture_size", lambda data: seen.append(data) or (1, 1))
    with pytest.raises(UserError, match="more than 120 seconds"):
        import_zip(zipped(two_classes()))
    assert len(seen) == 12
    assert list((home / "uploads").iterdir()) == []


def test_what_a_killed_import_left_is_removed_by_the_next(home):
    old, running = (home / "uploads" / name for name in (".import-old", ".import-running"))
    for folder in (old, running):
        (folder / "red").mkdir(parents=True)
    os.utime(old, (time.time() - 2 * uploads.ORPHAN_S,) * 2)
    import_zip(zipped(two_classes()))
    assert not old.exists()
    assert running.exists()


def test_the_reason_inside_is_translated_too(monkeypatch):
    """The error crosses a process boundary as JSON, and both of its sentences are then said in one language."""
    with pytest.raises(UserError) as caught:
        import_zip(zipped(two_classes() | {"red/x.png": b"text"}))
    monkeypatch.setattr("app.language.current_language", lambda: "zh")
    shown = explain(UserError.from_json(caught.value.to_json()))
    assert "x.png" in shown
    assert "no PNG" not in shown
    assert "zip file" not in shown


def test_no_torch_is_needed():
    code = "import sys, core.vision.uploads; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
