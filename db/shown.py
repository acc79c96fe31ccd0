"""Which one of a case and its copies a person sees.

Copies measure people (`db.controls`). To see a case and its copy at once would tell which is which, and the outcome of
the one what to answer for the other. So everybody sees one of them: the newest copy, in place of its original, once
that is settled; but who has reviewed the original, or an older copy, lately still sees what they know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.prepared import Prepared
from db.tables import metadata

_c = metadata.tables["cases"]
_controls = metadata.tables["controls"]
_reviews = metadata.tables["reviews"]
_any = Prepared(sa.select(_controls.c.case_id).limit(1))
_asked: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_concerned = sa.select(_controls.c.of_case).where(
    sa.or_(_controls.c.case_id.in_(_asked), _controls.c.of_case.in_(_asked))
)


class Seer(NamedTuple):
    """Who looks: a person, and by queue the moment since when a review is not old enough to be asked for again."""

    person: str
    since: Mapping[str, int]


class _Copy(NamedTuple):
    """A copy, and when this person last reviewed what it is one of, or an older copy."""

    case_id: int
    of_case: int
    at: int
    queue: str
    held: bool
    settled: bool
    known_at: int | None


def any_copy(connection: Connection) -> bool:
    """Whether there are copies at all."""
    return _any.first(connection, {}) is not None


def _reviewed(copy: Any, person: Any) -> sa.ColumnElement[bool]:
    """Reviews by a person of what a copy (a row of `controls`) is one of, or of an older copy."""
    older = _controls.alias()
    before = sa.select(older.c.case_id).where(older.c.of_case == copy.c.of_case, older.c.at < copy.c.at)
    members = sa.or_(_reviews.c.case_id == copy.c.of_case, _reviews.c.case_id.in_(before))
    return sa.and_(_reviews.c.person == person, members)


def knows(copy: Any, person: Any, since: Any) -> sa.ColumnElement[bool]:
    """Whether a person has reviewed what a copy is one of, or an older copy, since a moment."""
    return sa.select(sa.literal(1)).where(_reviewed(copy, person), _reviews.c.decided_at > since).exists()


def _copies() -> sa.Select[Any]:
    copy, case, original = _controls.alias("copy"), _c.alias("copied"), _c.alias("original")
    person: sa.BindParameter[str] = sa.bindparam("person")
    known_at = sa.select(sa.func.max(_reviews.c.decided_at)).where(_reviewed(copy, person)).scalar_subquery()
    held = sa.case(((case.c.state == "leased") & (case.c.lease_owner == person), 1), else_=0)
    settled = sa.case((original.c.state == "settled", 1), else_=0)
    columns = (copy.c.case_id, copy.c.of_case, copy.c.at, case.c.queue, held, settled, known_at)
    joined = copy.join(case, case.c.case_id == copy.c.case_id)
    return sa.select(*columns).select_from(joined.join(original, original.c.case_id == copy.c.of_case))


_all = _copies()
_few = _all.where(_all.selected_columns.of_case.in_(sa.bindparam("roots", expanding=True)))


def hidden(connection: Connection, seer: Seer) -> set[int]:
    """The numbers of the cases that a person does not see."""
    if not any_copy(connection):
        return set()
    return _hidden(map(_Copy._make, connection.execute(_all, {"person": seer.person})), seer)


def hidden_among(connection: Connection, seer: Seer, case_ids: Iterable[int]) -> set[int]:
    """Those of these cases that a person does not see."""
    asked = set(case_ids)
    if not asked or not any_copy(connection):
        return set()
    roots = set(connection.execute(_concerned, {"ids": list(asked)}).scalars())
    if not roots:
        return set()
    found = connection.execute(_few, {"person": seer.person, "roots": list(roots)})
    return asked & _hidden(map(_Copy._make, found), seer)


def _hidden(copies: Iterable[_Copy], seer: Seer) -> set[int]:
    families: dict[int, list[_Copy]] = {}
    for copy in copies:
        families.setdefault(copy.of_case, []).append(copy)
    return {case_id for root, found in families.items() for case_id in _hidden_of(root, found, seer)}


def _hidden_of(root: int, copies: list[_Copy], seer: Seer) -> Iterator[int]:
    """Of a case and its copies all but the one that a person sees."""
    given = [copy for copy in copies if copy.known_at is None or copy.known_at <= seer.since.get(copy.queue, 0)]
    newest = max(given, key=lambda copy: copy.at, default=None)
    if newest is not None and newest.settled:
        yield root
    for copy in copies:
        if copy is not newest and not copy.held:
            yield copy.case_id
