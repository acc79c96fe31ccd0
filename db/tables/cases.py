"""Cases as they came in: what lists and claims need, the record, notes, and what was not admitted."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from db.tables.base import Kept, Key, big


class Case(Kept, table=True):
    """A prediction under review: what lists, claims and routing need. The record itself is apart.

    `stage`: `review` without a standing review, `begun` with some of several, `adjudication`. `reserved_for`: the only
    person it is given to. `severity` is -1, and `priority` and `due_at` know nothing of what the model said, where the
    queue is judged first (`QueueOrder`).
    """

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("queue", "external_id", "revision", name="uq_cases_external"),
        Index(
            "ix_cases_claim",
            "queue",
            text("priority DESC"),
            "due_at",
            "case_id",
            sqlite_where=text("state = 'open' AND stage = 'review'"),
        ),
        Index(
            "ix_cases_further",
            "queue",
            "stage",
            text("priority DESC"),
            "due_at",
            "case_id",
            sqlite_where=text("state = 'open' AND stage <> 'review'"),
        ),
        Index(
            "ix_cases_inbox",
            text("priority DESC"),
            "due_at",
            "case_id",
            "queue",
            "state",
            "severity",
            sqlite_where=text("state <> 'settled'"),
        ),
        Index("ix_cases_backlog", "queue", "state", "due_at", "admitted_at"),
        Index(
            "ix_cases_wake",
            "queue",
            "wake_at",
            sqlite_where=text("wake_at IS NOT NULL"),
        ),
        # An erased case's number is never given out again: the audit log speaks of it.
        {"sqlite_autoincrement": True},
    )

    case_id: int | None = Field(default=None, sa_column=Column(Key, primary_key=True, autoincrement=True))
    queue: str = Field(sa_type=Text)
    external_id: str = Field(sa_type=Text)
    revision: int = 1
    content_hash: bytes = Field(sa_type=LargeBinary)
    source: str = Field(sa_type=Text)
    state: str = Field(default="open", sa_type=Text)
    priority: int
    due_at: int = Field(sa_column=big())
    admitted_at: int = Field(sa_column=big())
    severity: int
    flag: str = Field(sa_type=Text)
    title: str = Field(sa_type=Text)
    domain: str | None = Field(default=None, sa_type=Text)
    subject: str | None = Field(default=None, sa_type=Text)
    split_bucket: int
    predicted_label: str | None = Field(default=None, sa_type=Text)
    predicted_score: float | None = Field(default=None, sa_type=Float)
    model_name: str | None = Field(default=None, sa_type=Text)
    model_version: str | None = Field(default=None, sa_type=Text)
    sampling_reason: str | None = Field(default=None, sa_type=Text)
    sampling_probability: float | None = Field(default=None, sa_type=Float)
    lease_owner: str | None = Field(default=None, sa_type=Text)
    lease_session: str | None = Field(default=None, sa_type=Text)
    lease_token: int = Field(default=0, sa_column=big(default=0))
    wake_at: int | None = Field(default=None, sa_column=big(nullable=True))
    claims: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    note: str | None = Field(default=None, sa_type=Text)
    language: str | None = Field(default=None, sa_type=Text)
    stage: str = Field(default="review", sa_column=Column(Text, nullable=False, server_default=text("'review'")))
    reserved_for: str | None = Field(default=None, sa_type=Text)


class QueueOrder(Kept, table=True):
    """How the cases of a queue were last put in order; `blind` is 1 where nothing of what the model said is in it."""

    __tablename__ = "queue_orders"

    queue: str = Field(primary_key=True, sa_type=Text)
    blind: int
    at: int = Field(sa_column=big())


class CaseRecord(Kept, table=True):
    """The protected prediction, and its plain inputs as one flat object for export and likeness.

    `has_text` is 1 where inputs or the output hold texts that `features` leaves out.
    """

    __tablename__ = "case_records"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    record: str = Field(sa_type=Text)
    features: str = Field(sa_type=Text)
    has_text: int = 0


class Mark(Kept, table=True):
    """What a person said about a case without deciding it: skip, flag, park, escalate, conflict, assign."""

    __tablename__ = "marks"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    person: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    note: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())


class QuarantineRow(Kept, table=True):
    """A record that was not admitted: why, and its original bytes under the workspace key."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("queue", "digest", name="uq_quarantine_digest"),)

    quarantine_id: int | None = Field(default=None, sa_column=Column(Key, primary_key=True, autoincrement=True))
    queue: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    line: int = Field(sa_column=big())
    code: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    expected: str = Field(sa_type=Text)
    external_id: str | None = Field(default=None, sa_type=Text)
    size: int = Field(sa_column=big())
    form: str = Field(sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)
    digest: bytes = Field(sa_type=LargeBinary)
    state: str = Field(default="held", sa_type=Text)
    at: int = Field(sa_column=big())
    reference: str | None = Field(default=None, sa_type=Text)


class Origin(Kept, table=True):
    """From which source a case came; `reference` (JSON) is what a verdict needs to go back to it."""

    __tablename__ = "origins"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    source: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)


class AssociationRow(Kept, table=True):
    """How much a visible field tells of a withheld attribute, found on import.

    `information`: normalised mutual information in [0, 1], None where it was not measured; `likeness`
    of the names in [0, 1]; `n` records. `auc` in [0, 1] of the field alone with its interval and its probability
    by chance, None where it was not measured; `said`: 1 where the field tells what the model said.
    """

    __tablename__ = "associations"

    queue: str = Field(primary_key=True, sa_type=Text)
    field: str = Field(primary_key=True, sa_type=Text)
    attribute: str = Field(primary_key=True, sa_type=Text)
    information: float | None = Field(default=None, sa_type=Float)
    likeness: float = Field(sa_type=Float)
    n: int = Field(sa_column=big())
    at: int = Field(sa_column=big())
    auc: float | None = Field(default=None, sa_type=Float)
    low: float | None = Field(default=None, sa_type=Float)
    high: float | None = Field(default=None, sa_type=Float)
    by_chance: float | None = Field(default=None, sa_type=Float)
    said: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))


class ExposureRow(Kept, table=True):
    """What all visible fields of a queue tell together, found on import: figures and names as JSON, no values."""

    __tablename__ = "exposures"

    queue: str = Field(primary_key=True, sa_type=Text)
    figures: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())
