"""A case's log entries in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from app.model.case import HistoryEntry
from db.audit import Entry
from db.reviews import BETWEEN_NOTES

# What people do who review a case.
REVIEWING = frozenset(
    (
        *("claimed", "taken_over", "judged", "decided", "undone", "released", "expired", "skipped", "deferred"),
        *("parked", "flagged", "escalated", "recused", "disputed", "settled", "seized", "assigned"),
    )
)
# What says that a person reported a leak.
LEAK_REPORTS = frozenset(("leak_reported", "leaks_dismissed"))
# Of these what the program notes when somebody acts on a case, or when their claim finds a lease that is over. It is
# no act of theirs, and tells what others did or said.
NOTED_ALONG = frozenset(("disputed", "expired"))
# What leads read among the notes on a case of which a leak was reported; the text is only in the list of reports.
REPORTED = "reported leak: `secondlook leak --list` shows it"
# Entries whose details count or name parts of the record, those that tell the model's answer among them.
TELLS_PARTS = frozenset(("leak_reported", "reveal_asked", "revealing"))


def describe(
    entry: Entry, reviews: dict[str, Any], notes: dict[tuple[str, str], str], called: Callable[[str], str]
) -> HistoryEntry:
    """One entry; `reviews` of the case by id, empty where their outcome may not be seen yet; `notes` that people
    wrote, by person and kind; `called` gives the name under which a person is shown."""
    data = orjson.loads(entry.body)["data"]
    detail = ""
    match entry.action:
        case "decided":
            review = reviews.get(data["review"])
            if review:
                label = f" → {review.label}" if review.label else ""
                taken_back = " (taken back)" if review.retracted_at else ""
                detail = f"{review.verdict}{label}{taken_back}"
        case "parked":
            detail = str(data.get("reason") or notes.get((entry.actor, "park"), ""))
        case "flagged":
            detail = notes.get((entry.actor, "flag"), "")
        case "escalated":
            detail = notes.get((entry.actor, "escalate"), "")
        case "recused":
            detail = notes.get((entry.actor, "conflict"), "conflict of interest")
        case "assigned" | "seized":
            detail = notes.get((entry.actor, "assign"), "")
        case "disputed":
            detail = f"{data.get('reviews')} reviews differ; an adjudicator decides"
        case "settled":
            detail = f"{data.get('reviewers')} reviewers, {float(data['agreement']):.0%} agree"
        case "reveal_asked" | "revealing":
            detail = str(data.get("fields", ""))
        case "leak_masked" if data.get("after"):
            detail = "after the decision"
        case "expired":
            detail = f"was held by {called(str(data.get('holder')))}"
        case "retried":
            detail = f"admitted as revision {data.get('revision')}"
    return HistoryEntry(entry.at, called(entry.actor), entry.action.replace("_", " "), detail)


def without_report(note: str) -> str:
    """A note without what stands for a report. That a report went to a lead tells that the case has copies, or stands
    elsewhere: who reported it is not told."""
    return BETWEEN_NOTES.join(part for part in note.split(BETWEEN_NOTES) if part != REPORTED)
