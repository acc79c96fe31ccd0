"""The whole corpus through every command that prints, and through every export, into bytes."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.cli import main
from tests.builders import admit, opened
from tests.hostile.hostile import FOLDER, documents, harm_in, storable
from tests.hostile.hostile_workspace import JUDGED_FIRST, PERSON, QUEUE, decide_all, make_hostile

TEXTS = storable()
RECORDS = 8
NAMES = ["\x1b]0;x\x07", "\u202eeman", "\x9b2J\u200b", "[red]x[/]"]
READING = [
    ["cases", "--limit", "0"],
    ["cases", "--queue", QUEUE],
    ["search", "approved"],
    ["search", "\x1b]0;x\x07 \u202e"],
    ["stats"],
    ["quarantine", "list"],
    ["quarantine", "show", "1"],
    ["rubric", "list"],
    ["rubric", "show", "hostile"],
    ["audit", "log"],
    ["audit", "verify"],
    ["paths"],
]
REFUSED = [
    *(["show", name] for name in NAMES),
    *(["next", "--queue", name] for name in NAMES),
    *(["import", f"/nowhere/{name}.jsonl", "--queue", QUEUE] for name in NAMES),
    *(["import", "x.jsonl", "--queue", QUEUE, "--map", f"{name}={name}"] for name in NAMES),
    *(["rubric", "show", name] for name in NAMES),
    *(["rubric", "check", f"/nowhere/{name}"] for name in NAMES),
    *(["export", "/nowhere", "--queue", QUEUE, "--format", name] for name in NAMES),
    *(["decide", name, "--answers", f"/nowhere/{name}"] for name in NAMES),
    *(["judge", name, "--label", name] for name in NAMES),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hostile records, some settled with hostile answers, some quarantined."""
    root = tmp_path_factory.mktemp("lines") / "desk"
    make_hostile(root, TEXTS, RECORDS)
    path = root / "bad \x1b]0;x\x07 \u202e.jsonl"
    path.write_bytes(b'{"id": "\\u001b]0;x\\u0007", "\\u001b[2J": 1}\n{"id": "\\u202e", "task": 1}\n')
    assert main(["--workspace", str(root), "import", str(path), "--queue", QUEUE]) == 1
    assert decide_all(root, TEXTS) > RECORDS // 2
    return root


