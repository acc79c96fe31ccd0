"""The corpus planted: in every place of a prediction, in rubrics, names, notes and answers of a workspace."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson

from tests.builders import FIXTURES

Record = dict[str, Any]
Say = Callable[[], str]
FOLDER = FIXTURES / "hostile"


@dataclass(frozen=True, slots=True)
class Text:
    """One text of the corpus."""

    name: str
    kind: str
    text: str


def corpus() -> list[Text]:
    """Every text."""
    return [Text(**json.loads(line)) for line in (FOLDER / "texts.jsonl").read_text().splitlines()]


def storable() -> list[str]:
    """The texts; the longest ones cut, so that many of them go into one record."""
    return [found.text[:400] for found in corpus()]


def harm_in(text: str) -> list[str]:
    """What in a text could act or hide: controls but the newline, format characters, separators of lines."""
    return [
        f"U+{ord(char):04X}"
        for char in text
        if char != "\n"
        and (
            unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
            or 0xFE00 <= ord(char) <= 0xFE0F
            or 0xE0000 <= ord(char) <= 0xE0FFF
        )
    ]


def turning(texts: list[str], start: int = 0) -> Say:
    """The texts one after the other, again and again, from a place on."""
    numbers = count(start)
    return lambda: texts[next(numbers) % len(texts)]


def bundled(texts: list[str], size: int) -> list[str]:
    """Several texts in one, by so many; each text also stands first somewhere, so that it is not cut off."""
    doubled = [*texts, *texts]
    return [" ".join(doubled[at : at + size]) for at in range(len(texts))]


def planted(number: int, say: Say) -> Record:
    """A valid prediction with a text of `say` in every place that takes one."""
    long = " ".join(say() for _ in range(8))
    return {
        "id": f"{number:03} {say()}"[:200],
        "request_id": say(),
        "created_at": say(),
        "domain": say(),
        "subject": f"<{say()}>",
        "task": {"type": "multiclass", "labels": _labels(say), "positive": say(), "question": say(), say(): say()},
        "inputs": list(_inputs(say, long)),
        "output": {
            "label": say(),
            "score": 0.7,
            "threshold": 0.5,
            "scores": {say(): 0.2, say(): 0.3},
            "text": long,
            "baseline": say(),
        },
        "flags": [{"code": (say() or "x")[:200], "severity": "critical", "detail": say()} for _ in range(2)],
        "sampling": {"reason": say(), "probability": 0.5},
        "explanations": list(_explanations(say, long)),
        "provenance": _provenance(say),
        "extra": {say(): say(), say(): [say(), {say(): say()}]},
        f"unknown {say()}": say(),
    }


def _labels(say: Say) -> list[str]:
    """More than nine labels, so that they are chosen from a list."""
    return list(dict.fromkeys(f"{n} {say()}" for n in range(11)))


def _inputs(say: Say, long: str) -> Iterator[Record]:
    for kind in ("category", "number", "reference"):
        yield {"name": f"{kind} {say()}"[:300], "kind": kind, "value": say()[:50], "role": say()}
        yield {"name": f"{kind} 2 {say()}"[:300], "kind": kind, "value": say() + long}
    yield {"name": f"text {say()}"[:300], "kind": "text", "value": long, "role": say()}
    yield {
        "name": f"chat {say()}"[:300],
        "kind": "chat",
        "value": [{"role": say(), "content": say(), say(): say()}, {"author": say(), "text": say()}, say()],
    }
    yield {"name": f"json {say()}"[:300], "kind": "json", "value": {say(): say(), "deep": [{say(): [say()]}]}}


def _explanations(say: Say, long: str) -> Iterator[Record]:
    def head(kind: str) -> Record:
        return {
            "kind": kind,
            "method": say(),
            "method_version": say(),
            "explains": {"model": say(), "version": say()},
            "target": {"label": say(), "input": "output.text"},
            "fidelity": "surrogate",
            "fidelity_score": {"name": say(), "value": 0.3},
        }

    span = {"start": 1, "end": min(20, len(long)), "text": long[1:20]}
    lost = {"text": say(), "contribution": -0.2, "start": 1, "end": 3}
    source = {"uri": say(), "digest": say(), "text": say()}
    change = {"feature": say(), "from": say(), "to": say()}
    yield from (
        {"items": [{"feature": say(), "value": say(), "contribution": 0.5},
                   {"feature": [say(), say()], "value": {say(): say()}, "contribution": -0.4}],
         **head("attribution")},
        {"items": [span | {"contribution": 0.5}, lost], **head("text_span")},
        {"items": [{"x": 1, "y": 2, "label": say(), "contribution": 0.2}], **head("image_region")},
        {"items": [{"changes": [change, change], "output": {"label": say()}, "distance": say()}],
         "immutable": [say()], **head("counterfactual")},
        {"items": [{"ref": say(), "role": say(), "label": say(), "values": {say(): say(), say(): [say()]}}],
         **head("example")},
        {"items": [{"feature": say(), "op": say(), "value": say()}], **head("rule")},
        {"items": [span | {"label": say(), "source": source, "rater": say()}, lost | {"label": say()}],
         **head("evidence")},
        {"items": [{"step": say(), "name": say(), "status": say(), "arguments": {say(): say()}, "risk": [say()]},
                   {"name": say(), "arguments": say(), "risk": [say(), say()]}, {"name": say(), "arguments": [say()]}],
         **head("trace")},
        {"text": say(), "items": [say(), {say(): say()}], **head("text")},
        {"reason": say(), **head("none")},
    )  # fmt: skip


def _provenance(say: Say) -> Record:
    return {
        "model": {"name": say(), "version": say(), "artifact_digest": say(), say(): say()},
        "code": {"repo": say(), "commit": say()},
        "runtime": {"image_digest": say()},
        "data": {"uri": say(), "snapshot_digest": say()},
        "hyperparameters": {say(): say()},
        "evaluation": {"report_uri": say()},
        "approval": {"approver": say(), "approved_at": say()},
        "model_card_uri": say(),
        "not_applicable": {"features.version": say(), say(): say()},
    }


def hostile_rubric(say: Say) -> str:
    """A rubric in TOML that says hostile things wherever it says anything."""

    def quoted(text: str) -> str:
        return '"' + "".join(f"\\U{ord(char):08x}" for char in text or "x") + '"'

    options = ", ".join(
        f'{{ id = "o{n}", title = {quoted(say())}, anchor = {quoted(say())}, score = 0.5 }}' for n in range(3)
    )
    head = f'id = "hostile"\nversion = {quoted(say()[:40])}\ntitle = {quoted(say())}\nguidance = {quoted(say())}\n'
    criteria = (
        f'id = "choice"\nkind = "choice"\noptions = [{options}]',
        'id = "spans"\nkind = "text_span"\ntext = "output.text"\nrequired = false',
        'id = "label"\nkind = "label"',
        'id = "better"\nkind = "text"\nrole = "correction"\nrequired = false',
    )
    return head + "".join(
        f"\n[[criteria]]\n{lines}\ntitle = {quoted(say())}\nguidance = {quoted(say())}\n" for lines in criteria
    )


def documents() -> list[tuple[str, str, bytes]]:
    """Name, `refused` or `kept`, and the bytes of each JSON document."""
    import base64

    rows = [orjson.loads(line) for line in (FOLDER / "documents.jsonl").read_bytes().splitlines()]
    return [(row["name"], row["expect"], base64.b64decode(row["base64"])) for row in rows]


def write_records(path: Path, records: list[Record]) -> None:
    """Records as a JSONL file."""
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
