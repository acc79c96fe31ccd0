"""What people answered, by which rubric, and what came of it."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from db.tables.base import Kept, Key, big


class RubricVersion(Kept, table=True):
    """A rubric's content under its hash; reviews pin the hash."""

    __tablename__ = "rubrics"

    hash: str = Field(primary_key=True, sa_type=Text)
    rubric_id: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    registered_at: int = Field(sa_column=big())


class Review(Kept, table=True):
    """One person's answers. Never changed; taken back by a row in `retractions`. `stage`: review, adjudication.

    `seq` is the number of its entry in the log: the order of decisions, whatever the clock does.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("case_id", "lease_token", name="uq_reviews_lease"),
        Index("ix_reviews_person", "person", "seq"),
        Index("ix_reviews_case", "case_id", "person"),
    )

    review_id: str = Field(primary_key=True, sa_type=Text)
    case_id: int = Field(sa_column=Column(Key, nullable=False))
    person: str = Field(sa_type=Text)
    seq: int = Field(sa_column=big())
    lease_token: int = Field(sa_column=big())
    rubric_hash: str = Field(sa_type=Text)
    answers: str = Field(sa_type=Text)
    verdict: str = Field(sa_type=Text)
    label: str | None = Field(default=None, sa_type=Text)
    correction: str | None = Field(default=None, sa_type=Text)
    reasons: str = Field(sa_type=Text)
    score: float | None = Field(default=None, sa_type=Float)
    critical: str = Field(sa_type=Text)
    judged_label: str | None = Field(default=None, sa_type=Text)
    judged_confidence: int | None = None
    moved: int | None = None
    seconds: float = Field(sa_type=Float)
    decided_at: int = Field(sa_column=big())
    salt: bytes = Field(sa_type=LargeBinary)
    stage: str = Field(default="review", sa_column=Column(Text, nullable=False, server_default=text("'review'")))


class Retraction(Kept, table=True):
    """A review taken back by its author."""

    __tablename__ = "retractions"

    review_id: str = Field(primary_key=True, sa_type=Text)
    person: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())


class VerdictRow(Kept, table=True):
    """The settled outcome of a case, derived from its reviews."""

    __tablename__ = "verdicts"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    review_id: str = Field(sa_type=Text)
    verdict: str = Field(sa_type=Text)
    label: str | None = Field(default=None, sa_type=Text)
    correction: str | None = Field(default=None, sa_type=Text)
    reviewers: int
    agreement: float = Field(sa_type=Float)
    settled_at: int = Field(sa_column=big())


class JudgementRow(Kept, table=True):
    """A first judgement. Written once, before the model's answer is shown."""

    __tablename__ = "judgements"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    person: str = Field(primary_key=True, sa_type=Text)
    label: str = Field(sa_type=Text)
    confidence: int | None = None
    at: int = Field(sa_column=big())


class DraftRow(Kept, table=True):
    """Answers saved on change."""

    __tablename__ = "drafts"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    person: str = Field(primary_key=True, sa_type=Text)
    rubric_hash: str = Field(primary_key=True, sa_type=Text)
    body: str = Field(sa_type=Text)
    updated_at: int = Field(sa_column=big())
