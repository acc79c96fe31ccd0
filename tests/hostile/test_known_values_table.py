"""The table of `docs/protection.md`: how known values may be written elsewhere, and which ways are found.

Read from the page and tried cell by cell, so that it promises what holds: what it calls found is masked, and what it
calls not found really stays.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.builders import protector, record
from tests.hostile.disguises import WAYS

PAGE = Path(__file__).parents[2] / "docs" / "protection.md"
HEADING = "| written |"
# By the columns of the table: the attribute, and values of it.
VALUES = {
    "name": ("name", ["Quorrina Velastrow", "Thaddon Wexelmaar"]),
    "e-mail": ("email", ["quorrina.velastrow@example.org", "thaddon.wexelmaar@post.example"]),
    "telephone": ("telephone", ["+44 20 7946 0958", "+49 151 23456789"]),
    "address": ("address", ["17 Velastrow Road, Kelverham", "8 Wexelmaar Lane, Thaddonstead"]),
    "date": ("date_of_birth", ["1984-03-27", "1962-11-05"]),
    "other words": ("tribe", ["Kozilofab Didimapem", "Vashturi Emberlin"]),
    "number": ("account_number", ["4929123456", "77120934"]),
}
# What may be left of an encoded value: no letter and no digit of it, and a sign that is none of its words.
_LEFT = r"(?:\[withheld: [^\]]+\]|</b>|%2B|%20|&#43;|[^\w\[<])+"


def cells() -> list[tuple[str, str, str]]:
    """Row, column and content of every cell of the table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(HEADING))
    columns = [cell.strip() for cell in lines[start].strip("|").split("|")][1:]
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        row, *contents = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(contents) == len(columns), row
        found += [(row, column, content) for column, content in zip(columns, contents, strict=True)]
    return found


def test_the_table_has_all_ways_and_all_kinds() -> None:
    assert [row for row, column, _ in cells() if column == "name"] == list(WAYS)
    assert {column for _, column, _ in cells()} == set(VALUES)
    assert {content for _, _, content in cells()} == {"found", "not found", "–"}


@pytest.mark.parametrize("way", WAYS)
def test_the_table_says_what_holds(way: str) -> None:
    for row, column, content in cells():
        if row == way:
            assert _tried(way, column) == content, column


def _tried(way: str, column: str) -> str:
    """What becomes of the values of a column in a text, without any detector."""
    attribute, values = VALUES[column]
    results = set()
    for value in values:
        written = WAYS[way](value)
        if written == value and way != "as it is":
            # This value has no other look so written.
            continue
        text = f"We saw {written} today."
        planted = record(sensitive=[{"name": attribute, "value": value}], output={"label": "decline", "text": text})
        kept = protector(detect="off").protect(planted)["output"]["text"]
        if re.fullmatch(rf"We saw {_LEFT} today\.", kept):
            results.add("found")
        else:
            results.add("not found" if kept == text else f"{text} → {kept}")
    return " ".join(results) if results else "–"
