"""The demo: our own sample cases, and a walk through the whole loop without a screen."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from app.audit.verify import verify
from app.bundled import bundled
from app.desk.local import LocalDesk
from app.desk.open import open_local_desk
from app.export.dataset import export
from app.intake.admission import Admission
from app.intake.read import open_stream
from app.model.answers import asked
from app.model.case import Claim, Decision
from app.model.rubric import Criterion
from app.settings import Workspace
from db.engine import Store, open_store

SAMPLES = ("credit", "summaries", "moderation")
_DECISIONS = 4


def fill(workspace: Workspace, actor: str) -> dict[str, int]:
    """Admits the sample cases; returns how many by queue."""
    store = open_store(workspace.database_url)
    keys = workspace.keys()
    admitted = {}
    try:
        for queue in SAMPLES:
            stream = open_stream(str(bundled("samples") / f"{queue}.jsonl"))
            admission = Admission(store, keys, queue, workspace.policy(queue), actor)
            for _ in admission.run(stream.items, "sample"):
                pass
            admitted[queue] = admission.count.admitted
    finally:
        store.close()
    return admitted


def walk(workspace: Workspace, person: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """import → claim → decide → undo → export → verify, told step by step; returns what was done."""
    admitted = fill(workspace, person)
    tell(f"import   {sum(admitted.values())} cases: {', '.join(f'{n} {q}' for q, n in admitted.items())}")
    desk = open_local_desk(workspace, person)
    store = open_store(workspace.database_url)
    try:
        decided = {queue: _review(desk, queue, tell) for queue in SAMPLES}
        undone = _change_my_mind(desk, tell)
        files = [_export(workspace, store, queue, person, tell) for queue in SAMPLES]
        found = verify(store)
    finally:
        desk.close()
        store.close()
    tell(f"verify   {'whole' if found.ok else 'CHANGED'}: {found.entries} entries, {found.reviews} reviews")
    return {
        "workspace": str(workspace.root),
        "admitted": admitted,
        "decided": decided,
        "undone": undone,
        "exports": files,
        "verified": found.ok,
        "audit_head": found.head,
    }


def _review(desk: LocalDesk, queue: str, tell: Callable[[str], None]) -> int:
    for number in range(_DECISIONS):
        claim = desk.claim(queue)
        labels = claim.view.prediction.task.labels
        if claim.view.hidden:
            desk.judge(claim.lease, labels[number % len(labels)], 3)
        receipt = desk.decide(_decision(desk, claim, number))
        tell(f"decide   {receipt.id}: {receipt.verdict}{f' → {receipt.label}' if receipt.label else ''}")
    return _DECISIONS


def _change_my_mind(desk: LocalDesk, tell: Callable[[str], None]) -> str:
    claim = desk.undo()
    tell(f"undo     {claim.view.row.id}: the case and its answers are back")
    receipt = desk.decide(_decision(desk, claim, 0))
    tell(f"decide   {receipt.id}: {receipt.verdict}")
    return receipt.id


def _decision(desk: LocalDesk, claim: Claim, number: int) -> Decision:
    """Answers like a person in a hurry: one option each, and only what is asked."""
    view = desk.view(claim.lease.case_id)
    task, output, rubric = view.prediction.task, view.prediction.output, view.rubric
    answers: dict[str, Any] = {}
    while unanswered := asked(rubric, answers, task, output).missing:
        for criterion in unanswered:
            answers[criterion.id] = _answer(criterion, task.labels, number)
    return Decision(str(uuid.uuid4()), claim.lease.case_id, claim.lease.token, answers, seconds=12.0)


def _answer(criterion: Criterion, labels: list[str], number: int) -> Any:
    if criterion.kind == "text":
        return "The inputs do not support it; a sample answer of the demo."
    if criterion.kind == "number":
        return criterion.min or 0
    if criterion.kind == "text_span":
        return [{"start": 0, "end": 1}]
    offered = [option.id for option in criterion.choices(labels)]
    if criterion.kind == "label":
        return labels[number % len(labels)] if labels else "unknown"
    return int(offered[0]) if criterion.kind == "scale" else offered[number % len(offered)]


def _export(workspace: Workspace, store: Store, queue: str, person: str, tell: Callable[[str], None]) -> str:
    done = export(store, workspace.root / "export" / queue, queue, "parquet", person, time.time_ns() // 1_000_000)
    tell(f"export   {done.path}: {done.rows} corrections")
    return str(done.path)
