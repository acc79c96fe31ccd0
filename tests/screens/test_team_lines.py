"""Work that several people share, in lines."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from tests.screens.seat import copy_of

TWO = "\n[queues.summaries.reviews]\nindependent = 2\n"
FAITHFUL = {"worst_error": "none", "label": "faithful"}
WRONG = {"worst_error": "detail", "harm": 2, "label": "hallucinated", "rationale": "The number is not in the article."}
Run = Callable[..., Any]


@pytest.fixture
def run(template: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    root = copy_of(template, tmp_path / "desk", TWO)

    def act(person: str, *words: str, code: int = 0) -> Any:
        capfd.readouterr()
        found = main(["--workspace", str(root), "--as", person, *words])
        out, err = capfd.readouterr()
        assert found == code, err
        return json.loads(out) if "--json" in words and out else out + err

    return act


def decided(run: Run, tmp_path: Path, person: str, answers: dict[str, Any], case: str = "") -> str:
    """Claims and decides a case; returns its id."""
    words = ("claim", case) if case else ("next", "--queue", "summaries")
    name = str(run(person, *words, "--json")["id"])
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    run(person, "decide", name, "--answers", str(tmp_path / "answers.json"))
    return name


def test_from_two_reviews_to_the_adjudicators_word(run: Run, tmp_path: Path) -> None:
    name = decided(run, tmp_path, "ada", FAITHFUL)
    assert "reviewed" in run("ada", "claim", name, code=3)
    decided(run, tmp_path, "ben", WRONG, name)
    assert "adjudicators see them" in run("ada", "peers", name, code=4)
    assert "to adjudicate" in run("judy", "show", name)
    run("judy", "claim", name)
    found = run("judy", "peers", name, "--json")
    assert {one["name"] for one in found["reviews"]} == {"reviewer 1", "reviewer 2"}
    decided(run, tmp_path, "judy", WRONG, name)
    shown = run("ada", "peers", name)
    assert "ben: overturned -> hallucinated" in shown
    assert "judy: overturned" in shown
    assert run("ada", "people", "quality", "--json") == [], "figures are of whole days"
    with closing(sqlite3.connect(tmp_path / "desk" / "secondlook.db")) as connection, connection:
        connection.execute("UPDATE reviews SET decided_at = decided_at - 2 * 86400000")
    figures = {one["person"]: one for one in run("ada", "people", "quality", "--json")}
    assert (figures["ada"]["peers"], figures["ada"]["peers_same"]) == (1, 0)
    assert "0% of 1" in run("ada", "people", "quality")


def test_escalating_and_recusing(run: Run) -> None:
    first = run("ada", "next", "--queue", "summaries", "--json")["id"]
    run("ada", "escalate", first, "--reason", "the source is gone")
    second = run("ada", "next", "--queue", "summaries", "--json")["id"]
    assert second != first
    assert "recused" in run("ada", "recuse", second, "--reason", "my own text")
    assert "conflict of interest" in run("ada", "claim", second, code=3)


def test_a_leads_acts(run: Run) -> None:
    name = run("ada", "next", "--queue", "summaries", "--json")["id"]
    (ada,) = run("lea", "people", "list", "--json")
    assert [one["id"] for one in ada["held"]] == [name]
    assert "taken over" in run("lea", "take-over", name, "--reason", "ada is ill")
    assert run("lea", "assign", name, "--to", "ben", "--reason", "he knows it", "--json") == {
        "id": name,
        "assigned": True,
    }
    assert "kept for ben" in run("ada", "claim", name, code=3)
    run("lea", "assign", name, "--anybody", "--reason", "he is ill too")
    run("lea", "pause", "summaries", "--reason", "rolled back")
    assert "paused by a lead: rolled back" in run("ada", "next", "--queue", "summaries", code=4)
    run("lea", "resume", "summaries")
    assert "not paused" in run("lea", "resume", "summaries", code=3)
    assert run("ada", "next", "--queue", "summaries", "--json")["id"] == name


def test_tags_and_caps(run: Run) -> None:
    assert run("lea", "people", "set", "ada", "--tag", "medical", "--daily", "5", "--json") == {
        "person": "ada",
        "tags": ["medical"],
        "daily": 5,
        "holding": None,
    }
    assert "medical" in run("lea", "people", "list")
    assert "one word" in run("lea", "people", "set", "ada", "--tag", "two words", code=2)
    run("lea", "people", "forget", "ada")
    assert "neither tags nor caps" in run("lea", "people", "forget", "ada", code=2)


def test_gold_has_to_be_settled(run: Run, tmp_path: Path) -> None:
    name = decided(run, tmp_path, "ada", FAITHFUL)
    assert "settle it first" in run("lea", "gold", name, code=3)
    decided(run, tmp_path, "ben", FAITHFUL, name)
    assert "trusted" in run("lea", "gold", name)
    assert "untrusted" in run("lea", "gold", name, "--no")
    assert "no gold case" in run("lea", "gold", name, "--no", code=3)
