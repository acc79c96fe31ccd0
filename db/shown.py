"""Which one of a case and its copies a person sees.

Copies measure people (`db.controls`). To see a case and its copy at once would tell which is which, and the outcome of
the one what to answer for the other. So everybody sees one of them: the newest copy, in place of its original, once
that is settled; but who has reviewed the original, or an older copy, lately still sees what they know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata

_c = metadata.tables["cases"]
_controls = metadata.tables["controls"]
_reviews = metadata.tables["reviews"]
_any = Prepared(sa.select(_controls.c.case_id).limit(1))


class Seer(NamedTuple):
    """Who looks: a person, and by queue the moment since when a review is not old enough to be asked for again."""

    person: str
    since: Mapping[str, int]


def any_copy(connection: Connection) -> bool:
    """Whether there are copies at all."""
    return _any.first(connection, {}) is not None


def knows(copy: Any, person: Any, since: Any) -> sa.ColumnElement[bool]:
    """Whether a person has reviewed what a copy (a row of `controls`) is one of, or an older copy, since a moment."""
    older = _controls.alias()
    before = sa.select(older.c.case_id).where(older.c.of_case == copy.c.of_case, older.c.at < copy.c.at)
    reviewed = sa.select(sa.literal(1)).where(
        _reviews.c.person == person,
        _reviews.c.decided_at > since,
        sa.or_(_reviews.c.case_id == copy.c.of_case, _reviews.c.case_id.in_(before)),
    )
    return reviewed.exists()


def hidden(seer: Seer, roots: Iterable[int] | None = None) -> sa.Select[Any]:
    """The numbers of the cases that a person does not see; `roots`: only among these originals and their copies."""
    copy, case = _controls.alias("copy"), _c.alias("copied")
    moments = sa.case(*((case.c.queue == name, at) for name, at in seer.since.items()), else_=0) if seer.since else 0
    known = knows(copy, seer.person, moments)
    columns = (copy.c.case_id, copy.c.of_case, copy.c.at, known.label("known"))
    found = sa.select(*columns).join(case, case.c.case_id == copy.c.case_id)
    if roots is not None:
        found = found.where(copy.c.of_case.in_(list(roots)))
    copies = found.cte("copies")
    newer = copies.alias("newer")
    replaced = sa.select(sa.literal(1)).where(
        newer.c.of_case == copies.c.of_case, newer.c.at > copies.c.at, ~newer.c.known
    )
    held = (_c.c.state == "leased") & (_c.c.lease_owner == seer.person)
    originals = sa.select(_c.c.case_id).join(copies, copies.c.of_case == _c.c.case_id)
    others = sa.select(_c.c.case_id).join(copies, copies.c.case_id == _c.c.case_id)
    both = sa.union(
        originals.where(_c.c.state == "settled", ~copies.c.known),
        others.where(sa.or_(copies.c.known, replaced.exists()), ~held),
    ).subquery("hidden")
    return sa.select(both.c.case_id)


def hidden_among(connection: Connection, seer: Seer, case_ids: Iterable[int]) -> set[int]:
    """Those of these cases that a person does not see."""
    asked = set(case_ids)
    if not asked or not any_copy(connection):
        return set()
    wanted = list(asked)
    concerned = sa.or_(_controls.c.case_id.in_(wanted), _controls.c.of_case.in_(wanted))
    roots = set(connection.execute(sa.select(_controls.c.of_case).where(concerned)).scalars())
    return asked & set(connection.execute(hidden(seer, roots)).scalars()) if roots else set()
