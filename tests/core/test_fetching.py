"""Downloads: whole or not there, taken up where they broke off, never hanging; caches that others broke."""

import gzip
import hashlib
import io
import json
import pickle
import re
import shutil
import socket
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from core.errors import UserError
from core.runs.execute import execute
from core.runs.folder import RunFolder
from core.training.__main__ import main
from core.vision import downloads, fetching, imagenet
from core.vision.datasets import cifar10, fashion_mnist
from core.vision.fetching import Remote, fetch, fetch_some
from core.vision.recipe import PictureRecipe
from core.vision.splits import load_dataset

CONTENT = bytes(range(256)) * 20_000  # 5 MB
CHECKSUM = f"sha256:{hashlib.sha256(CONTENT).hexdigest()[:8]}"


class Server(BaseHTTPRequestHandler):
    """Serves `files`, by default the weights."""

    files: dict[str, bytes]
    asked: list[str]  # the ranges
    broken = 0  # bytes after which the connection ends
    ranges = True

    def do_GET(self):
        content = self.files.get(self.path.rsplit("/", 1)[-1], CONTENT)
        wanted = self.headers.get("Range", "")
        self.asked.append(wanted)
        start = int(re.findall(r"\d+", wanted)[0]) if self.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if self.ranges else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.broken or None])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    handler = type("Handler", (Server,), {"asked": [], "files": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        handler.url = f"http://127.0.0.1:{running.server_port}/"
        yield handler
        running.shutdown()


@pytest.fixture
def weights(server, tmp_path):
    return Remote(f"{server.url}weights.pth", tmp_path / "folder" / "weights.pth", CHECKSUM)


def test_a_file_is_fetched_once(server, weights, tmp_path):
    assert fetch(weights).read_bytes() == CONTENT
    assert fetch(weights) == weights.file
    assert server.asked == ["bytes=0-"]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_at_the_next_try(server, weights, ranges):
    server.broken, server.ranges = 2_000_000, ranges
    with pytest.raises(UserError, match="broke off"):
        fetch(weights)
    assert not weights.file.exists()
    server.broken = 0
    assert fetch(weights).read_bytes() == CONTENT
    assert server.asked == ["bytes=0-", "bytes=2000000-"]


def test_a_long_download_comes_in_pieces_and_says_how_far_it_is(server, weights):
    seen = []
    while not weights.is_here():
        progress = fetch_some(weights, seconds=-1)
        seen.append(progress.done)
        assert progress.total == len(CONTENT)
    assert len(seen) > 3
    assert seen == sorted(set(seen))
    assert seen[-1] == len(CONTENT)
    assert weights.file.read_bytes() == CONTENT


def test_a_server_that_cannot_go_on_is_heard_to_the_end(server, weights):
    server.ranges = False
    assert fetch_some(weights, seconds=-1).done == len(CONTENT)
    assert len(server.asked) == 1


def test_whoever_prepares_data_hears_of_it(weights):
    heard = []
    fetch(weights, lambda what, share: heard.append((what, share)))
    assert heard[-1] == ("download", 1.0)


def test_another_file_than_asked_for_is_thrown_away(server, weights):
    wrong = Remote(weights.url, weights.file, "sha256:00000000")
    with pytest.raises(UserError, match="is not that file"):
        fetch(wrong)
    assert not wrong.file.exists()
    assert not wrong.part.exists()


@pytest.mark.parametrize("left", [CONTENT[:1000], b"x" * len(CONTENT), CONTENT + b"x", b""])
def test_a_broken_file_in_the_cache_is_fetched_again(weights, left):
    weights.file.parent.mkdir()
    weights.file.write_bytes(left)
    assert not weights.is_here()
    assert fetch(weights).read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"x" * 1000, CONTENT + b"x", b"x" * len(CONTENT)])
def test_a_wrong_beginning_is_thrown_away_and_told_once(weights, left):
    weights.file.parent.mkdir()
    weights.part.write_bytes(left)
    with pytest.raises(UserError, match="is not that file"):
        fetch(weights)
    assert fetch(weights).read_bytes() == CONTENT


def test_two_who_want_the_same_file_get_it(server, weights):
    with ThreadPoolExecutor(4) as threads:
        files = list(threads.map(lambda _: fetch(weights), range(4)))
    assert files == [weights.file] * 4
    assert weights.file.read_bytes() == CONTENT