def run(root: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """One command: its exit code, and what it wrote."""
    capsys.readouterr()
    try:
        code = main(["--workspace", str(root), "--as", PERSON, *words])
    except SystemExit as left:
        code = int(left.code or 0)
    return code, *capsys.readouterr()


def assert_harmless(*outputs: str) -> None:
    for output in outputs:
        assert harm_in(output) == []
        output.encode()


@pytest.mark.parametrize("as_json", [False, True], ids=["lines", "json"])
@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words)[:30].encode("unicode_escape").decode())
def test_what_reads(workspace: Path, words: list[str], as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, narration = run(workspace, [*words, *(["--json"] if as_json else [])], capsys)
    assert code == 0
    assert_harmless(out, narration)
    for line in out.splitlines() if as_json else ():
        orjson.loads(line)


def test_every_case_is_shown_and_its_json_is_whole(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(workspace, ["cases", "--queue", QUEUE, "--limit", "0", "--json"], capsys)
    _, settled, _ = run(workspace, ["cases", "--queue", QUEUE, "--state", "settled", "--json"], capsys)
    ids = {orjson.loads(line)["id"] for line in (out + settled).splitlines()}
    assert len(ids) == RECORDS
    for case in ids:
        code, out, narration = run(workspace, ["show", case, "--queue", QUEUE], capsys)
        assert code == 0
        assert_harmless(out, narration)
        _, out, narration = run(workspace, ["show", case, "--queue", QUEUE, "--json"], capsys)
        assert_harmless(out, narration)
        assert orjson.loads(out)["prediction"]["id"] == case


@pytest.mark.parametrize("words", REFUSED, ids=lambda words: ascii(" ".join(words))[:40])
@pytest.mark.parametrize("as_json", [False, True], ids=["lines", "json"])
def test_what_is_refused(workspace: Path, words: list[str], as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, narration = run(workspace, [*words, *(["--json"] if as_json else [])], capsys)
    assert code != 0
    assert_harmless(out, narration)


def test_a_whole_review(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(workspace, ["next", "--queue", JUDGED_FIRST, "--json"], capsys)
    case = orjson.loads(out)
    label = case["case"]["prediction"]["task"]["labels"][2]
    named = [case["id"], "--queue", JUDGED_FIRST]
    judge = ["judge", *named, "--label", label]
    for words in (["next"], judge, *([act, *named] for act in ("release", "undo", "skip"))):
        _, out, narration = run(workspace, words, capsys)
        assert_harmless(out, narration)


def cells(path: Path) -> list[dict[str, str]]:
    """A CSV file as any reader sees it."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")


def test_exports_say_the_same_and_csv_runs_nothing(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import polars as pl

    for form in ("parquet", "jsonl", "csv"):
        code, out, narration = run(workspace, ["export", str(tmp_path), "--queue", QUEUE, "--format", form], capsys)
        assert code == 0
        assert_harmless(out, narration)
    rows: list[dict[str, Any]] = pl.read_parquet(tmp_path / "corrections.parquet").to_dicts()
    lines = (tmp_path / "corrections.jsonl").read_bytes().split(b"\n")[:-1]
    assert [orjson.loads(line) for line in lines] == rows
    assert not re.search(rb"[\x00-\x1f]", b"".join(lines))
    table = cells(tmp_path / "corrections.csv")
    assert len(table) == len(rows)
    for shown, row in zip(table, rows, strict=True):
        for (name, cell), (true_name, value) in zip(shown.items(), row.items(), strict=True):
            assert not FORMULA.match(cell) and not FORMULA.match(name)
            assert name.removeprefix("'") == true_name
            if isinstance(value, str):
                assert cell == ("'" + value if FORMULA.match(value) else value)
    _same_as_stored(workspace, rows, capsys)


def _same_as_stored(root: Path, rows: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    for row in rows:
        _, out, _ = run(root, ["show", row["id"], "--queue", QUEUE, "--json"], capsys)
        prediction = orjson.loads(out)["prediction"]
        assert row["output_text"] == prediction["output"]["text"]
        texts = {i["name"]: i["value"] for i in prediction["inputs"] if i["kind"] == "text" and "withheld" not in i}
        assert texts and {name: row[name] for name in texts} == texts


def test_cells_that_a_spreadsheet_would_run_go_in_and_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "desk"
    make_hostile(root, ["x"], 3)
    settings = root / "secondlook.toml"
    task = '\n[queues.cells]\nrubric = "hostile"\ntask = { type = "binary", labels = ["good", "bad"] }\n'
    settings.write_text(settings.read_text() + task)
    source = tmp_path / "cells.csv"
    source.write_bytes((FOLDER / "cells.csv").read_bytes())
    code, out, narration = run(root, ["import", str(source), "--queue", "cells"], capsys)
    assert code == 0, narration
    assert_harmless(out, narration)
    decide_all(root, ["x"], "cells")
    run(root, ["export", str(tmp_path), "--queue", "cells", "--format", "csv"], capsys)
    found = {row["id"]: row["note"] for row in cells(tmp_path / "corrections.csv")}
    came = {row["id"]: row["note"] for row in cells(source)}
    assert found == {name: "'" + cell if FORMULA.match(cell) else cell for name, cell in came.items()}


@pytest.mark.parametrize(("name", "expect", "data"), documents(), ids=[name for name, _, _ in documents()])
def test_documents(tmp_path: Path, name: str, expect: str, data: bytes) -> None:
    with opened(tmp_path / "a.db") as store:
        count = admit(store, [data])
        assert (count.admitted, count.quarantined) == ((1, 0) if expect == "kept" else (0, 1)), count.reasons
