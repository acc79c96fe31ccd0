"""Words of their own for every place where a sensitive value can come in, also in disguise; none of them comes out.

Not in the workspace's files while the program runs or after, not in what commands print, exports and
errors say, and not in a frame that is drawn.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import traceback
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest

from app.cli import main
from app.desk.open import open_desk
from app.settings import load_workspace
from tests.builders import record
from tests.hostile.disguises import WAYS
from tests.hostile.judge import disguised_in
from tests.hostile.test_known_values import FOUND, planted
from tests.hostile.test_leaks import CANARY, ECHOES, OTHER, UNDECLARED, bad_records
from tests.screens.seat import Seat, seated

QUEUE = "summaries"
DISGUISED = "credit"
PERSON = "ada"
# How every word begins, so that all are found at once; what follows tells them apart.
_HEAD = "Qzxwv"


class Planted:
    """The records, and every word that must not come out."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.records = [
            *self._records(ECHOES, declared=True),
            *self._records(UNDECLARED, declared=False),
            record(id="input", subject=self._value(), inputs=self._inputs()),
        ]
        self.disguised = [self._disguised(number, way) for number, way in enumerate(FOUND)]
        self.bad_ones = [json.dumps({**one, "output": {"score": one["domain"]}}).encode() for one in self.disguised]
        self.bad = [self._fresh(found if isinstance(found, bytes) else json.dumps(found).encode())
                    for found in bad_records()]  # fmt: skip
        columns = ("full_name", "Geschlecht", "applicant_age", "home_zip", "email", "note")
        cells = [self._value() for _ in columns[:-1]]
        self.csv = "id,label,score," + ",".join(columns) + "\n"
        self.csv += ",".join(("row-1", "approve", "0.5", *cells, f"for {cells[0]} of {cells[3]}")) + "\n"

    def _word(self) -> str:
        """Nine letters like those it stands for, since spans count them; the last is one that JSON may escape."""
        number = len(self.words)
        new = _HEAD + "".join(ascii_lowercase[number // 26**place % 26] for place in range(3)) + "é"
        self.words.append(new)
        return new

    def _value(self) -> str:
        return f"{self._word()} {self._word()}"

    def _records(self, places: dict[str, dict[str, Any]], declared: bool) -> Iterable[dict[str, Any]]:
        """The places in as few records as hold them."""
        merged: list[dict[str, Any]] = []
        for place in places.values():
            value, other = self._value(), self._value()
            ours: dict[str, Any] = _replaced(place, value, other)
            for item in ours.get("inputs", []):
                item.setdefault("kind", "category")
            if declared:
                ours.setdefault("sensitive", [])
                number = len(self.words)
                ours["sensitive"] += [
                    {"name": f"race {number}", "value": value},
                    {"name": f"tribe {number}", "value": [{"more": other}]},
                ]
            into = next((one for one in merged if _goes_into(ours, one)), None)
            if into is None:
                merged.append(ours)
            else:
                for key, more in ours.items():
                    into[key] = into[key] + more if key in into else more
        return [record(id=f"case-{declared}-{number}") | one for number, one in enumerate(merged)]

    def _inputs(self) -> list[dict[str, Any]]:
        names = ("gender", "applicantAge", "Sex of applicant", "mother_religion", "nombre", "date de naissance")
        told = [{"name": name, "kind": "category", "value": self._value()} for name in names]
        said = {"name": "n", "kind": "reference", "withheld": "tribe", "value": self._value()}
        text = {"name": "remark", "kind": "text", "value": " and ".join(str(i["value"]).upper() for i in [*told, said])}
        return [*told, said, text]

    def _disguised(self, number: int, way: str) -> dict[str, Any]:
        """A record that holds a value written in some way wherever it can hold one."""
        value = f"{self._word()[:-1]} {self._word()[:-1]}"
        return record(
            id=f"disguised-{number}", **planted(WAYS[way](value)), sensitive=[{"name": "tribe", "value": value}]
        )

    def _fresh(self, line: bytes) -> bytes:
        first, last = CANARY.split()
        return line.replace(first.encode(), self._word().encode()).replace(last.encode(), self._word().encode())


def _replaced(place: dict[str, Any], value: str, other: str) -> Any:
    text = json.dumps(place, ensure_ascii=False)
    for old, new in ((CANARY, value), (OTHER, other)):
        for before, after in zip(old.split(), new.split(), strict=True):
            for case in (str, str.upper, str.lower):
                text = text.replace(case(before), case(after))
    return json.loads(text)


def _goes_into(place: dict[str, Any], one: dict[str, Any]) -> bool:
    names = [item["name"] for item in (*place.get("inputs", []), *one.get("inputs", []))]
    lists = all(isinstance(more, list) and isinstance(one[key], list) for key, more in place.items() if key in one)
    return lists and len(set(names)) == len(names)


_WORDS = re.compile(
    b"|".join(re.escape(case(_HEAD).encode(code)) for case in (str, str.lower, str.upper)
              for code in ("utf-8", "utf-16-le", "utf-16-be"))
)  # fmt: skip


def assert_nowhere(content: bytes | str, where: str) -> None:
    content = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    disguised = disguised_in(content, _HEAD)
    assert disguised is None, f"in {where}: {disguised!r}"
    found = _WORDS.search(content)
    assert found is None, f"in {where}: {content[max(0, found.start() - 80) : found.end() + 40]!r}"


def assert_not_in(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file() and "keys" not in path.parts]
    assert any(path.stat().st_size > 50_000 for path in files)
    for path in files:
        assert_nowhere(path.read_bytes(), path.name)
        assert_nowhere(path.name, "the name of a file")


class World:
    """A workspace with everything planted."""

    def __init__(self, root: Path, outside: Path) -> None:
        self.root, self.outside = root, outside
        self.planted = Planted()
        self.disguised = outside / "disguised.jsonl"
        self.disguised.write_bytes(
            b"\n".join(
                [*(json.dumps(r, ensure_ascii=False).encode() for r in self.planted.disguised), *self.planted.bad_ones]
            )
        )
        self.file, self.table = outside / "records.jsonl", outside / "records.csv"
        lines = [*(json.dumps(r, ensure_ascii=False).encode() for r in self.planted.records), *self.planted.bad]
        self.file.write_bytes(b"\n".join(lines))
        self.table.write_text(self.planted.csv)

    def run(self, *words: str) -> int:
        return main(["--workspace", str(self.root), "--as", PERSON, *words])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = World(tmp_path_factory.mktemp("canary") / "desk", tmp_path_factory.mktemp("outside"))
    assert main(["init", str(made.root)]) == 0
    path = made.root / "secondlook.toml"
    path.write_text(path.read_text() + '\n[queues.moderation.task]\ntype = "binary"\nlabels = ["approve", "decline"]\n')
    made.run("import", str(made.file), "--queue", QUEUE)
    made.run("import", str(made.disguised), "--queue", DISGUISED)
    return made


def test_the_search_finds_what_is_there(world: World) -> None:
    assert len(set(world.planted.words)) > 100
    first = world.planted.words[0]
    for form in (first, first.upper(), json.dumps(first), f"{first[:-1]}ly"):
        for content in (form, form.encode("utf-16-le"), form.lower().encode("utf-16-be")):
            with pytest.raises(AssertionError):
                assert_nowhere(content, "here")


def test_nothing_of_it_is_printed_or_written(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    seen: list[str] = []

    def run(*words: str) -> int:
        code = world.run(*words)
        out, err = capfd.readouterr()
        assert_nowhere(out + err, " ".join(words))
        seen.append(out)
        return code

    def both(*words: str) -> None:
        run(*words)
        run(*words, "--json")

    both("import", str(world.file), "--queue", "moderation")
    both("import", str(world.table), "--queue", "moderation", "--map", "full_name=sensitive")
    done = [json.loads(said) for said in seen[1::2]]
    assert [found["quarantined"] for found in done] == [len(world.planted.bad) - 1, 0]
    both("quarantine", "list")
    for number in range(1, 8):
        both("quarantine", "show", str(number))
    both("quarantine", "retry", "1")
    desk = open_desk(load_workspace(world.root), PERSON)
    assert_not_in(world.root)
    for made in world.planted.records:
        both("show", made["id"], "--queue", QUEUE)
        assert made["id"] in seen[-1]
    both("show", "row-1", "--queue", "moderation")
    assert "[withheld: full_name]" in seen[-1]
    both("cases", "--limit", "0")
    both("search", "case")
    both("search", "approve")
    both("stats")
    both("next", "--queue", QUEUE)
    both("skip", "case-True-0", "--queue", QUEUE)
    both("unskip", "--queue", QUEUE)
    case = _decide(world, run, seen)
    both("undo", case, "--queue", QUEUE)
    both("release", case, "--queue", QUEUE)
    _decide(world, run, seen)
    both("audit", "verify")
    both("protect", "report", "--queue", QUEUE)
    both("doctor")
    both("paths")
    for form in ("parquet", "jsonl", "csv"):
        folder = world.outside / form
        run("export", str(folder), "--queue", QUEUE, "--format", form)
        for path in folder.rglob("*"):
            assert_nowhere(path.read_bytes() if path.is_file() else b"", path.name)
    assert_not_in(world.root)
    desk.close()
    assert_not_in(world.root)


def test_nothing_of_it_comes_out_in_disguise(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()

    def once(*words: str) -> str:
        world.run(*words)
        out, err = capfd.readouterr()
        assert_nowhere(out + err, " ".join(words))
        return out

    def both(*words: str) -> str:
        return once(*words) + once(*words, "--json")

    assert '"admitted":0' in both("import", str(world.disguised), "--queue", DISGUISED)
    both("import", str(_as_table(world)), "--queue", "moderation", "--map", "tribe=sensitive")
    both("quarantine", "list")
    with closing(sqlite3.connect(next(world.root.glob("*.db")))) as connection:
        numbers = [
            row[0] for row in connection.execute("SELECT quarantine_id FROM quarantine WHERE queue = ?", (DISGUISED,))
        ]
    assert len(numbers) == len(FOUND)
    both("quarantine", "show", str(numbers[0]))
    both("quarantine", "retry", str(numbers[-1]))
    for number, way in enumerate(FOUND):
        assert f"disguised-{number}" in once("show", f"disguised-{number}", "--queue", DISGUISED, "--json"), way
        assert "[withheld:" in once("show", f"row-{number}", "--queue", "moderation"), way
    both("cases", "--limit", "0", "--queue", DISGUISED)
    both("search", "disguised")
    both("next", "--queue", DISGUISED)
    both("stats")
    both("protect", "report", "--queue", DISGUISED)
    assert_not_in(world.root)


def _as_table(world: World) -> Path:
    """A row for each way, with the value so written in a column that nobody declares."""
    rows = [["id", "label", "score", "tribe", "remark"]]
    for number, (way, one) in enumerate(zip(FOUND, world.planted.disguised, strict=True)):
        value = one["sensitive"][0]["value"]
        rows.append([f"row-{number}", "approve", "0.5", value, f"from {WAYS[way](value)} so far"])
    path = world.outside / "disguised.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _decide(world: World, run: Callable[..., int], seen: list[str]) -> str:
    """Settles a case, with whatever its rubric asks; returns its id."""
    assert run("next", "--queue", QUEUE, "--json") == 0
    case: str = json.loads(seen[-1])["id"]
    answers = world.outside / "answers.json"
    label = next(made["task"]["labels"][0] for made in world.planted.records if made["id"] == case)
    answers.write_text(json.dumps({"worst_error": "none", "label": label}))
    assert run("decide", case, "--queue", QUEUE, "--answers", str(answers), "--json") == 0
    return case


def test_an_error_in_the_middle_says_nothing_of_it(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    """The database refuses a row: what the driver and Python then say holds what was to be written."""
    other = World(world.root.parent / "broken", world.outside)
    assert main(["init", str(other.root)]) == 0
    other.run("import", str(other.table), "--queue", QUEUE, "--map", "label=label")
    database = next(other.root.glob("*.db"))
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "CREATE TRIGGER no BEFORE INSERT ON case_records BEGIN SELECT RAISE(ABORT, 'refused here'); END"
        )
        connection.commit()
    said = ""
    try:
        assert other.run("import", str(other.file), "--queue", QUEUE) != 0
    except Exception:  # noqa: BLE001 - whatever it is, it is what a person would see
        said = traceback.format_exc()
    out, err = capfd.readouterr()
    assert_nowhere(said + out + err, "the error")
    assert said or err
    assert_not_in(other.root)


def test_two_values_with_one_name(tmp_path: Path) -> None:
    file, root = tmp_path / "two.jsonl", tmp_path / "desk"
    sensitive = [{"name": "tribe", "value": f"{_HEAD}aaaé"}, {"name": "tribe", "value": "other one"}]
    inputs = [{"name": f"income of {_HEAD}aaaé", "kind": "number", "value": 1}]
    file.write_text(json.dumps(record(sensitive=sensitive, inputs=inputs)))
    assert main(["init", str(root)]) == 0
    assert main(["--workspace", str(root), "import", str(file), "--queue", QUEUE]) == 0
    assert_not_in(root)


async def test_nothing_of_it_is_drawn(world: World) -> None:
    async with seated(world.root, (150, 50), person="grace") as seat:
        _look(world, seat, "the inbox")
        case = await seat.take_next(QUEUE)
        drawn = set()
        for _ in range(len(world.planted.records)):
            drawn.add(case)
            for paper in "wmpyc":
                await seat.press(paper)
                await seat.pilot.pause()
                _look(world, seat, f"{case}, paper {paper}")
            await seat.press("s")
            await seat.until(lambda old=case: seat.case != old or seat.shell.screen is not seat.review)  # type: ignore[misc]
            if seat.shell.screen is not seat.review or not seat.case:
                break
            await seat.until(lambda: not seat.review._busy)
            case = seat.case
        # Those that the test above has settled or skipped are not offered.
        assert len(drawn) >= len(world.planted.records) - 3


def _look(world: World, seat: Seat, where: str) -> None:
    assert seat.text().strip()
    assert_nowhere(seat.text(), where)
    assert_nowhere(seat.shell.export_screenshot(), f"{where}, as a picture")
    assert_nowhere(seat.shell.clipboard, "the clipboard")
