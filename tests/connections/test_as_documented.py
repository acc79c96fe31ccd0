"""What the pages say, done: the settings as they are printed, from an empty workspace to the verdict in the system."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from app.cli import main
from tests.builders import record
from tests.connections.servers import KEY, SqsServer, client, moto, redis

DOCS = Path(__file__).parents[2] / "docs"
ANSWERS = '{"support": "supported", "label": "decline"}'
Run = Callable[..., tuple[int, str, str]]


def settings(page: str, heading: str) -> str:
    """The first block of settings below a heading."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(f"## {heading}")[2]
    found = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert found, f"{page} has no settings below '{heading}'"
    return found[1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "desk"
    assert main(["init", str(root)]) == 0
    return root


@pytest.fixture
def run(root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    (tmp_path / "answers.json").write_text(ANSWERS)

    def act(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["--workspace", str(root), *words])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return act


def review(run: Run, tmp_path: Path, case: str) -> None:
    """Claims, decides and delivers one case."""
    assert run("claim", case)[0] == 0
    code, _, err = run("decide", case, "--answers", str(tmp_path / "answers.json"))
    assert code == 0, err
    code, out, err = run("deliver")
    assert code == 0, out + err


def add(root: Path, text: str) -> None:
    with (root / "secondlook.toml").open("a") as file:
        file.write(f"\n{text}\n")


def test_a_redis_stream(root: Path, run: Run, tmp_path: Path) -> None:
    with redis() as url, client(url) as other:
        text = settings("sources/redis.md", "Set up").replace("rediss://redis.example.com:6379/0", url)
        add(root, re.sub(r"(?m)^(username|password_secret) .*\n", "", text))
        other.ask("XADD", "flagged", "*", "record", orjson.dumps(record(id="loan-1")))
        assert run("pull")[0] == 0
        review(run, tmp_path, "loan-1")
        ((_, fields),) = other.ask("XRANGE", "verdicts", "-", "+")
    told = dict(zip(fields[::2], fields[1::2], strict=True))
    assert told[b"subject"] == b"loan-1"
    assert json.loads(told[b"body"])["data"]["verdict"] == "upheld"


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[SqsServer]:
    for name, value in KEY.items():
        monkeypatch.setenv(name, value)
    with moto() as server:
        yield server


def test_an_sqs_queue(root: Path, run: Run, tmp_path: Path, sqs: SqsServer) -> None:
    given, back = sqs.queue("flagged"), sqs.queue("verdicts.fifo", fifo=True)
    text = settings("sources/sqs.md", "Set up")
    host = "https://sqs.eu-central-1.amazonaws.com/123456789012/"
    add(root, text.replace(host + "flagged", given).replace(host + "verdicts.fifo", back))
    sqs.send(given, [orjson.dumps(record(id="loan-1")).decode()])
    assert run("pull")[0] == 0
    review(run, tmp_path, "loan-1")
    (message,) = sqs.call(back, "ReceiveMessage", MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"])["subject"] == "loan-1"
    assert sqs.left(given) == 0


def test_a_table(root: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "theirs.db"
    monkeypatch.setenv("SECONDLOOK_SECRET_WAREHOUSE", f"sqlite:///{path}")
    add(root, settings("sources.md", "A table or a view"))
    assert run("pull")[0] == 2
    assert not path.exists()
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE flagged (id, amount, pd, decision, state, verdict, label)")
        theirs.execute("INSERT INTO flagged VALUES (1, 7200, 0.58, 'decline', 'new', NULL, NULL)")
        theirs.commit()
        assert run("pull")[0] == 0
        assert theirs.execute("SELECT state FROM flagged").fetchall() == [("in review",)]
        review(run, tmp_path, "1")
        assert theirs.execute("SELECT state, verdict, label FROM flagged").fetchall() == [("done", "upheld", "decline")]


def test_rows_whose_columns_mean_nothing_stay_where_they_are(
    root: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "theirs.db"
    monkeypatch.setenv("SECONDLOOK_SECRET_WAREHOUSE", f"sqlite:///{path}")
    add(root, settings("sources.md", "A table or a view").partition("[queues.credit.csv]")[0])
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE flagged (id, amount, pd, decision, state, verdict, label)")
        theirs.execute("INSERT INTO flagged VALUES (1, 7200, 0.58, 'decline', 'new', NULL, NULL)")
        theirs.commit()
        code, _, err = run("pull")
        assert code == 2 and "csv.columns" in err and "Nothing was taken" in err
        assert theirs.execute("SELECT state FROM flagged").fetchall() == [("new",)]
    assert run("quarantine", "list")[1] == ""
