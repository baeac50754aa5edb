"""Who one is: cookies, names, the teacher; and what they may do to a run by its id."""

import contextlib
import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError, Event
from types import SimpleNamespace

import pytest

from core import events, people, settings, teacher
from core.errors import UserError
from core.people import NOBODY, Person
from core.runs import estimate, index, shares, store
from core.runs.trainers import Trainers
from core.settings import Settings
from core.vision.recipe import PictureRecipe

pytestmark = pytest.mark.usefixtures("home")
ANN, BO = Person("a" * 32), Person("b" * 32)
TEACHER = Person("c" * 32, teacher=True)


@pytest.fixture
def home(tmp_path, monkeypatch, nobody_trains):
    """A home without anybody who trains: what is queued stays so."""
    monkeypatch.setenv("ATLAS_HOME", str(tmp_path))
    monkeypatch.delenv(teacher.VARIABLE, raising=False)
    monkeypatch.setattr(teacher, "_tries", teacher.collections.defaultdict(teacher.collections.deque))
    return tmp_path


def submitted(owner: str, state: str = "queued", **changes) -> str:
    run_id = store.submit(PictureRecipe.preset("quick-look", epochs=1), owner)
    if state != "queued":
        index.change(run_id, {"queued"}, state=state, **changes)
    return run_id


def lines() -> list[str]:
    return events.log_file().read_text(encoding="utf-8").splitlines()


def test_a_cookie_is_ours_or_nothing():
    owner = people.new_id()
    cookie = people.cookie_for(owner)
    assert people.owner_of(cookie) == owner
    other = people.cookie_for(people.new_id())
    forged = [None, "", owner, f"{owner}.", f"{owner}.{other.partition('.')[2]}", cookie[:-1], cookie + "0",
              cookie.upper(), "é" * 32 + cookie[32:], f"{owner}.é", cookie.replace(".", "..")]  # fmt: skip
    assert [people.owner_of(one) for one in forged] == [None] * len(forged)


def test_every_home_has_a_key_and_cookies_of_its_own(home, monkeypatch):
    owner = people.new_id()
    cookie, name = people.cookie_for(owner), people.cookie_name()
    monkeypatch.setenv("ATLAS_HOME", str(home / "other"))
    assert people.owner_of(cookie) is None
    assert people.cookie_name() != name


@pytest.mark.skipif(os.name == "nt", reason="modes of Unix")
def test_secrets_are_readable_by_the_server_only(home):
    people.cookie_for(people.new_id())
    secret = teacher.prepare()
    teacher.sign_in(ANN, secret, "")
    files = [home / "people" / name for name in ("cookie.key", "teacher.json", "signed-in.json")]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 3
    assert stat.S_IMODE((home / "people").stat().st_mode) == 0o700
    kept = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert secret.encode() not in kept


def test_one_key_whoever_asks_first(home):
    file = people.secrets_folder() / "cookie.key"
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(people._key_in.__wrapped__, [file] * 8))) == 1


def test_names_are_bounded_and_of_one_line():
    people.rename(ANN, "  An\nn \u202egnp ")
    assert people.name_of(ANN.id) == "An n gnp"
    with pytest.raises(UserError, match="at most 40"):
        people.rename(ANN, "x" * 41)
    people.rename(ANN, "")
    assert people.name_of(ANN.id) == ""


def test_the_secret_is_told_once_and_signs_in():
    secret = teacher.prepare()
    assert secret is not None
    assert len(secret) >= teacher.SHORTEST
    assert teacher.prepare() is None
    with pytest.raises(UserError, match="not the teacher's secret"):
        teacher.sign_in(ANN, secret[:-1], "1.2.3.4")
    assert not teacher.is_signed_in(ANN.id)
    teacher.sign_in(ANN, secret, "1.2.3.4")
    assert teacher.is_signed_in(ANN.id)
    assert not teacher.is_signed_in(BO.id)
    teacher.sign_out(ANN)
    assert not teacher.is_signed_in(ANN.id)


