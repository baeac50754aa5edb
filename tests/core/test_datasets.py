"""Every data set keeps one contract; folders of people get a data set or a sentence."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from core import registry
from core.errors import UserError
from core.vision import downloads
from core.vision.datasets.fashion_mnist import DEBIAN
from core.vision.preview import dataset_preview
from core.vision.recipe import DATASETS, PictureRecipe
from core.vision.splits import load_dataset, splits

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


def picture(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 14), colour).save(buffer, "PNG")
    return buffer.getvalue().ljust(200, b"\0")  # all of one size; what follows a PNG's end is no part of it


def written(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def two_classes(prefix: str = "") -> dict[str, bytes]:
    return {f"{prefix}{colour}/{k}.png": picture(colour) for colour in ("red", "blue") for k in range(10)}


def test_a_folder_skips_what_is_broken_and_counts_it(tmp_path):
    written(tmp_path / "mine", two_classes() | {"red/broken.png": b"\x89PNG\r\n\x1a\n"})
    recipe = PictureRecipe(dataset=f"folder:{tmp_path / 'mine'}", image_size=16)
    dataset = load_dataset(recipe)
    assert dataset.input_shape == (3, 16, 16)
    assert len(dataset.train) + len(dataset.test) == 20
    assert dataset.skipped == 1
    assert torch.equal(load_dataset(recipe).train.images, dataset.train.images)  # from the cache


def load_folder(root: Path, image_size: int = 16):
    return load_dataset(PictureRecipe(dataset=f"folder:{root}", image_size=image_size))


@pytest.mark.parametrize("validation", ["val", "validation"])
def test_parts_of_a_folder_are_kept(tmp_path, validation):
    files = two_classes("train/") | two_classes(f"{validation}/") | two_classes("Test/")
    preview = dataset_preview({"dataset": f"folder:{written(tmp_path / 'mine', files)}"})
    assert preview["counts"] == {"train": [10, 10], "validation": [10, 10], "test": [10, 10]}
    assert preview["sample_labels"][:4] == [0, 1, 0, 1]
    colours = [sample.reshape(-1, 3).mean(0).argmax() for sample in preview["samples"]]
    assert [preview["classes"][label] for label in preview["sample_labels"]] == [
        {0: "red", 2: "blue"}[colour] for colour in colours
    ]


def test_a_folder_without_a_test_part_gives_a_fifth_of_every_class(tmp_path):
    dataset = load_folder(written(tmp_path / "mine", two_classes()))
    assert dataset.test.labels.bincount().tolist() == [2, 2]
    assert dataset.train.labels.bincount().tolist() == [8, 8]


def test_a_changed_folder_is_read_again(tmp_path, home):
    root = written(tmp_path / "mine", two_classes())
    recipe = {"dataset": f"folder:{root}", "image_size": 16}
    before = dataset_preview(recipe)
    written(root, {"red/new.png": picture("red")})
    after = dataset_preview(recipe)
    assert sum(map(sum, after["counts"].values())) == 21
    assert after["version"] != before["version"]
    assert len(list((home / "cache").glob("*.pixels"))) == 1, "the old pictures stay in the cache"


def test_two_folders_that_look_alike_are_not_confused(tmp_path):
    """Same names, sizes and times, as from an archive that was packed without times."""
    roots = [written(tmp_path / name, two_classes()) for name in ("one", "two")]
    for k in range(10):
        (roots[1] / f"red/{k}.png").write_bytes(picture("blue"))
        (roots[1] / f"blue/{k}.png").write_bytes(picture("red"))
    files = [file for root in roots for file in root.rglob("*.png")]
    assert len({file.stat().st_size for file in files}) == 1
    for file in files:
        os.utime(file, (0, 0))
    of_class = [load_folder(root).train for root in roots]
    first = [part.images[part.labels == 0].float().mean((0, 2, 3)).argmax().item() for part in of_class]
    assert first == [2, 0]


def test_a_preview_and_a_run_may_read_a_folder_at_once(tmp_path):
    root = written(tmp_path / "mine", two_classes())
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: load_folder(root).train.images, range(8)))
    assert all(torch.equal(images, found[0]) for images in found)


BAD_FOLDERS = {
    "empty": ({}, "0 folders with pictures"),
    "no class folders": ({"1.png": picture("red")}, "0 folders with pictures"),
    "one class": ({"red/1.png": picture("red")}, "1 folders with pictures"),
    "nothing readable": ({"red/1.png": b"x", "blue/1.png": b"x"}, "None of the 2 pictures"),
    "test part alone": (two_classes("test/"), "too few pictures"),
}


@pytest.mark.parametrize("name", BAD_FOLDERS)
def test_a_bad_folder_gets_a_sentence(name, tmp_path):
    files, sentence = BAD_FOLDERS[name]
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match=sentence):
        load_folder(written(tmp_path / "mine", files))


def test_too_many_pixels_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("core.vision.stored.MOST_BYTES", 10_000)
    with pytest.raises(UserError, match="smaller image size"):
        load_folder(written(tmp_path / "mine", two_classes()))


NO_FOLDERS = ["", ":", ":/no/such/place", ":~nobody-of-this-name/x", f":/{'a' * 300}", ":a\0b"]


@pytest.mark.parametrize("argument", NO_FOLDERS)
def test_a_folder_that_is_not_there(argument):
    with pytest.raises(UserError, match=r"folder"):
        load_dataset(PictureRecipe(dataset=f"folder{argument}"))


@pytest.mark.parametrize("argument", ["", "../../etc", "0" * 16])
def test_an_upload_that_is_not_there(argument):
    with pytest.raises(UserError, match="not here"):
        load_dataset(PictureRecipe(dataset=f"upload:{argument}"))


@pytest.mark.parametrize("name", ["cifar10", "fashion-mnist"])
def test_without_data_or_internet_the_sentence_says_where_to_put_it(name, monkeypatch, tmp_path, home):
    def offline(*_args, **_kwargs):
        raise URLError("no internet")

    monkeypatch.setattr("core.vision.fetching.urllib.request.urlopen", offline)
    monkeypatch.setattr("core.vision.datasets.fashion_mnist.DEBIAN", tmp_path)
    with pytest.raises(UserError, match="cannot be downloaded") as caught:
        downloads.go_on(name, seconds=1)
    assert str(home / "downloads") in str(caught.value)


def test_cifar10_in_the_cache_is_read_without_internet(monkeypatch):
    """A made-up data set of torchvision's shape: what is checked is the way from it to ours."""

    class Cached:
        classes = ("cat", "dog")

        def __init__(self, folder, *, train, download):
            assert not download
            count = 6 if train else 4
            self.data = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1).repeat(32, 1).repeat(32, 2).repeat(3, 3)
            self.targets = [k % 2 for k in range(count)]

    monkeypatch.setattr("torchvision.datasets.CIFAR10", Cached)
    dataset = load_dataset(PictureRecipe(dataset="cifar10"))
    assert dataset.input_shape == (3, 32, 32)
    assert dataset.train.images[:, 0, 5, 7].tolist() == list(range(6))
    assert dataset.test.labels.tolist() == [0, 1, 0, 1]