def test_a_silent_server_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "SILENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/weights.pth"
        with pytest.raises(UserError, match="Connect to the internet once"):
            fetch(Remote(url, tmp_path / "weights.pth", CHECKSUM))


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def fashion(server, tmp_path, monkeypatch):
    """Fashion-MNIST of a few pictures, on a server; returns the folder into which it is fetched."""
    random = np.random.default_rng(0)
    for part, count in (("train", 40), ("t10k", 20)):
        images, labels = random.integers(0, 255, (count, 28, 28), np.uint8), np.arange(count, dtype=np.uint8) % 10
        server.files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(images))
        server.files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(labels))
    sums = {name[:-3]: f"md5:{hashlib.md5(data).hexdigest()}" for name, data in server.files.items()}
    monkeypatch.setattr(fashion_mnist, "CHECKSUMS", sums)
    monkeypatch.setattr(fashion_mnist, "URL", server.url)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "no such folder")
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "downloads" / "FashionMNIST" / "raw"


def brought(what):
    """Fetch as the page does; what it was told on the way."""
    told = []
    while not (state := downloads.go_on(what, seconds=0.2))["ready"]:
        told.append(state)
    return told


def test_fashion_mnist_is_fetched_for_the_page(fashion, server):
    told = brought("fashion-mnist")
    assert [state["file"] for state in told] == list(server.files)
    assert all(state["done"] == state["total"] > 0 for state in told)
    dataset = load_dataset(PictureRecipe(dataset="fashion-mnist"))
    assert (len(dataset.train), len(dataset.test)) == (40, 20)
    assert dataset.test.labels.tolist() == [k % 10 for k in range(20)]
    assert len(server.asked) == 4


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
def test_a_truncated_fashion_mnist_is_fetched_again(fashion, server, name):
    brought("fashion-mnist")
    dataset = load_dataset(PictureRecipe(dataset="fashion-mnist"))
    packed = server.files["train-images-idx3-ubyte.gz"]
    whole = packed if name.endswith(".gz") else gzip.decompress(packed)
    (fashion / "train-images-idx3-ubyte.gz").unlink()
    (fashion / name).write_bytes(whole[:-100])
    with pytest.raises(UserError, match="fashion-mnist is not on this machine any more"):
        load_dataset(PictureRecipe(dataset="fashion-mnist"))
    assert len(server.asked) == 4
    brought("fashion-mnist")
    again = load_dataset(PictureRecipe(dataset="fashion-mnist"))
    assert again.train.images.equal(dataset.train.images)
    assert len(server.asked) == 5


def test_a_run_whose_data_set_was_deleted_asks_nobody_and_goes_on_when_it_is_back(fashion, server, tmp_path):
    brought("fashion-mnist")
    folder = RunFolder(tmp_path / "run")
    folder.create(PictureRecipe.preset("quick-look", dataset="fashion-mnist", device="cpu"))
    steps = iter(range(100))
    stopped = list(execute(folder, pulse=lambda: next(steps) > 3))[-1]
    assert stopped["event"] == "stopped"
    shutil.rmtree(fashion)
    with pytest.raises(UserError, match="Choose it on the page Train and download it there; then resume"):
        list(execute(folder))
    assert len(server.asked) == 4
    brought("fashion-mnist")
    events = [event["event"] for event in execute(folder)]
    assert "resumed" in events
    assert events[-1] == "finished"


