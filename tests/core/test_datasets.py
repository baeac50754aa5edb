"""Every data set keeps one contract; folders and zips of people get a data set or a sentence."""

import io
import zipfile

import pytest
import torch
from PIL import Image

from core import registry
from core.errors import UserError
from core.vision.datasets.fashion_mnist import DEBIAN
from core.vision.preview import dataset_preview
from core.vision.recipe import DATASETS, PictureRecipe
from core.vision.splits import load_dataset, splits
from core.vision.uploads import import_zip

HERE = {"digits": "digits", "shapes": "shapes:count=200", "fashion-mnist": "fashion-mnist"}
NEEDS_PERSON = {"folder", "upload", "cifar10"}  # tested below, or not without internet


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_no_data_set_is_forgotten():
    assert set(registry.names(DATASETS)) == {*HERE, *NEEDS_PERSON}


@pytest.mark.parametrize("name", HERE)
def test_contract(name):
    if name == "fashion-mnist" and not DEBIAN.is_dir():
        pytest.skip("needs Debian's package dataset-fashion-mnist")
    recipe = PictureRecipe(dataset=HERE[name])
    dataset, again = load_dataset(recipe), load_dataset(recipe)
    assert torch.equal(dataset.train.images, again.train.images)
    assert dataset.version == again.version
    for part in splits(dataset, recipe):
        assert part.images.shape[1:] == dataset.input_shape
        assert part.images.is_contiguous(memory_format=torch.channels_last)
        assert part.labels.unique().tolist() == list(range(len(dataset.classes)))
        assert part.images.max() > 128


def test_splits_share_no_picture():
    train, validation, test = splits(load_dataset(PictureRecipe()), PictureRecipe())
    assert len(train) + len(validation) + len(test) == 1797


def picture(colour: str, mode: str = "RGB", size: tuple[int, int] = (20, 14), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def two_classes(prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{colour}/{k}.png": picture(colour) for colour in ("red", "blue") for k in range(10)}


@pytest.mark.parametrize("prefix", ["", "mine/"])
def test_a_zip_becomes_a_data_set(prefix):
    found = import_zip(zipped(two_classes(prefix) | {"__MACOSX/x": b"1"}))
    assert found["classes"] == ["blue", "red"]
    preview = dataset_preview({"dataset": found["dataset"]})
    assert preview["input_shape"] == [3, 32, 32]
    assert sum(map(sum, preview["counts"].values())) == 20


def test_parts_of_a_zip_are_kept():
    files = two_classes("train/") | two_classes("val/") | two_classes("test/")
    preview = dataset_preview({"dataset": import_zip(zipped(files))["dataset"]})
    assert {part: sum(n) for part, n in preview["counts"].items()} == {"train": 20, "validation": 20, "test": 20}


BAD_ZIPS = {
    "no zip": (b"hello", "no zip file"),
    "no folders": (zipped({"a.png": picture("red")}), "one folder for each class"),
    "one class": (zipped({"a/1.png": picture("red")}), "at least two classes"),
    "climbs out": (zipped(two_classes() | {"../a/1.png": b""}), "climbs out"),
    "absolute": (zipped(two_classes() | {"/a/1.png": b""}), "climbs out"),
    "broken picture": (zipped(two_classes() | {"red/x.png": picture("red")[:40]}), "x.png in the zip file"),
    "text named png": (zipped(two_classes() | {"red/x.png": b"text"}), "no PNG, JPEG or WebP"),
    "bomb": (zipped(two_classes() | {f"red/{k}.png": b"\0" * 60_000_000 for k in range(10)}), "unpacks to more"),
    "one large": (zipped(two_classes() | {"red/x.png": b"\0" * 60_000_000}), "unpacks to more"),
}


@pytest.mark.parametrize("name", BAD_ZIPS)
def test_a_bad_zip_gets_a_sentence_and_leaves_nothing(name, home):
    data, sentence = BAD_ZIPS[name]
    with pytest.raises(UserError, match=sentence):
        import_zip(data)
    assert list((home / "uploads").iterdir()) == []


def test_a_folder_skips_what_is_broken_and_counts_it(tmp_path):
    for name, data in (two_classes() | {"red/broken.png": b"\x89PNG\r\n\x1a\n"}).items():
        file = tmp_path / "mine" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    recipe = PictureRecipe(dataset=f"folder:{tmp_path / 'mine'}", image_size=16)
    dataset = load_dataset(recipe)
    assert dataset.input_shape == (3, 16, 16)
    assert len(dataset.train) + len(dataset.test) == 20
    assert "1 unreadable" in dataset.source
    assert torch.equal(load_dataset(recipe).train.images, dataset.train.images)  # from the cache


@pytest.mark.parametrize("argument", ["", ":", ":/no/such/place"])
def test_a_folder_that_is_not_there(argument):
    with pytest.raises(UserError, match=r"folder"):
        load_dataset(PictureRecipe(dataset=f"folder{argument}"))


@pytest.mark.parametrize("argument", ["", "../../etc", "0" * 16])
def test_an_upload_that_is_not_there(argument):
    with pytest.raises(UserError, match="not here"):
        load_dataset(PictureRecipe(dataset=f"upload:{argument}"))
