"""Reviewing with keys alone: answers, first judgement, submit, undo, and every other way out of a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from app.audit.verify import verify
from app.cli import main
from app.cli.workspace import make_workspace
from app.model.case import Filter
from db.engine import open_store
from tests.builders import record
from tests.screens.seat import Seat, copy_of, seated


async def _answer_summary(seat: Seat) -> None:
    """`no error`, `faithful`: the shortest way through the summaries' rubric."""
    await seat.press("1", "1")


async def test_two_digits_and_enter_settle_a_case(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await _answer_summary(seat)
        await seat.press("enter")
        second = await seat.next_after(first)
        await seat.until(lambda: seat.shows(first, "upheld", "u to undo", second))
    store = open_store(seat.workspace.database_url)
    assert verify(store).ok
    store.close()


async def test_enter_says_what_is_missing_and_goes_there(root: Path) -> None:
    async with seated(root) as seat:
        await seat.take_next("summaries")
        await seat.press("1", "enter")
        await seat.until(lambda: seat.shows("still to answer", "Is the summary faithful"))
        await seat.press("1")
        assert seat.review.form.missing() == []


async def test_what_is_missing_is_said_until_nothing_is(root: Path) -> None:
    async with seated(root) as seat:
        await seat.take_next("summaries")
        await seat.press("2", "enter")
        await seat.until(lambda: seat.shows("still to answer: Harm if somebody relied on it, Is the summary faithful?"))
        await seat.press("4")
        await seat.until(lambda: seat.shows("still to answer: Is the summary faithful?"))
        await seat.press("1")
        await seat.until(lambda: not seat.shows("still to answer"))


async def test_an_overturned_case_asks_for_a_reason_and_typing_is_no_command(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("2", "4", "2")
        await seat.until(lambda: seat.writing)
        await seat.type("said so: quite wrong")
        assert seat.case == first
        await seat.press("enter")
        await seat.next_after(first)
        desk = seat.other_desk("ada")
        assert desk.view(desk.find(first)).row.verdict == "overturned"
        desk.close()


async def test_an_empty_required_text_keeps_the_keys(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("2", "4", "2")
        await seat.until(lambda: seat.writing)
        await seat.press("enter")
        await seat.until(lambda: seat.shows("an answer is required"))
        assert seat.writing
        await seat.type("sudx")
        assert seat.case == first


async def test_the_models_answer_is_hidden_until_judged(root: Path) -> None:
    async with seated(root) as seat:
        case = await seat.take_next("credit")
        prediction = _record(seat, case)
        assert seat.shows("hidden until you have judged")
        assert "score" not in seat.text()
        await seat.press("2", "4")
        await seat.until(lambda: seat.shows("score", f"{prediction['output']['score']:.2f}"))
        assert seat.review.form.answers["label"] == "decline"


async def test_whether_the_judgement_moved_is_kept(root: Path) -> None:
    async with seated(root) as seat:
        case = await seat.take_next("credit")
        label = _record(seat, case)["output"]["label"]
        mine, models = ("1", "2") if label == "decline" else ("2", "1")
        await seat.press(mine, "3")
        await seat.until(lambda: not seat.review.form.hidden)
        await seat.press("1")
        label_field = seat.review.form.field("label")
        assert label_field is not None
        label_field.focus()
        await seat.press(models)
        assert seat.review.form.answers["label"] == label
        await seat.press("enter")
        await seat.until(lambda: seat.shows("you left your first judgement"))


async def test_undo_brings_the_case_and_the_answers_back(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await _answer_summary(seat)
        await seat.press("enter")
        second = await seat.next_after(first)
        await seat.press("u")
        await seat.until(lambda: seat.case == first and not seat.review._busy)
        assert seat.review.form.answers == {"error": "none", "label": "faithful"} or seat.review.form.missing() == []
        desk = seat.other_desk("ada")
        assert desk.view(desk.find(first)).row.verdict is None
        assert desk.view(desk.find(second)).row.state == "open"
        desk.close()


async def test_a_draft_survives_leaving_and_coming_back(root: Path) -> None:
    async with seated(root) as seat:
        case = await seat.take_next("summaries")
        await seat.press("2", "4")
        answers = dict(seat.review.form.answers)
        await seat.press("escape")
        await seat.until(lambda: seat.shell.screen is not seat.review)
    async with seated(root) as seat:
        assert await seat.take_next("summaries") == case
        assert seat.review.form.answers == answers


async def test_drafts_are_saved_while_one_answers(root: Path) -> None:
    async with seated(root) as seat:
        case = await seat.take_next("summaries")
        await seat.press("2", "4")
        desk = seat.other_desk("ada")
        case_id = desk.find(case)
        await seat.until(lambda: bool(desk.claim_case(case_id, take_over=True).draft.answers))
        desk.close()


async def test_skip_gives_the_next_case_and_not_the_same_again(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("s")
        second = await seat.next_after(first)
        await seat.press("escape")
        await seat.until(lambda: seat.shell.screen is not seat.review)
        await seat.press("n")
        await seat.until(lambda: seat.shell.screen is seat.review)
        assert seat.case == second


async def test_defer_takes_the_case_out_for_a_while(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("d")
        await seat.until(lambda: seat.shows("Defer this case", "1 hour"))
        await seat.press("2")
        await seat.next_after(first)
        desk = seat.other_desk("ada")
        assert desk.view(desk.find(first)).row.state == "deferred"
        desk.close()


async def test_park_needs_a_reason(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("x")
        await seat.until(lambda: seat.shows("Park this case"))
        await seat.press("enter")
        await seat.until(lambda: seat.shows("write something"))
        await seat.type("article is gone")
        await seat.press("enter")
        await seat.next_after(first)
        desk = seat.other_desk("ada")
        row = desk.view(desk.find(first)).row
        assert (row.state, row.note) == ("parked", "article is gone")
        desk.close()


async def test_flag_leaves_a_note_and_the_case_stays(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("f")
        await seat.type("look at the source")
        await seat.press("enter")
        await seat.until(lambda: seat.shows("flagged for the lead"))
        assert seat.case == first
        await seat.press("y")
        await seat.until(lambda: seat.shows("look at the source"))


async def test_papers_turn(root: Path) -> None:
    async with seated(root) as seat:
        await seat.take_next("summaries")
        await seat.press("p")
        await seat.until(lambda: seat.shows("by weight", "model.name"))
        await seat.press("m")
        await seat.until(lambda: seat.shows("▸Similar") and seat.shows("%"))
        await seat.press("right_square_bracket")
        await seat.until(lambda: seat.shows("▸Provenance"))


async def test_below_100_columns_the_papers_are_tabs(root: Path) -> None:
    async with seated(root, (80, 24)) as seat:
        await seat.take_next("summaries")
        await seat.until(lambda: seat.shows("▸Case", "Output", "Worst error"))
        await seat.press("w")
        await seat.until(lambda: seat.shows("▸Why"))
        assert "Output" not in seat.text()
        await seat.press("c")
        await seat.until(lambda: seat.shows("▸Case", "Output"))


async def test_words_are_marked_with_keys(root: Path) -> None:
    async with seated(root) as seat:
        await seat.take_next("summaries")
        await seat.press("3", "k", "k", "j")
        field = next(f for f in seat.review.form.fields if f.criterion.kind == "text_span")
        field.focus()
        await seat.press("space")
        await seat.until(lambda: seat.shows("enter keeps"))
        await seat.press("l", "space", "l", "l", "space", "enter")
        await seat.until(lambda: seat.shell.screen is seat.review)
        spans = seat.review.form.answers[field.criterion.id]
        view = seat.review._working.view if seat.review._working else None
        assert view is not None
        text = view.prediction.output.text or ""
        assert spans == [{"start": spans[0]["start"], "end": spans[0]["end"], "text": spans[0]["text"]}]
        assert text[spans[0]["start"] : spans[0]["end"]] == spans[0]["text"] == " ".join(text.split()[1:4])


async def test_a_lease_that_ran_out_makes_the_screen_read_only(template: Path, tmp_path: Path) -> None:
    root = copy_of(template, tmp_path / "desk")
    settings = root / "secondlook.toml"
    settings.write_text(settings.read_text().replace("[queues.summaries]", "[queues.summaries]\nlease_minutes = 0.001"))
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await seat.press("2")
        seat.review._tick()
        await seat.until(lambda: seat.shows("lease lost"))
        await seat.press("enter")
        assert seat.case == first
        desk = seat.other_desk("ada")
        assert desk.view(desk.find(first)).row.verdict is None
        desk.close()


async def test_taken_over_in_another_terminal_nothing_is_decided_here(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await _answer_summary(seat)
        other = seat.other_desk("ada")
        other.claim_case(other.find(first), take_over=True)
        await seat.press("enter")
        await seat.until(lambda: seat.shows("lease lost"))
        assert other.view(other.find(first)).row.verdict is None
        assert seat.review.form.answers != {}
        other.close()


async def test_quitting_gives_the_case_back_and_says_what_was_done(root: Path) -> None:
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        await _answer_summary(seat)
        await seat.press("enter")
        second = await seat.next_after(first)
        await seat.press("ctrl+q")
        await seat.until(lambda: not seat.shell.is_running or bool(seat.shell.farewell))
    assert seat.shell.farewell[0].startswith("Cases decided: 1,")
    desk = seat.other_desk("ada")
    assert desk.view(desk.find(second)).row.state == "open"
    assert len(desk.ids(Filter(state="leased"))) == 0
    desk.close()


async def test_when_the_queue_ends_the_inbox_comes_back_with_the_reason(root: Path) -> None:
    async with seated(root) as seat:
        other = seat.other_desk("ben")
        for _ in range(23):
            other.claim("summaries")
        first = await seat.take_next("summaries")
        await _answer_summary(seat)
        await seat.press("enter")
        await seat.until(lambda: seat.shell.screen is not seat.review)
        await seat.until(lambda: seat.shows("held by others"))
        assert other.view(other.find(first)).row.state == "settled"
        other.close()


@pytest.mark.parametrize("size", [(40, 12), (59, 20), (60, 20), (80, 24), (99, 30), (100, 30), (160, 45), (200, 50)])
async def test_a_case_can_be_decided_at_every_size(root: Path, size: tuple[int, int]) -> None:
    async with seated(root, size) as seat:
        first = await seat.take_next("summaries")
        await _answer_summary(seat)
        await seat.press("enter")
        await seat.next_after(first)


async def test_help_speaks_of_the_focused_part(root: Path) -> None:
    async with seated(root) as seat:
        await seat.press("question_mark")
        await seat.until(lambda: seat.shows("The inbox.", "list.down"))
        await seat.press("escape")
        await seat.take_next("summaries")
        await seat.press("question_mark")
        await seat.until(lambda: seat.shows("A case.", "case.skip"))


async def test_keys_can_be_remapped(template: Path, tmp_path: Path) -> None:
    root = copy_of(template, tmp_path / "desk")
    settings = root / "secondlook.toml"
    settings.write_text(settings.read_text().replace("[desk.keys]", '[desk.keys]\n"case.skip" = "Z"'))
    async with seated(root) as seat:
        first = await seat.take_next("summaries")
        assert seat.shows("Z skip")
        await seat.press("s")
        assert seat.case == first
        await seat.press("Z")
        await seat.next_after(first)


def _record(seat: Seat, case: str) -> dict[str, Any]:
    """The stored record of a case, past the desk."""
    import orjson

    store = open_store(seat.workspace.database_url)
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT record FROM case_records").scalars().all()
    store.close()
    found: dict[str, Any] = next(r for r in map(orjson.loads, rows) if r["id"] == case)
    return found


async def test_a_contradiction_is_in_sight_on_every_paper(tmp_path: Path) -> None:
    root = tmp_path / "desk"
    make_workspace(root)
    output = {"label": "hallucinated", "score": 0.97, "text": "It will rain."}
    target = {"label": "hallucinated", "space": "logit"}
    items = [{"feature": "length", "value": 3, "contribution": -1.5}]
    opposite = {"kind": "attribution", "target": target, "base_value": 0.1, "output_value": -1.4, "items": items}
    made = record(
        id="opposite",
        task={"type": "generation", "labels": ["faithful", "hallucinated"], "positive": "hallucinated"},
        output=output,
        explanations=[{"kind": "text", "text": "because " * 400}, opposite],
    )
    path = root.parent / "in.jsonl"
    path.write_bytes(orjson.dumps(made))
    assert main(["--workspace", str(root), "import", str(path), "--queue", "summaries"]) == 0
    async with seated(root, (80, 24)) as seat:
        assert await seat.take_next("summaries") == "opposite"
        await seat.until(lambda: seat.shows("Why ◆"))
        await seat.press("w")
        await seat.until(lambda: seat.shows("◆ critical", "attribution below: contradicts the score"))
