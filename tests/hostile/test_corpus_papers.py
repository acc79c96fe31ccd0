"""Hostile and huge cases as papers: nothing acts, nothing is wider than asked, what is left out is counted."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.content import Content

from app.model.case import CaseRow, CaseView, Difference, HistoryEntry, SimilarCase
from app.model.prediction import Prediction
from app.model.provenance import completeness
from app.settings import load_rubric
from screens.documents import case_document, history_document, provenance_document, similar_document, why_document
from screens.fields import FIELD_LIMIT, FIELD_LINES, PAPER_LINES
from screens.widgets.doc_pane import DocPane
from tests.builders import FIXTURES, record
from tests.hostile.hostile import FOLDER, harm_in, planted, storable, turning
from tests.hostile.hostile_workspace import make_hostile
from tests.screens.seat import seated

TEXTS = storable()
RUBRIC = load_rubric(FIXTURES / "rubrics" / "content-moderation.toml")
WORDS = "lorem ipsum dolor sit amet consectetur "
# A field's lines and what stands around them, at the narrowest width.
MOST_LINES = PAPER_LINES + FIELD_LINES + FIELD_LIMIT // 30


def maker() -> Any:
    """The script that makes the corpus."""
    spec = importlib.util.spec_from_file_location("make_hostile", FIXTURES / "make_hostile.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_corpus_is_what_its_script_makes() -> None:
    made = maker().files()
    assert {path.name for path in FOLDER.iterdir()} == {*made, "README.md"}
    for name, content in made.items():
        assert (FOLDER / name).read_bytes() == content.encode(), name
        assert not set(content) & set(map(chr, (*range(9), *range(14, 32), *range(127, 160))))


def view_of(**more: Any) -> CaseView:
    """A case with this record."""
    prediction = Prediction.model_validate(record(**more))
    row = CaseRow(1, "case-1", 1, "q", "open", "high", 1, 0, 0, "f", "t", None, None, None)
    return CaseView(row, prediction, RUBRIC, False)


def papers(view: CaseView, width: int) -> list[Content]:
    """What comes from the record."""
    found = completeness(view.prediction.provenance)
    return [*case_document(view, width), *why_document(view, width), *provenance_document(found, width)]


def assert_fits(lines: list[Content], width: int) -> None:
    for one in lines:
        assert harm_in(one.plain) == [] and "\n" not in one.plain
        assert cell_len(one.plain) <= width, one.plain


@pytest.mark.parametrize("width", [36, 70, 110])
def test_every_text_in_every_place(width: int) -> None:
    for number in range(len(TEXTS)):
        assert_fits(papers(view_of(**planted(number, turning(TEXTS, number))), width), width)


def test_what_the_desk_says_of_others() -> None:
    for number in range(len(TEXTS)):
        say = turning(TEXTS, number)
        similar = [SimilarCase(1, say(), 0.5, "opposite", say(), "upheld", say(), (Difference(say(), say(), say()),)),
                   SimilarCase(2, say(), 0.5, None, None, None, say(), ())]  # fmt: skip
        history = [HistoryEntry(0, say(), say(), say())]
        assert_fits(similar_document(similar, False, 60), 60)
        assert_fits(history_document(history, 60), 60)


HUGE: dict[str, dict[str, Any]] = {
    "text": {"inputs": [{"name": "t", "kind": "text", "value": WORDS * 100_000}]},
    "word": {"inputs": [{"name": "t", "kind": "text", "value": "w" * 1_000_000}]},
    "wide letters": {"inputs": [{"name": "t", "kind": "text", "value": "審査" * 300_000}]},
    "marks": {"inputs": [{"name": "t", "kind": "text", "value": "e" + "\u0301" * 1_000_000}]},
    "lines": {"inputs": [{"name": "t", "kind": "text", "value": "\n" * 1_000_000}]},
    "escapes": {"inputs": [{"name": "t", "kind": "text", "value": "\x1b[" * 500_000}]},
    "object": {"inputs": [{"name": "t", "kind": "json", "value": {str(n): n for n in range(100_000)}}]},
    "turns": {"inputs": [{"name": "c", "kind": "chat", "value": [{"role": "user", "content": WORDS}] * 10_000}]},
    "one turn": {"inputs": [{"name": "c", "kind": "chat", "value": [{"role": "user", "content": WORDS * 9999}]}]},
    "inputs": {"inputs": [{"name": f"input {n}", "kind": "number", "value": n} for n in range(5000)]},
    "texts": {"inputs": [{"name": f"input {n}", "kind": "text", "value": WORDS * 9} for n in range(5000)]},
    "output": {"output": {"text": WORDS * 50_000}},
    "flags": {"flags": [{"code": f"f{n}", "detail": WORDS} for n in range(10_000)]},
    "entries": {"extra": {f"k{n}": WORDS for n in range(10_000)}},
    "explanations": {"explanations": [{"kind": "none", "reason": WORDS}] * 10_000},
    "items": {
        "explanations": [{"kind": "evidence", "items": [{"text": f"{n}"} for n in range(10_000)]}],
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_huge_cases_are_cut_and_say_so(name: str) -> None:
    view = view_of(**HUGE[name])
    for width in (40, 110):
        lines = papers(view, width)
        assert_fits(lines, width)
        assert len(lines) < MOST_LINES
        assert "more" in "\n".join(one.plain for one in lines if one.plain.strip().startswith("…"))


def shown(view: CaseView, draw: Callable[[CaseView, int], list[Content]] = case_document) -> str:
    """A paper as text."""
    return "\n".join(one.plain for one in draw(view, 110))


def test_what_is_left_out_is_counted() -> None:
    text = shown(view_of(inputs=[{"name": "t", "kind": "text", "value": "w" * (FIELD_LIMIT + 12_345)}]))
    assert "… 12,345 more characters; `secondlook show ID --json` prints all" in text
    text = shown(view_of(inputs=[{"name": "t", "kind": "text", "value": "w\n" * (FIELD_LINES + 100)}]))
    assert "… 201 more characters" in text
    assert "… 4,000 more inputs" in shown(view_of(**HUGE["inputs"]))
    assert "… 9,500 more turns" in shown(view_of(**HUGE["turns"]))


def test_the_gravest_flag_is_shown_however_many_there_are() -> None:
    flags = [{"code": f"f{n}", "severity": "low"} for n in range(500)] + [{"code": "worst", "severity": "critical"}]
    text = shown(view_of(flags=flags))
    assert "critical  worst" in text
    assert "… 451 more flags, none graver" in text


def test_objects_are_shown_whole() -> None:
    text = shown(view_of(inputs=[{"name": "j", "kind": "json", "value": {"a": {"b": ["x" * 100, 1.5, None]}}}]))
    assert "x" * 100 in text
    assert "null" in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"inputs": [{"name": "mo\u200bnth", "kind": "number", "value": 1}]}, "1 in inputs"),
        ({"inputs": [{"name": "n", "kind": "category", "value": "\u202ex"}]}, "1 in inputs"),
        ({"inputs": [{"name": "n", "kind": "json", "value": {"a\x1b": ["\x07"]}}]}, "2 in inputs"),
        ({"task": {"type": "binary", "labels": ["a\u200b", "b"]}}, "1 in the question"),
        ({"flags": [{"code": "f", "detail": "\x1b[2J"}]}, "1 in flags"),
        ({"output": {"label": "\u200ba", "text": "a\tb"}}, "1 in the output"),
        ({"explanations": [{"kind": "rule", "items": [{"feature": "\u2066a", "op": "=", "x": "\u2069"}]}]},
         "2 in explanations"),
        ({"provenance": {"model": {"na\x00me": "x"}}, "extra": {"a": "\ufeff"}, "domain": "\x9b"},
         "3 in the record, provenance"),
        ({"inputs": [{"name": "n", "value": "\x1b"}], "flags": [{"code": "\x1b"}]}, "2 in inputs, flags"),
    ],
)  # fmt: skip
def test_the_badge_says_where(more: dict[str, Any], said: str) -> None:
    assert shown(view_of(**more)).splitlines()[0] == f"▲ hidden characters: {said}"


def test_no_badge_without_hidden_characters() -> None:
    assert "hidden characters" not in shown(view_of(domain="größe 日本語", extra={"a": "b\tc\nd"}))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_huge_case_opens(tmp_path: Path, size: tuple[int, int]) -> None:
    root = tmp_path / "desk"
    make_hostile(root, ["\x1b[2J" * 100 + "審査" * 200], 4)
    async with seated(root, size=size, person="ada") as seat:
        await seat.press(*"cccc", "n")
        await seat.until(lambda: seat.shell.screen is seat.review)
        pane = seat.review.query_one("#case", DocPane)
        await seat.until(lambda: bool(pane.lines))
        await seat.until(lambda: "hidden characters" in pane.lines[0].plain)
        assert_fits(pane.lines, pane.size.width)
        await seat.press("space", "space", "w", "p", "y")
        assert harm_in(seat.text()) == []
        assert "◆ critical" in seat.text() and "lease" in seat.text()
