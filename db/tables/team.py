"""Who works here, with what, and how the work is shared out and measured."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from db.tables.base import Kept, Key, big


class TokenRow(Kept, table=True):
    """What a program or a terminal signs in to the hub with, as a digest; `roles` are separated by spaces."""

    __tablename__ = "tokens"
    __table_args__ = (UniqueConstraint("digest", name="uq_tokens_digest"),)

    token_id: str = Field(primary_key=True, sa_type=Text)
    person: str = Field(sa_type=Text)
    roles: str = Field(sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    created_at: int = Field(sa_column=big())
    expires_at: int = Field(sa_column=big())
    revoked_at: int | None = Field(default=None, sa_column=big(nullable=True))


class Pair(Kept, table=True):
    """How often two people reviewed the same case of a queue, and when last; `one` sorts before `other`.

    With themselves people meet with every review: it says who is at work in a queue.
    """

    __tablename__ = "pairs"

    queue: str = Field(primary_key=True, sa_type=Text)
    one: str = Field(primary_key=True, sa_type=Text)
    other: str = Field(primary_key=True, sa_type=Text)
    met: int = Field(sa_column=big())
    at: int = Field(sa_column=big())


class Control(Kept, table=True):
    """A case that is a copy of another, to measure who reviews it. `kind`: gold, repeat. `person`: whom alone it
    measures; empty where it may measure anybody."""

    __tablename__ = "controls"
    __table_args__ = (Index("ix_controls_person", "person", "of_case"),)

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    of_case: int = Field(sa_column=big())
    person: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())


class Gold(Kept, table=True):
    """A settled case whose outcome is trusted, and who says so."""

    __tablename__ = "gold"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    queue: str = Field(sa_type=Text)
    person: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())


class Pause(Kept, table=True):
    """A queue that gives out no cases, who said so, and why."""

    __tablename__ = "pauses"

    queue: str = Field(primary_key=True, sa_type=Text)
    person: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())


class PersonRow(Kept, table=True):
    """What is known of a reviewer: tags (separated by spaces), and how much they may take: decisions within 24 hours,
    cases at a time."""

    __tablename__ = "people"

    person: str = Field(primary_key=True, sa_type=Text)
    tags: str = Field(sa_type=Text)
    daily: int | None = Field(default=None, sa_column=big(nullable=True))
    holding: int | None = Field(default=None, sa_column=big(nullable=True))


class Answered(Kept, table=True):
    """What the hub answered to a request with an idempotency key: the same is answered again."""

    __tablename__ = "answered"

    asker: str = Field(primary_key=True, sa_type=Text)
    key: str = Field(primary_key=True, sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    status: int = Field(sa_column=big())
    body: bytes = Field(sa_type=LargeBinary)
    at: int = Field(sa_column=big())
