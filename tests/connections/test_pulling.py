"""`pull`: every source at its own pace, pauses that grow while one fails, and the others go on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.connecting import secrets_of, variable_of
from app.intake import sources
from app.intake.pulling import Pulling
from app.intake.sources import open_source
from app.model.connection import Batch, SourceSettings
from app.model.errors import SettingsError, Unavailable
from app.model.policy import Strict
from db import connections
from tests.connections.places import opened, workspace
from tests.connections.test_folder import drop

SOURCES = """
[sources.drops]
type = "folder"
queue = "credit"
path = "drops"
settle_seconds = 0
every_seconds = 10

[sources.missing]
type = "folder"
queue = "credit"
path = "missing"
settle_seconds = 0
every_seconds = 10
"""
Run = Callable[..., tuple[int, str, str]]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_failing_source_is_asked_ever_more_seldom_and_the_other_goes_on(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w", SOURCES)
    clock = Clock()
    waits = []
    with opened(found) as store:
        pulling = Pulling(found, store, ["drops", "missing"], clock)
        for round_ in range(6):
            drop(found.root / "drops", f"{round_}.jsonl", f"case-{round_}")
            clock.now += 2000
            came = {name: (done.admitted, bool(error)) for name, done, error in pulling.due()}
            assert came == {"drops": (1, False), "missing": (0, True)}
            waits.append(pulling.wait("missing"))
            assert pulling.wait("drops") == 10
        pulling.close()
    assert waits[:5] == sorted(waits[:5])
    assert 10 <= waits[0] <= 20
    assert 300 <= waits[-1] <= 600


def test_a_source_that_recovers_is_well_again(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w", SOURCES)
    clock = Clock()
    with opened(found) as store:
        pulling = Pulling(found, store, ["missing"], clock)
        assert next(pulling.due())[2]
        drop(found.root / "missing", "a.jsonl", "a")
        clock.now = 1000
        name, done, error = next(pulling.due())
        assert (name, done.admitted, error) == ("missing", 1, "")
        pulling.close()


def test_a_source_that_cannot_be_opened_is_noted_as_well(tmp_path: Path) -> None:
    found = workspace(tmp_path / "w", SOURCES.replace('type = "folder"', 'type = "foldr"', 1))
    with opened(found) as store:
        pulling = Pulling(found, store, ["drops"], Clock())
        assert "no source type" in next(pulling.due())[2]
        pulling.close()
        with store.read() as connection:
            (health,) = connections.health(connection)
    assert (health.name, health.state) == ("drops", "failing")


@pytest.fixture
def run(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    workspace(tmp_path / "w", SOURCES)

    def act(*words: str) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = main(["--workspace", str(tmp_path / "w"), *words])
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return act


def test_the_command_brings_in_what_waits_and_says_what_fails(run: Run, tmp_path: Path) -> None:
    assert json.loads(run("sources", "--json")[1])[0]["state"] == "never pulled"
    drop(tmp_path / "w" / "drops", "a.jsonl", "a", "b")
    code, out, _ = run("pull", "--json")
    done = json.loads(out)
    assert code == 5
    assert done["drops"]["admitted"] == 2
    assert "cannot be read" in done["missing"]["error"]
    code, out, _ = run("pull", "drops")
    assert (code, out) == (0, "drops: admitted 0, duplicates 0, quarantined 0\n")
    code, out, _ = run("sources")
    assert code == 1
    assert "failing" in out
    assert run("pull", "nowhere")[0] == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ('[sources.x]\ntype = "folder"\nqueue = "nope"\n', "there is no queue 'nope'"),
        ('[queues.q]\nrubric = "x"\ndeliver = ["nope"]\n', "there is no sink 'nope'"),
        (
            '[sources.x]\ntype = "folder"\nqueue = "credit"\npath = "."\n[sinks.x]\ntype = "webhook"\n',
            "a source has this name",
        ),
    ],
)
def test_names_that_do_not_meet_are_said(tmp_path: Path, settings: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        workspace(tmp_path / "w", settings)


def test_options_are_checked_by_their_type(tmp_path: Path) -> None:
    def opening(**options: Any) -> None:
        open_source("x", SourceSettings.model_validate({"queue": "credit", **options}), secrets_of("w"), tmp_path)

    with pytest.raises(SettingsError, match=r"\[sources.x\]: path: is missing; pth: unknown key"):
        opening(type="folder", pth=".")
    with pytest.raises(SettingsError, match="no source type 'foldr'"):
        opening(type="foldr", path=".")


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find = secrets_of("w")
    monkeypatch.setenv(variable_of("my-token"), "s3cret")
    assert find("my-token") == "s3cret"
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    monkeypatch.setenv("SECONDLOOK_SECRET_OTHER_FILE", str(file))
    assert find("other") == "from a file"
    with pytest.raises(Unavailable, match="SECONDLOOK_SECRET_NOWHERE"):
        find("nowhere")


class Nothing(Strict):
    pass


class BrokenSource:
    """A source with a defect of its own."""

    Options = Nothing

    def __init__(self, *_: Any) -> None:
        pass

    def pull(self, _limit: int, _cursor: str) -> Batch:
        return {"secret": "value"}["missing"]  # type: ignore[return-value]

    def acknowledge(self, _batch: Batch) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_defect_in_a_source_is_said_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sources.BUILT_IN, "broken", "tests.connections.test_pulling:BrokenSource")
    found = workspace(tmp_path / "w", SOURCES + '[sources.odd]\ntype = "broken"\nqueue = "credit"\n')
    drop(found.root / "drops", "a.jsonl", "case-1")
    with opened(found) as store:
        pulling = Pulling(found, store, ["odd", "drops"], Clock())
        came = {name: (done.admitted, error) for name, done, error in pulling.due()}
        pulling.close()
    assert came["drops"] == (1, "")
    assert "defect in the source 'odd': KeyError at test_pulling.py" in came["odd"][1]


def test_a_queue_has_to_say_what_is_asked_about_a_trace(tmp_path: Path) -> None:
    found = workspace(
        tmp_path / "w", '[sources.traces]\ntype = "mlflow"\nqueue = "summaries"\nexperiments = ["x"]\n'
        'url = "http://127.0.0.1:9"\n',
    )  # fmt: skip
    with opened(found) as store:
        pulling = Pulling(found, store, ["traces"], Clock())
        ((_, done, error),) = pulling.due()
        pulling.close()
    assert done.items == 0
    assert "[queues.summaries.task]" in error and "Nothing was taken" in error


class HungSource:
    """A source that never answers."""

    Options = Nothing

    def __init__(self, *_: Any) -> None:
        pass

    def pull(self, _limit: int, _cursor: str) -> Batch:
        import threading

        threading.Event().wait(3600)
        return Batch([])

    def acknowledge(self, _batch: Batch) -> None:
        pass

    def close(self) -> None:
        pass
