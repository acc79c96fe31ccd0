"""Rows of CSV and Parquet: each with its line, each bad one with its reason."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from app.intake.mapping import to_record
from app.intake.parse import MAX_RECORD_BYTES
from app.intake.read import Raw, open_stream
from app.model.errors import BadInput, NothingToDo
from tests.builders import record


def csv(folder: Path, data: bytes) -> list[Raw]:
    path = folder / "a.csv"
    path.write_bytes(data)
    return list(open_stream(str(path)).items)


def parquet(folder: Path, frame: pl.DataFrame) -> list[Raw]:
    frame.write_parquet(folder / "a.parquet")
    return list(open_stream(str(folder / "a.parquet")).items)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"id,x\n1,2\n3,4", [(2, {"id": "1", "x": "2"}), (3, {"id": "3", "x": "4"})]),
        (b"id,x\r\n1,2\r\n", [(2, {"id": "1", "x": "2"})]),
        (b"\xef\xbb\xbfid,x\n1,2\n", [(2, {"id": "1", "x": "2"})]),
        (b" id , x \n1, 2\n", [(2, {"id": "1", "x": " 2"})]),
        (b'id,x\n1,"a,b"\n', [(2, {"id": "1", "x": "a,b"})]),
        (b'id,x\n1,"say ""no"""\n', [(2, {"id": "1", "x": 'say "no"'})]),
        (b'id,x\n1,"two\nlines"\n2,y\n', [(3, {"id": "1", "x": "two\nlines"}), (4, {"id": "2", "x": "y"})]),
        (b"id,x\n\n1,2\n\n", [(3, {"id": "1", "x": "2"})]),
        ('id,größe\n1,"é \u2028 €"\n'.encode(), [(2, {"id": "1", "größe": "é \u2028 €"})]),
        (b"id\n=cmd|'/c calc'!A1\n", [(2, {"id": "=cmd|'/c calc'!A1"})]),
        (b"id,x\n1,\n", [(2, {"id": "1", "x": ""})]),
        (b"id,x\n", []),
    ],
)
def test_rows(tmp_path: Path, data: bytes, rows: list[tuple[int, dict[str, str]]]) -> None:
    items = csv(tmp_path, data)
    assert [(raw.line, raw.row) for raw in items] == rows
    assert [raw.problem for raw in items] == [None] * len(rows)


def test_a_ragged_row_is_one_bad_record(tmp_path: Path) -> None:
    items = csv(tmp_path, b"id,x\n1\n1,2,3\n4,5\n")
    assert [raw.problem.expected if raw.problem else None for raw in items] == [
        "1 cells, expected 2 as in the header",
        "3 cells, expected 2 as in the header",
        None,
    ]
    assert [raw.data for raw in items[:2]] == [b"1", b"1,2,3"]


def test_bytes_that_are_not_utf_8_are_one_bad_record_and_kept_as_they_were(tmp_path: Path) -> None:
    bad, good = csv(tmp_path, b"id,x\n1,M\xfcller\n2,y\n")
    assert bad.problem and bad.problem.code == "encoding"
    assert bad.data == b"1,M\xfcller"
    assert good.row == {"id": "2", "x": "y"}


def test_a_quote_that_never_ends_ends_the_file_with_a_reason(tmp_path: Path) -> None:
    good, bad = csv(tmp_path, b'id,x\n1,2\n3,"open\n4,5\n')
    assert good.row == {"id": "1", "x": "2"}
    assert bad.problem and "the rest of the file cannot be read" in bad.problem.expected


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"id,x,id\n1,2,3\n", "names the column 'id' twice"),
        (b"id,x, id\n1,2,3\n", "names the column 'id' twice"),
        (b"\n\n", "has no header line"),
        (b",,\n1,2,3\n", "has no header line"),
        (b"id,M\xfcller\n1,2\n", "header that is not UTF-8"),
        (b'id,"x\n', "is no CSV"),
        (b'id,"x"y\n', "is no CSV"),
    ],
)
def test_a_header_that_cannot_be_used(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(BadInput, match="Nothing was imported") as caught:
        csv(tmp_path, data)
    assert words in str(caught.value)


def test_a_row_without_end_stops_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,x\n1,2\n3," + b"x" * MAX_RECORD_BYTES + b"\n")
    items = open_stream(str(path)).items
    assert next(items).row == {"id": "1", "x": "2"}
    with pytest.raises(BadInput, match="What came before it was imported"):
        next(items)


def test_a_flat_parquet_file(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "month": [48, None], "score": [0.5, 0.25], "ok": [True, None]})
    assert [(raw.line, raw.row) for raw in parquet(tmp_path, frame)] == [
        (1, {"id": "a", "month": 48, "score": 0.5, "ok": True}),
        (2, {"id": "b", "month": None, "score": 0.25, "ok": None}),
    ]


def test_a_nested_parquet_file_is_the_record_itself(tmp_path: Path) -> None:
    one = record(id="a", flags=[{"code": "x", "severity": "high"}])
    two = record(id="b", subject="s")
    items = parquet(tmp_path, pl.DataFrame([one, two], infer_schema_length=None))
    assert [to_record(raw.row or {}, {}) for raw in items] == [one, two]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 1, 5), "2026-01-05"),
        (datetime(2026, 1, 5, 8, 37), "2026-01-05T08:37:00"),
        (Decimal("1.50"), "1.50"),
        (timedelta(seconds=90), "0:01:30"),
        (b"bytes", "bytes"),
        (float("nan"), None),
    ],
)
def test_types_that_json_does_not_know_become_text(tmp_path: Path, value: Any, text: str | None) -> None:
    (item,) = parquet(tmp_path, pl.DataFrame({"id": ["a"], "x": [value]}))
    assert item.row == {"id": "a", "x": text}
    assert item.problem is None


def test_bytes_that_are_no_text_are_one_bad_record(tmp_path: Path) -> None:
    bad, good = parquet(tmp_path, pl.DataFrame({"id": ["a", "b"], "x": [b"\xff\xfe", b"y"]}))
    assert bad.problem and bad.problem.code == "parquet"
    assert good.row == {"id": "b", "x": "y"}


def test_a_long_parquet_file_comes_in_batches_in_order(tmp_path: Path) -> None:
    items = parquet(tmp_path, pl.DataFrame({"id": range(25_000)}))
    assert [raw.line for raw in items] == list(range(1, 25_001))
    assert [raw.row["id"] for raw in items if raw.row] == list(range(25_000))


def test_a_parquet_file_without_rows_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingToDo, match="has no rows"):
        parquet(tmp_path, pl.DataFrame({"id": pl.Series([], dtype=pl.String)}))


@pytest.mark.parametrize("keep", [4, 100, -1, -9])
def test_a_parquet_file_that_was_cut_off(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BadInput, match="is no readable Parquet file"):
        open_stream(str(path))


def test_a_parquet_file_under_another_name_is_known_by_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    pl.DataFrame({"id": ["a"]}).write_parquet(path)
    assert [raw.row for raw in open_stream(str(path)).items] == [{"id": "a"}]


def test_a_parquet_file_that_is_damaged_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": [f"case-{n * 7919 % 1000}" for n in range(1000)]}).write_parquet(path)
    data = bytearray(path.read_bytes())
    data[20:400] = bytes(380)
    path.write_bytes(data)
    with pytest.raises(BadInput, match="What came before it was imported"):
        list(open_stream(str(path)).items)
