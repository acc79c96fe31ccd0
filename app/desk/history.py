"""A case's log entries in words, as far as the person who asks may read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from app.desk.aliases import aliases
from app.desk.eligibility import ANOTHER
from app.model.case import HistoryEntry
from db.audit import Entry
from db.reviews import BETWEEN_NOTES

# What people do who review a case, or look after those who do.
REVIEWING = frozenset(
    (
        *("claimed", "taken_over", "judged", "decided", "undone", "released", "expired", "skipped", "deferred"),
        *("parked", "flagged", "escalated", "recused", "disputed", "settled", "seized", "assigned"),
        *("unparked", "resumed", "notes_seen", "leak_masked"),
    )
)
# Entries that follow from the acts of several people; the actor is only the last of them.
_FOLLOWING = frozenset(("resumed", "disputed", "settled"))
# What an adjudicator is told of the acts of others, without who it was.
_OPENING = frozenset(("disputed", "escalated", "settled", "leak_masked"))
# What says that a person reported a leak.
LEAK_REPORTS = frozenset(("leak_reported", "leaks_dismissed"))
# What leads read among the notes on a case of which a leak was reported; the text is only in the list of reports.
REPORTED = "reported leak: `secondlook leak --list` shows it"
# Entries whose details count or name parts of the record, those that tell the model's answer among them.
TELLS_PARTS = frozenset(("leak_reported", "reveal_asked", "revealing"))


def without_others(entries: Iterable[Entry], person: str) -> list[Entry]:
    """The entries without what others did in reviewing, and without what follows from it."""
    return [entry for entry in entries if entry.action not in REVIEWING or _is_own(entry, person)]


def _is_own(entry: Entry, person: str) -> bool:
    """Whether this is the person's own act, and tells of no act of others."""
    data = _data(entry)
    if entry.action == "expired":
        return bool(data.get("holder") == person)
    by_itself = entry.action in _FOLLOWING or (entry.action == "parked" and "reason" in data)
    return entry.actor == person and not by_itself


def without_names(
    entries: Iterable[Entry], standing: Sequence[Any], person: str, notes: Mapping[tuple[str, str], str]
) -> list[HistoryEntry]:
    """A case of several reviews for somebody who may see what was said and not by whom, newest first.

    Others' reviews stand under the aliases that `peers` uses, all at the moment of the last one: when each was made,
    and in which order, would tell whose it is. `standing`: the reviews that were not taken back.
    """
    last = max((one for one in standing if one.stage == "review"), key=lambda one: one.seq, default=None)
    own = {one.review_id: one for one in standing if one.person == person}
    dated: list[tuple[int, HistoryEntry]] = []
    for entry in entries:
        if entry.action not in REVIEWING or _is_own(entry, person):
            dated.append((entry.seq, describe(entry, own, notes, lambda who: who if who == person else ANOTHER)))
        elif entry.action in _OPENING:
            dated.append((entry.seq, describe(entry, {}, notes, lambda _who: ANOTHER)))
    for review_id, alias in sorted(aliases(standing).items(), key=lambda pair: pair[1], reverse=True):
        one = next(review for review in standing if review.review_id == review_id)
        if one.person != person:
            when = last if one.stage == "review" and last is not None else one
            dated.append((when.seq, HistoryEntry(when.decided_at, alias, "decided", _outcome(one))))
    return [entry for _, entry in sorted(dated, key=lambda pair: -pair[0])]


def describe(
    entry: Entry,
    reviews: Mapping[str, Any],
    notes: Mapping[tuple[str, str], str],
    called: Callable[[str], str],
    hidden: bool = False,
) -> HistoryEntry:
    """One entry; `reviews` of the case by id, without those whose outcome may not be seen yet; `notes` that people
    wrote, by person and kind; `called` gives the name under which a person is shown; `hidden`: nothing is told of
    parts of the record that a first judgement must not see."""
    data = _data(entry)
    detail = ""
    match entry.action:
        case action if hidden and action in TELLS_PARTS:
            pass
        case "decided":
            review = reviews.get(str(data["review"]))
            detail = _outcome(review) if review else ""
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


def _outcome(review: Any) -> str:
    label = f" → {review.label}" if review.label else ""
    return f"{review.verdict}{label}{' (taken back)' if review.retracted_at else ''}"


def _data(entry: Entry) -> Mapping[str, Any]:
    data: Mapping[str, Any] = orjson.loads(entry.body)["data"]
    return data


def without_report(note: str) -> str:
    """A note without what stands for a report. That a report went to a lead tells that the case has copies, or stands
    elsewhere: who reported it is not told."""
    return BETWEEN_NOTES.join(part for part in note.split(BETWEEN_NOTES) if part != REPORTED)
