"""Why there is nothing to do, in words."""

from __future__ import annotations

from collections.abc import Collection

from app.desk.eligibility import said_paused
from db import leases, lists, offers
from db.engine import Connection


def why_nothing(
    connection: Connection,
    queues: list[str],
    person: str,
    now: int,
    tagless: list[str],
    hidden: Collection[int] = (),
) -> str:
    """One sentence a reason: finished, paused, leased by others, for others, deferred, parked, skipped.

    `tagless`: queues of which this person lacks a tag; `hidden`: the numbers of the cases that they do not see.
    """
    counts: dict[str, int] = {}
    for row in lists.backlog(connection, now, hidden):
        if row.queue in queues:
            counts[row.state] = counts.get(row.state, 0) + row.n
    where = f"'{queues[0]}'" if len(queues) == 1 else "your queues"
    if not counts:
        return (
            f"There are no cases in {where} yet. `secondlook import FILE --queue {(*queues, 'Q')[0]}` brings some in."
        )
    reasons = [said_paused(pause.queue, pause.reason) for pause in offers.pauses(connection) if pause.queue in queues]
    if tagless:
        reasons.append(f"you lack a tag for {', '.join(tagless)}")
    open_cases = counts.get("open", 0)
    if open_cases:
        skipped = leases.count_skipped(connection, queues, person)
        if skipped:
            reasons.append(f"{skipped} skipped by you (`secondlook unskip` offers them again)")
        if open_cases > skipped and not reasons:
            reasons.append(
                f"{open_cases - skipped} for somebody else: another reviewer, an adjudicator, or people with other tags"
            )
    if counts.get("leased"):
        mine = leases.count_held(connection, queues, person)
        soonest = leases.next_wake(connection, queues, "leased", besides=person)
        if counts["leased"] > mine:
            reasons.append(f"{counts['leased'] - mine} held by others{_in_minutes(soonest, now)}")
        if mine:
            reasons.append(f"{mine} held by you already")
    if counts.get("deferred"):
        soonest = leases.next_wake(connection, queues, "deferred")
        reasons.append(f"{counts['deferred']} deferred{_in_minutes(soonest, now)}")
    if counts.get("parked"):
        reasons.append(f"{counts['parked']} parked for the lead")
    if not reasons:
        return f"Everything in {where} is decided: {counts.get('settled', 0)} cases settled."
    return f"No case of {where} can be given out now: {', '.join(reasons)}."


def _in_minutes(moment: int | None, now: int) -> str:
    return "" if moment is None else f" (the first comes back in {max(1, round((moment - now) / 60_000))} min)"
