"""Cases as JSON and as plain lines, for the line mode."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson

from app.cli.output import iso, minutes, say
from app.model.case import CaseRow, CaseView, Claim
from app.model.chat import read_turn
from app.model.prediction import Input
from app.model.provenance import completeness
from app.model.rubric import Criterion, Rubric

_WIDTH = 96
"""Characters of a line in which an explanation is written."""


def row_json(row: CaseRow) -> dict[str, Any]:
    """A line of the inbox."""
    return {
        "id": row.id,
        "revision": row.revision,
        "queue": row.queue,
        "state": row.state,
        "stage": row.stage,
        "severity": row.severity,
        "priority": row.priority,
        "due_at": iso(row.due_at),
        "admitted_at": iso(row.admitted_at),
        "flag": row.flag or None,
        "title": row.title,
        "holder": row.holder,
        "until": iso(row.wake_at),
        "verdict": row.verdict,
        "note": row.note,
    }


def standing(row: CaseRow) -> str:
    """Its verdict, or where it is."""
    return row.verdict or ("to adjudicate" if row.state == "open" and row.stage == "adjudication" else row.state)


def view_json(view: CaseView) -> dict[str, Any]:
    """A case as this person may see it now; `hidden` says that the model's answer is withheld."""
    found = completeness(view.prediction.provenance)
    return {
        **row_json(view.row),
        "hidden": view.hidden,
        "masked_after_decision": iso(view.masked_after),
        "provenance": {
            "present": found.count("present"),
            "applicable": found.applicable,
            "score": None if found.score is None else round(found.score, 3),
        },
        "warnings": [asdict(warning) for warning in view.warnings],
        "prediction": view.prediction.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def claim_json(claim: Claim) -> dict[str, Any]:
    """What `next` prints."""
    view = claim.view
    return {
        "id": view.row.id,
        "queue": view.row.queue,
        "lease": {"token": claim.lease.token, "until": iso(claim.lease.until)},
        "case": view_json(view),
        "rubric": rubric_json(view.rubric, view.prediction.task.labels),
        "draft": dict(claim.draft.answers),
    }


def rubric_json(rubric: Rubric, labels: list[str]) -> dict[str, Any]:
    """A rubric with the options that this case offers."""
    return {
        "id": rubric.id,
        "version": rubric.version,
        "hash": rubric.hash,
        "title": rubric.title,
        "criteria": [_criterion_json(criterion, labels) for criterion in rubric.criteria],
    }


def _criterion_json(criterion: Criterion, labels: list[str]) -> dict[str, Any]:
    options = criterion.choices(labels)
    found: dict[str, Any] = {
        "id": criterion.id,
        "kind": criterion.kind,
        "title": criterion.title,
        "required": criterion.required,
        "options": [int(o.id) if criterion.kind == "scale" else o.id for o in options],
        "when": criterion.when or None,
        "guidance": criterion.guidance or None,
        "anchors": {o.id: o.anchor for o in options if o.anchor} or None,
        "role": criterion.role,
        "min": criterion.min,
        "max": criterion.max,
        "min_length": criterion.min_length or None,
        "text": criterion.text if criterion.kind == "text_span" else None,
        "format": criterion.format if criterion.format != "plain" else None,
        "begin": criterion.begin or None,
    }
    always = {"id", "kind", "required", "options"}
    return {key: value for key, value in found.items() if value is not None or key in always}


def print_view(view: CaseView, now: int) -> None:
    """A case in lines: what is judged first, then what helps, then what proves."""
    row, prediction = view.row, view.prediction
    due = f"due in {minutes(row.due_at - now)}" if row.due_at > now else f"overdue by {minutes(row.due_at - now)}"
    held = f" by {row.holder}" if row.holder else ""
    say(f"{row.id}  {row.queue}  {row.severity or '—'}  {due}  {standing(row)}{held}")
    if view.masked_after is not None:
        say(f"masked:   a reported leak, after the decision ({iso(view.masked_after)})")
    if prediction.task.question:
        say(f"question: {prediction.task.question}")
    for flag in prediction.flags or ():
        say(f"flagged:  {flag.code} ({flag.severity}){f': {flag.detail}' if flag.detail else ''}")
    say()
    for item in prediction.inputs:
        if item.kind == "chat" and isinstance(item.value, list):
            _print_chat(item)
        else:
            say(f"  {item.name}: {f'[withheld: {item.withheld}]' if item.withheld else _short(item.value)}")
    for attribute in prediction.sensitive or ():
        say(f"  {attribute.name}: [withheld]")
    say()
    _print_output(view)
    found = completeness(prediction.provenance)
    say(f"provenance: {found.count('present')} of {found.applicable} present")


def _print_chat(item: Input) -> None:
    say(f"  {item.name}:")
    for turn in map(read_turn, item.value):
        if turn.said or not turn.calls:
            say(f"    {turn.speaker or '?'}: {_short(turn.said)}")
        for call in turn.calls:
            say(f"    {turn.speaker} calls {call.name}: {_short(call.arguments)}")


def _print_output(view: CaseView) -> None:
    output = view.prediction.output
    if view.hidden:
        say("model: hidden until you have judged (`secondlook judge ID --label L --confidence 1-5`)")
    elif output.label is not None or output.score is not None:
        say(f"model: {output.label or '—'}{'' if output.score is None else f' {output.score:.2f}'}")
    if output.text:
        say(f"output: {output.text}")
    if view.prediction.explanations:
        _print_explanations(view)


def _print_explanations(view: CaseView) -> None:
    """Each explanation between its badges and what was not checked."""
    from screens.widgets.explanations import badge_lines, note_lines, render, title
    from screens.widgets.explanations.badges import of_explanation

    warnings = view.warnings
    for number, explanation in enumerate(view.prediction.explanations or ()):
        mine = of_explanation(warnings, number)
        say(f"why ({title(explanation)}):")
        drawn = render(explanation, view.prediction, _WIDTH)
        for content in (*badge_lines(mine, _WIDTH), *drawn, *note_lines(mine, _WIDTH)):
            say(f"  {content.plain}")


def print_rubric(rubric: Rubric, labels: list[str]) -> None:
    """The questions in lines."""
    say()
    say(f"{rubric.title}, version {rubric.version}")
    for criterion in rubric.criteria:
        options = " | ".join(option.id for option in criterion.choices(labels)) or _written(criterion)
        when = f"  (when {criterion.when})" if criterion.when else ""
        say(f"  {criterion.id}{' *' if criterion.required else ''}  {criterion.title}  {options}{when}")


def _written(criterion: Criterion) -> str:
    return f"<{criterion.kind}{', JSON' if criterion.format == 'json' else ''}>"


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 2000 else text[:2000] + f"… ({len(text):,} characters)"
