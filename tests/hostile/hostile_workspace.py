"""A workspace in which everything that can be said is hostile: records, rubric, titles, people, notes, drafts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from app.cli import main
from app.cli.workspace import make_workspace
from app.desk.local import LocalDesk
from app.desk.open import open_local_desk
from app.model.case import Draft, Filter
from app.settings import load_workspace
from tests.hostile.hostile import Record, Say, hostile_rubric, planted, turning, write_records

QUEUE, JUDGED_FIRST = "hostile", "judged-first"
PERSON = "ada"


def make_hostile(root: Path, texts: list[str], records: int) -> list[Record]:
    """Makes the workspace; returns the records of its queue. `texts` are said in turn."""
    make_workspace(root)
    say = turning(texts)
    _settings(root, say)
    made = [planted(number, turning(texts, number * 37)) for number in range(records)]
    for queue, some in ((QUEUE, made), (JUDGED_FIRST, made[:2])):
        path = root / f"{queue}.jsonl"
        write_records(path, some)
        assert main(["--workspace", str(root), "import", str(path), "--queue", queue]) == 0
    _acts(root, say)
    return made


def _settings(root: Path, say: Say) -> None:
    (root / "rubrics" / "hostile.toml").write_text(hostile_rubric(say))
    path = root / "secondlook.toml"
    settings = path.read_text().replace("[desk]\n", f"[desk]\ntheme = {_toml(say())}\n", 1)
    queues = "".join(
        f'\n[queues.{name}]\ntitle = {_toml(say())}\nrubric = "hostile"\n{more}'
        for name, more in ((QUEUE, ""), (JUDGED_FIRST, "provisional = true\n"))
    )
    path.write_text(settings + queues)


def _toml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


def _acts(root: Path, say: Say) -> None:
    """What others did before: held, flagged, parked, drafted."""
    theirs = [name for name in (say() for _ in range(20)) if "\x00" not in name]
    with_desk(root, "\x1b]0;eve\x07\u202e" + theirs[0], lambda desk: _hold_and_park(desk, say))
    with_desk(root, PERSON, lambda desk: _draft(desk, say))


def _hold_and_park(desk: LocalDesk, say: Say) -> None:
    first, second, third = desk.ids(Filter(queue=QUEUE), 3)
    desk.flag(first, say() + " note")
    desk.claim_case(second)
    desk.park(desk.claim_case(third).lease, say() + " reason")


def _draft(desk: LocalDesk, say: Say) -> None:
    for case_id in desk.ids(Filter(queue=QUEUE, state="open")):
        desk.save_draft(case_id, Draft({"better": say() + " " + say()}))


def with_desk(root: Path, person: str, act: Callable[[LocalDesk], None]) -> None:
    """Does something as somebody."""
    desk = open_local_desk(load_workspace(root), person)
    try:
        act(desk)
    finally:
        desk.close()


def decide_all(root: Path, texts: list[str], queue: str = QUEUE) -> int:
    """Settles every open case of a queue with hostile answers; returns how many."""
    done = 0
    say = turning(texts)
    while main(["--workspace", str(root), "--as", PERSON, "next", "--queue", queue, "--json"]) == 0:
        done += 1
        with_desk(root, PERSON, lambda desk: _decide(root, desk, say, queue))
    return done


def _decide(root: Path, desk: LocalDesk, say: Say, queue: str) -> None:
    (case_id,) = desk.ids(Filter(queue=queue, state="leased", holder=PERSON))
    view = desk.view(case_id)
    answers = {"choice": "o1", "label": view.prediction.task.labels[-1], "better": say() + " better"}
    path = root / "answers.json"
    path.write_text(json.dumps(answers))
    words = ["decide", view.row.id, "--queue", queue, "--answers", str(path)]
    assert main(["--workspace", str(root), "--as", PERSON, *words]) == 0