def test_a_secret_of_the_environment_replaces_the_old_one(monkeypatch):
    old = teacher.prepare()
    teacher.sign_in(ANN, old, "")
    monkeypatch.setenv(teacher.VARIABLE, "correct horse")
    assert teacher.prepare() is None
    assert not teacher.is_signed_in(ANN.id)
    with pytest.raises(UserError, match="not the teacher's"):
        teacher.sign_in(BO, old, "")
    teacher.sign_in(BO, "correct horse", "")
    teacher.prepare()  # the next start, with the same secret
    assert teacher.is_signed_in(BO.id)
    monkeypatch.setenv(teacher.VARIABLE, "1234567")
    with pytest.raises(UserError, match="at least 8"):
        teacher.prepare()


def test_five_tries_a_minute(monkeypatch):
    secret, now = teacher.prepare(), [1000.0]
    monkeypatch.setattr(teacher.time, "monotonic", lambda: now[0])
    for _ in range(teacher.TRIES):
        with pytest.raises(UserError, match="not the teacher's"):
            teacher.sign_in(ANN, "wrong", "1.2.3.4")
    for who in (ANN, BO):  # neither the right secret nor another browser helps that address
        with pytest.raises(UserError, match="Too many tries"):
            teacher.sign_in(who, secret, "1.2.3.4")
    teacher.sign_in(BO, secret, "5.6.7.8")
    now[0] += teacher.WINDOW_S + 1
    teacher.sign_in(ANN, secret, "1.2.3.4")


def test_many_addresses_together_are_bounded(monkeypatch):
    secret = teacher.prepare()
    monkeypatch.setattr(teacher, "_is_secret", lambda text: False)
    for place in range(teacher.TRIES_OF_ALL):
        with pytest.raises(UserError, match="not the teacher's"):
            teacher.sign_in(ANN, "wrong", f"10.0.0.{place}")
    with pytest.raises(UserError, match="Too many tries"):
        teacher.sign_in(ANN, secret, "10.0.1.1")


def test_a_sign_in_ends(monkeypatch):
    teacher.sign_in(ANN, teacher.prepare(), "")
    later = time.time() + teacher.LASTS_S + 1
    monkeypatch.setattr(teacher.time, "time", lambda: later)
    assert not teacher.is_signed_in(ANN.id)


@pytest.mark.parametrize("state", ["queued", "running", "stopped", "finished", "failed", "interrupted"])
@pytest.mark.parametrize("who", [NOBODY, BO])
def test_an_id_gives_no_power_over_a_run(state, who):
    run_id = submitted(ANN.id, state)
    before = index.rows("id = ?", run_id)
    for what in (store.stop, store.resume, store.delete, lambda i, by: store.rename(i, "mine", by)):
        with pytest.raises(UserError, match="belongs to somebody else"):
            what(run_id, by=who)
    assert index.rows("id = ?", run_id) == before
    assert not store.may_change(store.get(run_id), who)


@pytest.mark.parametrize("who", [ANN, TEACHER])
def test_the_owner_and_the_teacher_have_it(who):
    run_id = submitted(ANN.id)
    store.rename(run_id, "mine", who)
    store.stop(run_id, who)
    assert (store.get(run_id).name, store.get(run_id).state) == ("mine", "stopped")
    store.delete(run_id, who)
    assert store.list_runs() == []


def test_a_run_that_nobody_else_may_watch_is_not_there_for_them():
    run_id = submitted(ANN.id)
    settings.save(Settings(watch=False), TEACHER)
    for ask in (store.get, store.stop, store.resume, store.delete, lambda i, by: store.rename(i, "x", by)):
        with pytest.raises(UserError, match="There is no run named"):
            ask(run_id, by=BO)
    assert store.list_runs(BO) == []
    assert [run.id for run in store.list_runs(ANN)] == [run.id for run in store.list_runs(TEACHER)] == [run_id]


def test_a_life_goes_on_from_a_run_that_one_may_see_only():
    from core.language.recipe import LanguageRecipe

    source = store.submit(LanguageRecipe.preset("a-minute"), ANN.id)
    settings.save(Settings(watch=False), TEACHER)
    since = LanguageRecipe.preset("a-minute", since=source)
    with pytest.raises(UserError, match="There is no run named"):
        store.submit(since, BO.id)
    store.submit(since, ANN.id)
    secret = teacher.prepare()
    teacher.sign_in(BO, secret, "")
    store.submit(since, BO.id)
    settings.save(Settings(), TEACHER)
    store.submit(since, "d" * 32)


