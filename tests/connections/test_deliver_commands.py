"""`deliver`, `deliveries` and `secret` from the command line."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import main
from db import outbox
from db.engine import Store, open_store, sqlite_url
from tests.connections.receiver import Receiver
from tests.connections.test_deliver import put
from tests.connections.test_webhooks import KEYS, NEW
from tests.contract.worlds import Clock
from tests.unit.test_secrets import NULL, Ring, use

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SECONDLOOK_WORKSPACE_KEY", "SECONDLOOK_WORKSPACE_KEY_FILE", "SECONDLOOK_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    use(monkeypatch, NULL)
    assert main(["init", str(tmp_path / "desk")]) == 0
    return tmp_path / "desk"


@pytest.fixture
def run(root: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def act(*words: str) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = main(["--workspace", str(root), *words])
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return act


def configure(root: Path, url: str) -> Store:
    with (root / "secondlook.toml").open("a") as file:
        file.write(f'\n[sinks.hook]\ntype = "webhook"\nurl = "{url}"\nsecrets = ["hook-2026"]\nprivate = true\n')
    return open_store(sqlite_url(root / "secondlook.db"))


def test_from_the_command_line(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    how = ["500"]
    with Receiver(NEW, lambda event_id, times: how[0]) as receiver:
        store = configure(root, receiver.url)
        assert run("deliver")[0] == 5
        event_id = put(store, Clock(1), 1)
        code, _, err = run("deliver")
        assert code == 5 and "SECONDLOOK_SECRET_HOOK_2026" in err
        monkeypatch.setenv("SECONDLOOK_SECRET_HOOK_2026", KEYS["hook-2026"])
        code, out, err = run("deliver", "hook", "--json")
        assert code == 1 and json.loads(out)["failed"] == 1 and "answered 500" in err
        code, out, _ = run("deliver")
        assert code == 4 and out == ""
        how[0] = "410"
        put(store, Clock(1), 2)
        code, _, err = run("deliver")
        assert code == 1 and "deliveries resume hook" in err
        code, out, _ = run("deliveries", "list", "--state", "pending", "--json")
        assert [row["number"] for row in json.loads(out)] == [2, 1] and event_id in out
        assert run("deliveries", "resume", "hook")[0] == 0 and run("deliveries", "resume", "hook")[0] == 4
        how[0] = "ok"
        code, out, _ = run("deliver")
        assert (code, out) == (0, "delivered 1, to be tried again 0, dead 0, waiting 1\n")
        with store.write() as connection:
            outbox.failed(connection, 1, 1, "given up", None)
        assert "given up" in run("deliveries", "list", "--sink", "hook", "--limit", "5")[1]
        assert run("deliveries", "replay", "2-9")[0] == 4 and run("deliveries", "replay", "1-9")[0] == 0
        assert run("deliver")[0] == 0 and event_id in receiver.events
        store.close()


def test_words_that_are_no_use(root: Path, run: Run) -> None:
    assert run("deliver")[0] == 2
    configure(root, "https://hooks.example.com/").close()
    assert run("deliver", "nobody")[0] == 2 and run("deliveries", "resume", "nobody")[0] == 2
    assert run("deliveries", "replay")[0] == 2
    for words in (("replay", "9-1"), ("replay", "x"), ("list", "--limit", "0"), ("list", "--state", "lost")):
        with pytest.raises(SystemExit):
            run("deliveries", *words)


def test_secrets_are_kept_and_forgotten(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Ring())
    code, out, _ = run("secret", "new", "hook-2026")
    assert code == 0 and out.startswith("whsec_")
    assert run("secret", "new", "hook-2026")[0] == 3
    assert run("secret", "delete", "hook-2026")[0] == 0 and run("secret", "delete", "hook-2026")[0] == 4
    assert run("secret", "new", "../x")[0] == 2


def test_without_a_keyring_the_variable_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = run("secret", "new", "hook-2026")
    assert code == 0 and out.startswith("whsec_") and "SECONDLOOK_SECRET_HOOK_2026" in err
    with tempfile.TemporaryFile("w+") as file:
        file.write("a word\n")
        file.seek(0)
        monkeypatch.setattr(sys, "stdin", file)
        code, out, err = run("secret", "set", "hook-2026")
    assert code == 5 and "SECONDLOOK_SECRET_HOOK_2026" in err and "a word" not in err + out


def test_a_secret_is_one_line_of_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    use(monkeypatch, ring)
    with tempfile.TemporaryFile("w+") as file:
        file.write("a word\nmore\n")
        file.seek(0)
        monkeypatch.setattr(sys, "stdin", file)
        assert run("secret", "set", "tracker")[0] == 0
        assert run("secret", "set", "empty")[0] == 0
        assert run("secret", "set", "empty")[0] == 2
    assert sorted(ring.kept.values()) == ["a word", "more"]


def test_doctor_says_where_the_secret_of_a_connection_is(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(root, "https://example.org/hooks").close()
    code, out, _ = run("doctor", "--json")
    (found,) = [finding for finding in json.loads(out) if finding["what"] == "sink hook"]
    assert (code, found["state"]) == (1, "wrong") and "secondlook secret set hook-2026" in found["detail"]
    monkeypatch.setenv("SECONDLOOK_SECRET_HOOK_2026", KEYS["hook-2026"])
    (found,) = [finding for finding in json.loads(run("doctor", "--json")[1]) if finding["what"] == "sink hook"]
    assert found["state"] == "ok" and "in the environment (SECONDLOOK_SECRET_HOOK_2026)" in found["detail"]
    assert KEYS["hook-2026"] not in run("doctor")[1]
