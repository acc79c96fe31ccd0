"""The log, sealed values and who may open them, and where copies went."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Text, text
from sqlmodel import Field

from db.tables.base import Kept, Key, big


class AuditEntry(Kept, table=True):
    """One entry of the log: the canonical bytes and their place in the chain.

    `at`, `actor`, `action`, `case_id` repeat what stands in `body`, for look-ups; verification
    compares them.
    """

    __tablename__ = "audit"
    __table_args__ = (
        Index(
            "ix_audit_case",
            "case_id",
            sqlite_where=text("case_id IS NOT NULL"),
        ),
        Index("ix_audit_actor", "actor", "at"),
    )

    seq: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    at: int = Field(sa_column=big())
    actor: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    case_id: int | None = Field(default=None, sa_column=big(nullable=True))
    body: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class Officer(Kept, table=True):
    """A public key to which data keys are sealed, and whose it is."""

    __tablename__ = "officers"

    key_id: str = Field(primary_key=True, sa_type=Text)
    person: str = Field(sa_type=Text)
    public_key: bytes = Field(sa_type=LargeBinary)
    added_at: int = Field(sa_column=big())
    retired_at: int | None = Field(default=None, sa_column=big(nullable=True))


class SealedValue(Kept, table=True):
    """One withheld value of a case, closed under the case's data key."""

    __tablename__ = "sealed_values"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    field: str = Field(primary_key=True, sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)


class SealedKey(Kept, table=True):
    """A case's data key, sealed to one officer's public key."""

    __tablename__ = "sealed_keys"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    key_id: str = Field(primary_key=True, sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)


class RevealRow(Kept, table=True):
    """A request to see withheld values. `state`: asked, approved, declined, opened, erased."""

    __tablename__ = "reveals"
    __table_args__ = (
        Index("ix_reveals_case", "case_id"),
        Index("ix_reveals_person", "person", "asked_at"),
        {"sqlite_autoincrement": True},
    )

    reveal_id: int | None = Field(default=None, sa_column=Column(Key, primary_key=True, autoincrement=True))
    case_id: int = Field(sa_column=Column(Key, nullable=False))
    person: str = Field(sa_type=Text)
    fields: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    salt: bytes = Field(sa_type=LargeBinary)
    state: str = Field(sa_type=Text)
    asked_at: int = Field(sa_column=big())
    approver: str | None = Field(default=None, sa_type=Text)
    challenge: bytes | None = Field(default=None, sa_type=LargeBinary)
    until: int | None = Field(default=None, sa_column=big(nullable=True))
    opened_at: int | None = Field(default=None, sa_column=big(nullable=True))


class Erasure(Kept, table=True):
    """A keyed digest of an erased prediction's id: it is not admitted again."""

    __tablename__ = "erasures"

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    at: int = Field(sa_column=big())


class ExportRow(Kept, table=True):
    """A dataset that was written; `seq` is its entry in the log."""

    __tablename__ = "exports"

    seq: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    queue: str = Field(sa_type=Text)
    folder: str = Field(sa_type=Text)
    file: str = Field(sa_type=Text)
    rows: int = Field(sa_column=big())
    sha256: str = Field(sa_type=Text)
    at: int = Field(sa_column=big())


class Backup(Kept, table=True):
    """A copy of the database that we made; an erasure reaches it too."""

    __tablename__ = "backups"

    path: str = Field(primary_key=True, sa_type=Text)
    at: int = Field(sa_column=big())