def test_settings_are_the_teachers_and_bounded(home):
    with pytest.raises(UserError, match="Only the teacher"):
        settings.save(Settings(queued=1), ANN)
    with pytest.raises(UserError, match="queued must be from 1 to 100"):
        settings.save(Settings(queued=0), TEACHER)
    settings.save(Settings(queued=1, watch=False), TEACHER)
    assert settings.load() == Settings(queued=1, watch=False)
    for spoilt in ("", "[]", "{", '{"queued": "7", "watch": 1, "minutes": true, "nothing": 1, "megabytes": 50}'):
        (home / "settings.json").write_text(spoilt)
        settings._read.cache_clear()
        assert settings.load() in (Settings(), Settings(megabytes=50))


def test_the_queue_and_the_disk_are_capped():
    settings.save(Settings(queued=1, megabytes=10), TEACHER)
    first = submitted(ANN.id)
    with pytest.raises(UserError, match="1 runs waiting"):
        submitted(ANN.id)
    store.stop(first, ANN)
    submitted(ANN.id)
    with pytest.raises(UserError, match="1 runs waiting"):  # to stop, begin another and resume is no way around
        store.resume(first, ANN)
    (store.get(submitted(BO.id)).folder.path / "weights.safetensors").write_bytes(bytes(11 * 2**20))
    with pytest.raises(UserError, match="fill the 10 MB"):
        shares.check_disk(BO.id)
    shares.check_disk(TEACHER.id)
    settings.save(Settings(disk_gigabytes=1), TEACHER)
    monster = store.get(first).folder.path / "weights.safetensors"
    with monster.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(UserError, match="fill the 1 GB"):
        shares.check_disk(TEACHER.id)


def at_once(work, things):
    """What came of doing it with all of them, each in a tab of its own; None where it was refused."""

    def one(thing):
        with contextlib.suppress(UserError):
            return work(thing)

    with ThreadPoolExecutor(len(things)) as tabs:
        return list(tabs.map(one, things))


def test_many_tabs_at_once_get_no_more_into_the_queue(home, monkeypatch):
    settings.save(Settings(queued=2), TEACHER)
    together = Barrier(8)
    monkeypatch.setattr(shares, "check_disk", lambda owner: together.wait(20))  # all have been found to be allowed
    runs = [run for run in at_once(lambda _: submitted(ANN.id), range(8)) if run]
    assert len(runs) == 2
    assert {path.name for path in (home / "runs").iterdir()} == set(runs)  # nothing is left of the others


def test_many_tabs_at_once_resume_no_more_than_may_wait(monkeypatch):
    runs = [submitted(ANN.id, "stopped") for _ in range(4)]
    settings.save(Settings(queued=2), TEACHER)
    together, check = Barrier(4, timeout=20), store._check_queue

    def checked(owner):
        most = check(owner)
        with contextlib.suppress(BrokenBarrierError):  # those that are refused look again, and are fewer
            together.wait()
        return most

    monkeypatch.setattr(store, "_check_queue", checked)
    at_once(lambda run: store.resume(run, ANN), runs)
    assert sum(run.state == "queued" for run in store.list_runs(ANN)) == 2


def test_uploads_are_counted_once(home):
    for digest in ("0" * 16, "1" * 16):
        (home / "uploads" / digest).mkdir(parents=True)
    shares.enter_upload(ANN.id, f"upload:{'0' * 16}", 300)
    shares.enter_upload(BO.id, f"upload:{'0' * 16}", 300)  # the same zip again: still Ann's
    shares.enter_upload(BO.id, f"upload:{'1' * 16}", 50)
    assert shares.pictures_left(ANN.id) == Settings().pictures - 300
    assert shares.pictures_left(BO.id) == Settings().pictures - 50
    (home / "uploads" / ("0" * 16)).rmdir()
    assert shares.pictures_left(ANN.id) == Settings().pictures


