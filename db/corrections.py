"""Settled verdicts with what a dataset needs of their cases, streamed in the order of admission."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from db.bulk import beside_the_index, none_of, select_many
from db.tables import metadata

_c = metadata.tables["cases"]
_records = metadata.tables["case_records"]
_reviews = metadata.tables["reviews"]
_verdicts = metadata.tables["verdicts"]
_rubrics = metadata.tables["rubrics"]
_audit = metadata.tables["audit"]
_controls = metadata.tables["controls"]
# Copies that measure people are in no dataset.
_no_control = ~sa.select(sa.literal(1)).where(_controls.c.case_id == _verdicts.c.case_id).exists()
# A reported leak was masked after the review that the outcome follows.
_masked_since = (
    sa.select(sa.literal(1))
    .where(_audit.c.case_id == _verdicts.c.case_id, _audit.c.action == "leak_masked", _audit.c.seq > _reviews.c.seq)
    .exists()
)


class Correction(NamedTuple):
    """One settled case. `record` is None where `features` say everything. `masked`: it was masked after the review."""

    id: str
    revision: int
    predicted_label: str | None
    predicted_score: float | None
    verdict: str
    label: str | None
    correction: str | None
    probability: float | None
    reviewers: int
    agreement: float
    model_name: str | None
    model_version: str | None
    rubric_hash: str
    split_bucket: int
    masked: bool
    features: str
    record: str | None


_query = (
    sa.select(
        _c.c.external_id,
        _c.c.revision,
        _c.c.predicted_label,
        _c.c.predicted_score,
        _verdicts.c.verdict,
        _verdicts.c.label,
        _verdicts.c.correction,
        _c.c.sampling_probability,
        _verdicts.c.reviewers,
        _verdicts.c.agreement,
        _c.c.model_name,
        _c.c.model_version,
        _reviews.c.rubric_hash,
        _c.c.split_bucket,
        _masked_since,
        _records.c.features,
        sa.case((_records.c.has_text == 1, _records.c.record)),
    )
    .select_from(_verdicts)
    .join(_c, _c.c.case_id == _verdicts.c.case_id)
    .join(_records, _records.c.case_id == _verdicts.c.case_id)
    .join(_reviews, _reviews.c.review_id == _verdicts.c.review_id)
    .where(_no_control)
    .order_by(_verdicts.c.case_id)
)


def stream(connection: Connection, queue: str, chunk: int) -> Iterator[list[tuple[Any, ...]]]:
    """Lists of at most `chunk` rows, each in the order of `Correction`'s fields."""
    return select_many(connection, _query.where(beside_the_index(connection, _c.c.queue) == queue), chunk)


def rubric_names(connection: Connection) -> dict[str, tuple[str, str]]:
    """Rubric id and version by hash."""
    return {row.hash: (row.rubric_id, row.version) for row in connection.execute(sa.select(_rubrics))}


def outcomes(connection: Connection, left_out: Collection[int] = ()) -> list[Any]:
    """Per queue and verdict: `n` and the mean active `seconds`, without the cases of the numbers in `left_out`."""
    query = (
        sa.select(
            _c.c.queue,
            _verdicts.c.verdict,
            sa.func.count().label("n"),
            sa.func.avg(_reviews.c.seconds).label("seconds"),
        )
        .select_from(_verdicts)
        .join(_c, _c.c.case_id == _verdicts.c.case_id)
        .join(_reviews, _reviews.c.review_id == _verdicts.c.review_id)
        .group_by(_c.c.queue, _verdicts.c.verdict)
    )
    return list(connection.execute(query.where(none_of(_c.c.case_id, left_out)) if left_out else query))
