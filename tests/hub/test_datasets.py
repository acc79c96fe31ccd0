"""Datasets over HTTP: the same file as the command's, noted in the log, one at a time, nothing left behind."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import polars as pl
import pytest

from app.desk import erasing
from app.export.dataset import FORMATS, Format, export
from app.hub import datasets
from app.hub.hub import Hub
from tests.contract import hubs
from tests.contract.worlds import KEYS, SqliteWorld, decide, overturning
from tests.hub.conftest import Ask, problem


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files; nothing may stay in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def settled(world: SqliteWorld) -> SqliteWorld:
    desk = world.desk("ada")
    for number in (1, 2, 3):
        claim = desk.claim_case(number)
        decide(desk, claim, overturning(claim.view) if number == 2 else None)
    decide(desk, desk.claim("summaries"))
    return world


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_file_as_the_command_writes(form: Format, ask: Ask, settled: SqliteWorld, tmp_path: Path) -> None:
    answer = ask("lead", person="mia").get(f"/datasets/credit?format={form}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == datasets.MEDIA[form]
    assert answer.headers["content-disposition"] == f'attachment; filename="credit.{form}"'
    with settled.store() as store:
        made = export(store, tmp_path / "there", "credit", form, "ada", settled.clock())
    assert answer.content == made.path.read_bytes()
    assert answer.headers["content-length"] == str(len(answer.content))
    digest = hashlib.sha256(answer.content)
    assert answer.headers["repr-digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"
    assert (answer.headers["secondlook-rows"], answer.headers["secondlook-excluded"]) == ("3", "0")
    (noted, _) = settled.query("SELECT actor, body FROM audit WHERE action = 'exported' ORDER BY seq")
    assert noted[0] == "mia"
    assert orjson.loads(noted[1])["data"] == {"queue": "credit", "rows": 3, "sha256": digest.hexdigest()}
    assert settled.verify().ok


def test_parquet_is_the_default(ask: Ask, settled: SqliteWorld) -> None:
    frame = pl.read_parquet(io.BytesIO(ask("intake").get("/datasets/credit").content))
    assert frame["verdict"].to_list() == ["upheld", "overturned", "upheld"]


def test_an_erasure_names_who_has_it(ask: Ask, settled: SqliteWorld) -> None:
    ask("auditor", person="eve/../x").get("/datasets/credit")
    with settled.store() as store:
        plan = erasing.plan_case(store, 1)
        assert [one.rows for one in plan.datasets] == [3]
        done = erasing.erase(store, KEYS, plan, "officer", settled.clock())
    (left,) = [line for line in done.unreached if "dataset" in line]
    assert "downloaded from the hub by eve/../x" in left and "Tell whoever has it" in left


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("credit?format=xml", 422, "bad-input"),
        ("payroll", 422, "bad-input"),
        ("moderation", 404, "nothing-to-do"),
        ("credit%00", 422, "bad-input"),
    ],
)
def test_what_cannot_be_had(path: str, status: int, kind: str, ask: Ask, settled: SqliteWorld) -> None:
    answer = ask("lead").get(f"/datasets/{path}")
    assert (answer.status_code, problem(answer)) == (status, kind)
    assert settled.query("SELECT count(*) FROM audit WHERE action = 'exported'") == [(0,)]


def test_one_at_a_time(ask: Ask, settled: SqliteWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    usual = datasets._write

    def slow(*arguments: object) -> object:
        begun.set()
        assert go_on.wait(20)
        return usual(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(datasets, "_write", slow)
    client = ask("lead")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.get, "/datasets/credit")
        assert begun.wait(20)
        second = client.get("/datasets/summaries")
        assert (second.status_code, problem(second)) == (429, "too-many-requests")
        assert int(second.headers["retry-after"]) > 0
        go_on.set()
        assert first.result().status_code == 200
    assert client.get("/datasets/summaries").status_code == 200


def test_no_room(ask: Ask, settled: SqliteWorld, temporary: Path) -> None:
    temporary.rmdir()
    client = ask("lead")
    answer = client.get("/datasets/credit")
    assert (answer.status_code, problem(answer)) == (503, "unavailable")
    assert str(temporary) not in answer.text
    temporary.mkdir()
    assert client.get("/datasets/credit").status_code == 200


def _asked(address: str, token: str) -> socket.socket:
    """A connection that has asked for a dataset and does not read."""
    parts = urlsplit(address)
    made = socket.create_connection((parts.hostname, parts.port))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.sendall(
        f"GET {parts.path}/v1/datasets/credit?format=csv HTTP/1.1\r\nhost: hub\r\n"
        f"authorization: Bearer {token}\r\n\r\n".encode()
    )
    return made


@pytest.mark.parametrize("way", ["leaves", "stops reading"])
def test_a_client_that_does_not_take_it(
    way: str, hub: Hub, address: str, settled: SqliteWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    usual = datasets._Made.discard

    def discard(made: datasets._Made) -> None:
        usual(made)
        assert made.file.closed
        ended.set()

    monkeypatch.setattr(datasets._Made, "discard", discard)
    monkeypatch.setattr("app.hub.streaming.Streamed.__init__.__defaults__", (0.3,))
    long = datasets._chunks

    async def endless(file: io.BufferedReader) -> object:
        while True:
            async for chunk in long(file):
                yield chunk
            file.seek(0)

    monkeypatch.setattr(datasets, "_chunks", endless)
    monkeypatch.setattr(datasets, "_headers", lambda *_: {})
    with closing(_asked(address, hubs.sign_in(hub, "ada", "lead"))) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        if way == "leaves":
            connection.close()
        assert ended.wait(20)
