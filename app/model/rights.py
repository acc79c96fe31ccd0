"""Roles and rights: who may do what through the hub. One table; the tests are made from it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Role = Literal["intake", "labeler", "reviewer", "adjudicator", "responder", "officer", "lead", "auditor", "admin"]
ROLES: tuple[Role, ...] = (
    *("intake", "labeler", "reviewer", "adjudicator", "responder", "officer", "lead", "auditor", "admin"),
)

# look: queues, backlog, lists and cases · review: claim, draft, judge, decide, undo, skip, defer, flag, park
# manage: take over, re-assign, pause, see how people do
# unpark: put parked and deferred cases back · ingest: send predictions · verdicts: read what was decided
# reveal: ask for, approve and open sealed values · audit: read the log · tokens: make and revoke tokens
Right = Literal["look", "review", "manage", "unpark", "ingest", "verdicts", "reveal", "audit", "tokens"]
RIGHTS: tuple[Right, ...] = (
    *("look", "review", "manage", "unpark", "ingest", "verdicts", "reveal", "audit", "tokens"),
)

MAY: dict[Role, frozenset[Right]] = {
    "intake": frozenset(("ingest", "verdicts")),
    "labeler": frozenset(("look", "review")),
    "reviewer": frozenset(("look", "review")),
    "adjudicator": frozenset(("look", "review")),
    "responder": frozenset(("look", "review", "unpark", "verdicts")),
    "officer": frozenset(("look", "reveal")),
    "lead": frozenset(("look", "review", "manage", "unpark", "verdicts")),
    "auditor": frozenset(("look", "verdicts", "audit")),
    # Who manages tokens sees no case and opens no sealed value.
    "admin": frozenset(("tokens",)),
}
# Whose cases are whose: who reviews first, and who decides where reviewers differ.
REVIEWS_FIRST: frozenset[Role] = frozenset(("labeler", "reviewer", "responder", "lead"))
ADJUDICATES: frozenset[Role] = frozenset(("adjudicator", "lead"))
# Who sees names where reviewers do not see each other's.
SEES_NAMES: frozenset[Role] = frozenset(("lead", "auditor"))


def may(roles: Iterable[Role], right: Right) -> bool:
    """Whether any of the roles has the right."""
    return any(right in MAY[role] for role in roles)
