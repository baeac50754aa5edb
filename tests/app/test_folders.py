"""Whose folders of the server are: a data set's name may hold any path, and a student in the class none of them."""

import os
from types import SimpleNamespace

import pytest

from app.components import who
from core import people, teacher
from core.errors import UserError
from core.people import Person
from core.runs import store
from tests.app.opening import opened

pytestmark = pytest.mark.filterwarnings("default")
LOOKED = "core.vision.preview:dataset_preview"
WORDS = "Folders of the server are for the teacher"


@pytest.fixture(autouse=True)
def asked(tmp_path, monkeypatch, nobody_trains):
    """A home of its own; what the workers are asked for, and answer nothing to."""
    calls = []

    def call(function, **arguments):
        calls.append(function)
        raise UserError("Nobody computes here.")

    monkeypatch.setenv("ATLAS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(teacher.VARIABLE, raising=False)
    monkeypatch.delenv("ATLAS_FOLDERS", raising=False)
    monkeypatch.setattr(store.client, "call", call)
    return calls


def context(monkeypatch, address, **headers):
    monkeypatch.setattr(who.st, "context", SimpleNamespace(ip_address=address, headers=headers, cookies={}))


@pytest.mark.parametrize(
    ("address", "headers", "here"),
    [
        (None, {}, True), ("::ffff:127.0.0.1", {}, True), ("127.0.0.2", {}, True), ("192.168.1.7", {}, False),
        ("::ffff:192.168.1.7", {}, False), ("fe80::1", {}, False), ("", {}, False), ("unix", {}, False),
        (None, {"x-forwarded-for": "127.0.0.1"}, False), ("::ffff:127.0.0.1", {"forwarded": "for=::1"}, False),
    ],
)
def test_who_sits_at_the_server(monkeypatch, address, headers, here):
    context(monkeypatch, address, **headers)
    assert who.at_the_server() is here


def test_a_student_gets_a_sentence_and_nothing_is_looked_at(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(who, "at_the_server", lambda: False)
    for path in (tmp_path, "/", "~", tmp_path / "home" / "uploads"):
        app = opened("train", dataset=f"folder:{path}")
        app.button(key="train").click().run()
        assert [error.value for error in app.error if WORDS in error.value]
        assert store.list_runs() == []
    assert LOOKED not in asked


@pytest.mark.parametrize("whose", ["the teacher's", "of whoever sits at the server"])
def test_they_are(whose, asked, monkeypatch, tmp_path):
    ann = Person(people.new_id())
    monkeypatch.setattr(who, "at_the_server", lambda: whose != "the teacher's")
    if whose == "the teacher's":
        teacher.sign_in(ann, teacher.prepare(), "")
    app = opened("train", by=ann, dataset=f"folder:{tmp_path}")
    app.button(key="train").click().run()
    assert not any(WORDS in error.value for error in app.error)
    assert len(store.list_runs()) == 1
    assert LOOKED in asked


def test_a_folder_that_is_open_to_all_opens_no_other(monkeypatch, tmp_path):
    context(monkeypatch, "192.168.1.7")
    monkeypatch.setattr(who, "me", lambda: Person("a" * 32))
    shared, secret = tmp_path / "shared", tmp_path / "shared-not"
    for folder in (shared / "flowers", secret):
        folder.mkdir(parents=True)
    monkeypatch.setenv("ATLAS_FOLDERS", os.pathsep.join([str(tmp_path / "none"), str(shared)]))
    for path in (shared, shared / "flowers", f"{secret}/../shared/flowers"):
        who.check_folder(f"folder:{path}")
    ways = [secret, f"{shared}/../shared-not", tmp_path, "", "/", "~"]
    if os.name != "nt":
        (shared / "link").symlink_to(secret)
        ways.append(shared / "link")
    for path in ways:
        with pytest.raises(UserError, match=WORDS):
            who.check_folder(f"folder:{path}")
    who.check_folder("digits")
    who.check_folder("shapes:colour=1")
