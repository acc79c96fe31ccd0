"""Verdicts on their way out, and how sources and sinks are doing."""

from __future__ import annotations

from sqlalchemy import Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from db.tables.base import Kept, Key, big


class OutboxRow(Kept, table=True):
    """What there is to say of a case, in order. `kind`: verdict, retracted."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("case_id", "sequence", name="uq_outbox_sequence"),)

    event_id: str = Field(primary_key=True, sa_type=Text)
    case_id: int = Field(sa_column=Column(Key, nullable=False))
    sequence: int
    kind: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())


class DeliveryRow(Kept, table=True):
    """One event on its way to one sink. `state`: pending, delivered, dead, cancelled."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "sink", name="uq_deliveries_event"),
        Index("ix_deliveries_due", "sink", "due_at", sqlite_where=text("state = 'pending'")),
        Index("ix_deliveries_case", "case_id", "sink", "sequence"),
        {"sqlite_autoincrement": True},
    )

    delivery_id: int | None = Field(default=None, sa_column=Column(Key, primary_key=True, autoincrement=True))
    event_id: str = Field(sa_type=Text)
    sink: str = Field(sa_type=Text)
    case_id: int = Field(sa_column=Column(Key, nullable=False))
    sequence: int
    state: str = Field(sa_type=Text)
    attempts: int
    due_at: int = Field(sa_column=big())
    error: str = Field(sa_type=Text)
    done_at: int | None = Field(default=None, sa_column=big(nullable=True))


class ConnectionRow(Kept, table=True):
    """How a source (`direction` in) or a sink (out) is doing. `state`: ok, failing, stopped, `since` a moment."""

    __tablename__ = "connections"

    name: str = Field(primary_key=True, sa_type=Text)
    direction: str = Field(primary_key=True, sa_type=Text)
    state: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    since: int = Field(sa_column=big())
    cursor: str = Field(sa_type=Text)
    last_at: int | None = Field(default=None, sa_column=big(nullable=True))
    items: int = Field(sa_column=big())
    lag: int | None = Field(default=None, sa_column=big(nullable=True))
