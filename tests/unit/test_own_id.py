"""`pseudonymise = ["id"]`: a token stands in place of each own id; the system that waits hears of the id itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.cli import main
from app.deliver.deliverer import Deliverer
from app.hub import verdicts
from app.hub.hub import Hub
from app.model.connection import Delivery
from app.protect.own_id import opened_id, sealed_id, token_of
from app.settings import load_workspace
from db.engine import Store, open_store
from tests.builders import KEYS, admission, admit, kept, opened, record

OWN = "patient-Quorrowby-7"
HIDDEN: dict[str, Any] = {"pseudonymise": ["id"]}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path / "secondlook.db") as made:
        yield made


def planted(**more: Any) -> dict[str, Any]:
    """A record whose id stands in other places as well."""
    return record(
        id=OWN, request_id=OWN, provenance={"data": {"uri": f"s3://b/{OWN}.csv"}}, **more
    )  # fmt: skip


def assert_not_in(folder: Path, word: str = "quorrowby") -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.stat().st_size > 4096 for path in files)
    for path in files:
        assert word.encode() not in path.read_bytes().lower(), path.name


def test_the_id_is_nowhere_and_its_token_is_the_same_each_time(store: Store, tmp_path: Path) -> None:
    assert admit(store, [planted()], **HIDDEN).admitted == 1
    assert admit(store, [planted()], **HIDDEN).duplicates == 1
    assert admit(store, [planted(domain="other")], **HIDDEN).reasons == {"changed": 1}
    token = token_of(KEYS.pseudonym, "credit", OWN)
    assert list(kept(store)) == [token]
    assert_not_in(tmp_path)


def test_a_refused_record_is_quarantined_under_its_token(store: Store, tmp_path: Path) -> None:
    from db import quarantine

    assert admit(store, [planted(output={"score": "high"}), planted(output={"score": 7})], **HIDDEN).quarantined == 2
    with store.read() as connection:
        held = quarantine.held(connection)
        assert {one.external_id for one in held} == {token_of(KEYS.pseudonym, "credit", OWN)}
    assert_not_in(tmp_path)


def test_the_protected_view_of_a_held_record_has_the_token(store: Store) -> None:
    from db import quarantine

    admit(store, [planted(), planted(domain="other")], **HIDDEN)
    with store.read() as connection:
        (held,) = quarantine.held(connection)
        found = quarantine.one(connection, held.quarantine_id)
    assert found is not None
    view = admission(store, **HIDDEN).protected_view(*found)
    assert view is not None
    assert view["id"] == token_of(KEYS.pseudonym, "credit", OWN)
    assert "Quorrowby" not in json.dumps(view)


def test_a_token_is_a_queues_own_and_stays_one() -> None:
    token = token_of(KEYS.pseudonym, "credit", OWN)
    assert token_of(KEYS.pseudonym, "credit", token) == token
    assert token_of(KEYS.pseudonym, "credit", "José") == token_of(KEYS.pseudonym, "credit", "Jose\u0301")
    others = [("credit", OWN + "1"), ("other", OWN)]
    assert token not in [token_of(KEYS.pseudonym, queue, own) for queue, own in others]
    sealed = sealed_id(KEYS.quarantine, "credit", token, OWN)
    assert opened_id(KEYS.quarantine, "credit", token, sealed) == OWN


@pytest.mark.parametrize(
    ("own_id", "told"),
    [("person-7", 1), ("cv_PERSON_7.pdf", 1), ("loan-Kozilofab-3", 1), ("loan%2DKozilofab", 1), ("loan-3", 0)],
)
def test_ids_that_hold_what_is_withheld_are_counted(store: Store, own_id: str, told: int) -> None:
    sent = record(id=own_id, subject="person-7", sensitive=[{"name": "tribe", "value": "Kozilofab Didimapem"}])
    count = admit(store, [sent])
    assert (count.admitted, count.told_by_id) == (1, told)
    assert admit(store, [sent], **HIDDEN).told_by_id == 0


class Inbox:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[Delivery] = []

    def send(self, delivery: Delivery) -> None:
        self.got.append(delivery)

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Commands in a workspace whose queue hides ids, and what they print."""
    root, file = tmp_path / "desk", tmp_path / "in" / "records.jsonl"
    assert main(["init", str(root)]) == 0
    path = root / "secondlook.toml"
    text = path.read_text().replace(
        "[queues.summaries]", '[queues.summaries]\npseudonymise = ["id"]\ndeliver = ["hook"]'
    )
    path.write_text(text + '\n[sinks.hook]\ntype = "webhook"\nurl = "https://example.org/"\nsecrets = ["hook"]\n')
    file.parent.mkdir()
    file.write_text(json.dumps(planted()))
    capfd.readouterr()

    def run(*words: str, code: int = 0) -> str:
        assert main(["--workspace", str(root), *words]) == code
        out, err = capfd.readouterr()
        assert "Quorrowby" not in out + err
        return out

    run("import", str(file), "--queue", "summaries")
    return run


def test_a_case_is_found_decided_told_of_and_erased_by_its_own_id(desk: Any, tmp_path: Path) -> None:
    root = tmp_path / "desk"
    token = json.loads(desk("show", OWN, "--json"))["id"]
    assert token.startswith("id-") and json.loads(desk("show", token, "--json"))["id"] == token
    assert token in desk("search", OWN)
    assert json.loads(desk("next", "--queue", "summaries", "--json"))["id"] == token
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"worst_error": "none", "label": "decline"}))
    desk("decide", OWN, "--answers", str(answers))
    assert desk("audit", "prove", OWN, "--json") == desk("audit", "prove", token, "--json")
    workspace = load_workspace(root)
    store, inbox = open_store(workspace.database_url), Inbox()
    try:
        # Without the key nothing goes out under a token.
        assert "workspace key" in Deliverer(store, lambda _: inbox, ["hook"]).deliver().errors["hook"]
        later = lambda: time.time_ns() // 1_000_000 + 86_400_000  # noqa: E731
        assert Deliverer(store, lambda _: inbox, ["hook"], later, workspace.keys).deliver().sent == 1
        hub = Hub(store, dict(workspace.settings.queues), workspace.rubrics, workspace.keys())
        assert [told.id for told in verdicts._page(hub, ["summaries"], "", 10).verdicts] == [OWN]
    finally:
        store.close()
    (delivery,) = inbox.got
    assert delivery.event["data"]["id"] == delivery.event["subject"] == OWN
    assert orjson.loads(delivery.body) == delivery.event
    assert delivery.reference == {}
    assert_not_in(root)
    desk("erase", OWN, "--yes")
    desk("show", token, code=2)
    desk("import", str(tmp_path / "in" / "records.jsonl"), "--queue", "summaries")
    desk("show", token, code=2)
