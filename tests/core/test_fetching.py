"""Downloads: complete or not there, resumable, and never hanging."""

import hashlib
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import UserError
from core.vision import fetching, imagenet
from core.vision.fetching import fetch

CONTENT = bytes(range(256)) * 20_000  # 5 MB
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()[:8]


class Server(BaseHTTPRequestHandler):
    asked: list[str]  # the ranges
    broken = 0  # bytes after which the connection ends
    ranges = True

    def do_GET(self):
        wanted = self.headers.get("Range", "")
        self.asked.append(wanted)
        start = int(re.findall(r"\d+", wanted)[0]) if self.ranges else 0
        self.send_response(206 if self.ranges else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.broken or None])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    handler = type("Handler", (Server,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        handler.url = f"http://127.0.0.1:{running.server_port}/weights.pth"
        yield handler
        running.shutdown()


def test_a_file_is_fetched_once(server, tmp_path):
    file = tmp_path / "folder" / "weights.pth"
    assert fetch(server.url, file, CHECKSUM).read_bytes() == CONTENT
    assert fetch(server.url, file, CHECKSUM) == file
    assert len(server.asked) == 1
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_goes_on_at_the_next_try(server, tmp_path, ranges):
    server.broken, server.ranges = 2_000_000, ranges
    file = tmp_path / "weights.pth"
    with pytest.raises(UserError, match="broke off"):
        fetch(server.url, file, CHECKSUM)
    assert not file.exists()
    server.broken = 0
    assert fetch(server.url, file, CHECKSUM).read_bytes() == CONTENT
    assert server.asked == ["bytes=0-", "bytes=2000000-"]


def test_a_slow_download_says_how_far_it_is(server, tmp_path):
    file = tmp_path / "weights.pth"
    with pytest.raises(UserError, match="1 of 5 MB"):
        fetch(server.url, file, CHECKSUM, patience_s=-1)
    assert fetch(server.url, file, CHECKSUM).read_bytes() == CONTENT


def test_another_file_than_asked_for_is_thrown_away(server, tmp_path):
    with pytest.raises(UserError, match="is not that file"):
        fetch(server.url, tmp_path / "weights.pth", "00000000")
    assert not (tmp_path / "weights.pth").exists()
    assert not (tmp_path / "weights.pth.part").exists()


def test_a_silent_server_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "SILENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/weights.pth"
        with pytest.raises(UserError, match="Connect to the internet once"):
            fetch(url, tmp_path / "weights.pth", CHECKSUM)


@pytest.mark.parametrize(("name", "share"), [("resnet18", 224 / 256), ("resnet50", 224 / 232)])
def test_resnets_use_what_torchvision_has_in_its_cache(tmp_path, monkeypatch, name, share):
    """Weights of our own drawing, under the name torchvision would have given them."""
    import torch
    import torchvision

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    network = torchvision.models.get_model(name, weights=None).eval()
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    (tmp_path / "checkpoints").mkdir()
    torch.save(network.state_dict(), tmp_path / "checkpoints" / url.rsplit("/", 1)[-1])
    known = imagenet.MODELS[f"imagenet-{name}"]()
    images = torch.rand(1, 3, 64, 64)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = network((images - mean.view(3, 1, 1)) / std.view(3, 1, 1))
    assert torch.allclose(known.logits(images), expected, rtol=1e-3, atol=1e-3)
    assert (known.side, known.share) == (224, share)