def test_the_command_fetches_what_it_is_asked_to_learn(fashion, server, capsys, monkeypatch):
    monkeypatch.setattr("signal.signal", lambda *_: None)  # the tests' own stay
    assert main(["--dataset", "fashion-mnist", "--epochs", "1", "--device", "cpu"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0] == {"event": "preparing", "what": "download", "share": 1.0}
    assert told[-1]["event"] == "finished"
    assert len(server.asked) == 4


@pytest.fixture
def cifar(server, tmp_path, monkeypatch):
    """CIFAR-10 of a few pictures, on a server; returns the folder into which it is unpacked."""
    import torchvision

    random = np.random.default_rng(0)
    files = {}
    for name in [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]:
        data = random.integers(0, 255, (20, 3072), np.uint8)
        files[name] = pickle.dumps({"data": data, "labels": [k % 10 for k in range(20)]})
    files["batches.meta"] = pickle.dumps({"label_names": [f"class {k}" for k in range(10)]})
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as packed:
        for name, data in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    server.files["cifar-10-python.tar.gz"] = archive.getvalue()
    sums = {name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    theirs = torchvision.datasets.CIFAR10
    monkeypatch.setattr(theirs, "train_list", [[name, sums[name]] for name in files if name.startswith("data")])
    monkeypatch.setattr(theirs, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(theirs, "meta", theirs.meta | {"md5": sums["batches.meta"]})
    monkeypatch.setattr(cifar10, "URL", f"{server.url}cifar-10-python.tar.gz")
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(archive.getvalue()).hexdigest())
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "downloads" / "cifar-10-batches-py"


def test_cifar10_is_fetched_for_the_page_and_unpacked(cifar, server):
    assert brought("cifar10")[-1]["file"] == "cifar-10-python.tar.gz"
    dataset = load_dataset(PictureRecipe(dataset="cifar10"))
    assert (len(dataset.train), len(dataset.test)) == (100, 20)
    assert len(server.asked) == 1
    cifar.with_name("cifar-10-python.tar.gz").unlink()  # unpacked, it is enough
    assert brought("cifar10") == []


@pytest.mark.parametrize("broken", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_half_unpacked_cifar10_is_unpacked_again(cifar, server, broken):
    brought("cifar10")
    dataset = load_dataset(PictureRecipe(dataset="cifar10"))
    (cifar / broken).write_bytes((cifar / broken).read_bytes()[:-10])
    (cifar / "data_batch_5").unlink()
    again = load_dataset(PictureRecipe(dataset="cifar10"))
    assert again.train.images.equal(dataset.train.images)
    assert len(server.asked) == 1


def test_a_truncated_archive_is_fetched_again(cifar, server):
    archive = cifar.with_name("cifar-10-python.tar.gz")
    archive.parent.mkdir(parents=True)
    archive.write_bytes(server.files[archive.name][:5000])
    with pytest.raises(UserError, match="cifar10 is not on this machine any more"):
        load_dataset(PictureRecipe(dataset="cifar10"))
    assert server.asked == []
    brought("cifar10")
    assert len(load_dataset(PictureRecipe(dataset="cifar10")).train) == 100


def test_checksums_and_addresses_are_torchvisions():
    import torchvision

    theirs = torchvision.datasets.FashionMNIST
    assert theirs.mirrors == [fashion_mnist.URL]
    assert {name[:-3]: f"md5:{md5}" for name, md5 in theirs.resources} == fashion_mnist.CHECKSUMS
    assert torchvision.datasets.CIFAR10.url == cifar10.URL
    assert torchvision.datasets.CIFAR10.tgz_md5 == cifar10.MD5


@pytest.mark.parametrize("what", ["digits", "shapes:count=20", "folder:/nowhere", "upload", "imagenet"])
def test_what_comes_with_the_install_is_not_fetched(what):
    assert downloads.go_on(what, seconds=0.1) == {"ready": True}


@pytest.mark.parametrize(("name", "share"), [("resnet18", 224 / 256), ("resnet50", 224 / 232)])
def test_resnets_use_what_torchvision_has_in_its_cache(tmp_path, monkeypatch, name, share):
    """Weights of our own drawing, under the name torchvision would have given them."""
    import torch
    import torchvision

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(Remote, "is_here", lambda remote: remote.file.is_file())  # ours have another checksum
    network = torchvision.models.get_model(name, weights=None).eval()
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    (tmp_path / "checkpoints").mkdir()
    torch.save(network.state_dict(), tmp_path / "checkpoints" / url.rsplit("/", 1)[-1])
    known = imagenet.MODELS[f"imagenet-{name}"]()
    images = torch.rand(1, 3, known.side, known.side)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = network((images - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    assert torch.allclose(known.logits(images), expected, rtol=1e-3, atol=1e-3)
    assert (known.side, known.share) == (224, share)


def test_weights_that_were_deleted_are_not_fetched_unasked(tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("asked somebody outside"))
    with pytest.raises(UserError, match="resnet18 is not on this machine any more"):
        imagenet.MODELS["imagenet-resnet18"]()
