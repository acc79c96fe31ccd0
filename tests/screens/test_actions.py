"""An agent's action waits: its call is read, its arguments are changed, and the change is the verdict."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from tests.screens.seat import Seat, copy_of, seated

QUEUE = '\n[queues.actions]\nrubric = "agent-action"\nwithhold = ["iban"]\n'
IBAN = "DE02120300000000202051"
CALL = {"to": "ACME Ltd", "amount": 900, "iban": IBAN}
RECORD: dict[str, Any] = {
    "id": "thread-1",
    "task": {"type": "action", "labels": ["approve", "reject"], "positive": "approve", "question": "May it go on?"},
    "inputs": [
        {"name": "tool", "kind": "category", "value": "send_money"},
        {"name": "arguments", "kind": "json", "value": CALL},
    ],
    "output": {"label": "approve", "text": "send_money"},
    "explanations": [{"kind": "trace", "items": [{"kind": "tool", "name": "send_money", "status": "pending"}]}],
    "flags": [{"code": "agent_action", "severity": "high"}],
}


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    root = copy_of(template, tmp_path / "desk", QUEUE)
    (tmp_path / "actions.jsonl").write_text(json.dumps(RECORD) + "\n")
    assert main(["--workspace", str(root), "import", str(tmp_path / "actions.jsonl"), "--queue", "actions"]) == 0
    return root


async def _to_the_arguments(seat: Seat) -> None:
    """Wrong arguments, no harm, approved: the cursor is in what the agent is to do."""
    await seat.take_next("actions")
    await seat.press("2", "1", "1")
    await seat.until(lambda: seat.writing)


def _answers(root: Path) -> dict[str, Any]:
    """What was answered, as an auditor finds it."""
    with sqlite3.connect(root / "secondlook.db") as connection:
        ((verdict, answers),) = connection.execute("SELECT verdict, answers FROM reviews").fetchall()
    assert verdict == "corrected"
    found: dict[str, Any] = json.loads(answers)
    return found


async def test_changed_arguments_begin_with_the_call(root: Path) -> None:
    async with seated(root) as seat:
        await _to_the_arguments(seat)
        assert seat.shows('"to": "ACME Ltd"', '"amount": 900', "[withheld")
        assert IBAN not in seat.text()
        await seat.press("enter")
        await seat.until(lambda: seat.shows("nothing is changed yet"))
        await seat.press("end", "backspace", "enter")
        await seat.until(lambda: seat.shows("expected JSON"))
        assert seat.writing


async def test_one_number_is_changed_and_sent(root: Path) -> None:
    async with seated(root) as seat:
        await _to_the_arguments(seat)
        await seat.press("down", "down", "end", "left", "backspace")
        await seat.until(lambda: seat.shows('"amount": 90,'))
        await seat.press("enter")
        await seat.type("Ninety was agreed.")
        await seat.press("enter")
        desk = seat.other_desk("bob")
        case_id = desk.find("thread-1")
        await seat.until(lambda: desk.view(case_id).row.state == "settled")
        answers = _answers(root)
        assert json.loads(answers["arguments"]) == {**CALL, "amount": 90, "iban": "[withheld: iban]"}