def test_the_oldest_is_cleared_out_and_never_what_runs(home):
    made = {}
    for age, state in enumerate(["running", "finished", "stopped", "queued", "failed"]):
        run_id = made[state] = submitted(ANN.id, state, ended=1000.0 + age if state not in ("running",) else None)
        (store.get(run_id).folder.path / "weights.safetensors").write_bytes(bytes(3 * 2**20))
    upload = home / "uploads" / ("0" * 16)
    upload.mkdir(parents=True)
    (upload / "a.png").write_bytes(bytes(2**20))
    used = store.get(made["queued"]).folder
    recipe = json.loads(used.recipe_file.read_text()) | {"dataset": f"upload:{'0' * 16}"}
    used.recipe_file.write_text(json.dumps(recipe))
    index.reconcile()
    assert [one.id for one in shares.oldest(11)] == [made["finished"], made["stopped"]]
    everything = shares.oldest(0)
    assert {one.id for one in everything} == {made["finished"], made["stopped"], made["failed"]}
    with pytest.raises(UserError, match="Only the teacher"):
        shares.clear_out(everything, ANN)
    index.change(made["failed"], {"failed"}, state="running")  # resumed while the teacher was looking
    assert shares.clear_out(everything, TEACHER) > 6 * 2**20
    assert {run.id for run in store.list_runs()} == {made["running"], made["queued"], made["failed"]}
    assert upload.is_dir()


def test_an_estimate_comes_from_what_was_measured(monkeypatch):
    now = time.time()
    monkeypatch.setattr(estimate, "FRESH_S", 1e-6)
    monkeypatch.setenv("ATLAS_TRAINERS", "1")
    first, second = submitted(ANN.id), submitted(BO.id)
    assert [estimate.seconds_until(one) for one in (first, second)] == [0.0, None]
    submitted(TEACHER.id, "finished", claimed=now - 200, ended=now - 80)
    assert [estimate.seconds_until(one) for one in (first, second)] == [0.0, 120.0]
    running = submitted(TEACHER.id, "running", claimed=now - 50)
    assert estimate.seconds_until(first) == pytest.approx(70, abs=3)
    assert estimate.seconds_until(second) == pytest.approx(190, abs=3)
    assert estimate.seconds_until(running) is None
    monkeypatch.setenv("ATLAS_TRAINERS", "2")
    assert estimate.seconds_until(first) == 0.0


def test_the_log_has_a_line_for_each_event():
    people.rename(ANN, "Ann Lee")
    run_id = submitted(ANN.id)
    store.rename(run_id, 'a" run-finished\\ = "x', ANN)
    store.stop(run_id, ANN)
    store.delete(run_id, ANN)
    told = [line.split(" ", 2)[1:] for line in lines()]
    assert [event for event, _ in told] == ["run-queued", "run-renamed", "run-stopped", "run-deleted"]
    assert all('by="Ann Lee"' in facts and ANN.id not in facts for _, facts in told)


def test_no_event_begins_a_line_of_its_own():
    events.note("page-error", what="a\n2026-01-01 run-finished\r\u2028\x1b[2J", more="x" * 5000)
    (line,) = lines()
    assert line.isprintable()
    assert len(line) <= events.LONGEST_LINE


def test_the_log_turns(monkeypatch):
    monkeypatch.setattr(events, "LARGEST", 500)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda k: events.note("tick", k=k), range(200)))
    files = sorted(events.log_file().parent.glob("*.log"))
    assert len(files) == events.FILES + 1
    assert all(file.stat().st_size < 800 for file in files)


def test_a_log_that_cannot_be_written_stops_nothing(home):
    (home / "logs").write_text("a file where a folder should be")
    events.note("tick")


class Processes:
    """In place of multiprocessing: notes what would have been started."""

    def __init__(self):
        self.threads = []

    def Process(self, target, args, name):  # noqa: N802  as multiprocessing has it
        self.threads.append(args[1])
        return SimpleNamespace(start=lambda: None, join=lambda: None, is_alive=lambda: True, pid=None)


@pytest.mark.parametrize(
    ("trainers", "together", "later", "threads"),
    [("2", 1, 0, [4]), ("2", 2, 0, [2, 2]), ("2", 1, 1, [4, 2]), ("1", 2, 0, [4]), ("3", 3, 1, [1, 1, 1])],
)
def test_trainings_beside_each_other_share_the_cores(home, monkeypatch, trainers, together, later, threads):
    monkeypatch.setenv("ATLAS_TRAINERS", trainers)
    monkeypatch.setattr("core.machine.usable_cores", lambda: 4)
    processes = Processes()
    training = Trainers(processes, Event())
    for number in range(together + later):
        folder = index.folder_of(f"aaaaaaaaa{'abcd'[number]}")
        folder.create(PictureRecipe.preset("quick-look", device="cpu"))
        index.add(folder, index.new_state(folder.id, owner="", name=""), most=9)
        if number >= together - 1:
            training.look()
    assert processes.threads == threads
