"""The tables. Times are integers, milliseconds since 1970 UTC; JSON is text that was written once.

Changes here need a migration in `db/migrations/versions` (a test compares the two). Conditions of partial
indexes are named for SQLite here and for every database there: naming PostgreSQL here would import its
dialect, 40 ms, into every start.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# SQLite's rowid alias must be spelled INTEGER; elsewhere keys are 64 bits wide.
Key = BigInteger().with_variant(Integer, "sqlite")


def _big(nullable: bool = False, default: int | None = None) -> Column[int]:
    server = None if default is None else text(str(default))
    return Column(BigInteger, nullable=nullable, server_default=server)


class Kept(SQLModel):
    """Base of the tables. Rows are never validated (they come from checked models), so no validator is built."""

    model_config = {"defer_build": True}


class Case(Kept, table=True):
    """A prediction under review: what lists, claims and routing need. The record itself is apart."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("queue", "external_id", "revision", name="uq_cases_external"),
        Index(
            "ix_cases_claim",
            "queue",
            text("priority DESC"),
            "due_at",
            "case_id",
            sqlite_where=text("state = 'open'"),
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
    due_at: int = Field(sa_column=_big())
    admitted_at: int = Field(sa_column=_big())
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
    lease_token: int = Field(default=0, sa_column=_big(default=0))
    wake_at: int | None = Field(default=None, sa_column=_big(nullable=True))
    claims: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    note: str | None = Field(default=None, sa_type=Text)


class CaseRecord(Kept, table=True):
    """The protected prediction, and its plain inputs as one flat object for export and likeness.

    `has_text` is 1 where inputs or the output hold texts that `features` leaves out.
    """

    __tablename__ = "case_records"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    record: str = Field(sa_type=Text)
    features: str = Field(sa_type=Text)
    has_text: int = 0


class RubricVersion(Kept, table=True):
    """A rubric's content under its hash; reviews pin the hash."""

    __tablename__ = "rubrics"

    hash: str = Field(primary_key=True, sa_type=Text)
    rubric_id: str = Field(sa_type=Text)
    version: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    registered_at: int = Field(sa_column=_big())


class Review(Kept, table=True):
    """One person's answers. Never changed; taken back by a row in `retractions`.

    `seq` is the number of its entry in the log: the order of decisions, whatever the clock does.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("case_id", "lease_token", name="uq_reviews_lease"),
        Index("ix_reviews_person", "person", "seq"),
    )

    review_id: str = Field(primary_key=True, sa_type=Text)
    case_id: int = Field(sa_column=Column(Key, nullable=False))
    person: str = Field(sa_type=Text)
    seq: int = Field(sa_column=_big())
    lease_token: int = Field(sa_column=_big())
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
    decided_at: int = Field(sa_column=_big())
    salt: bytes = Field(sa_type=LargeBinary)


class Retraction(Kept, table=True):
    """A review taken back by its author."""

    __tablename__ = "retractions"

    review_id: str = Field(primary_key=True, sa_type=Text)
    person: str = Field(sa_type=Text)
    at: int = Field(sa_column=_big())


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
    settled_at: int = Field(sa_column=_big())


class JudgementRow(Kept, table=True):
    """A first judgement. Written once, before the model's answer is shown."""

    __tablename__ = "judgements"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    person: str = Field(primary_key=True, sa_type=Text)
    label: str = Field(sa_type=Text)
    confidence: int | None = None
    at: int = Field(sa_column=_big())


class DraftRow(Kept, table=True):
    """Answers saved on change."""

    __tablename__ = "drafts"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    person: str = Field(primary_key=True, sa_type=Text)
    rubric_hash: str = Field(primary_key=True, sa_type=Text)
    body: str = Field(sa_type=Text)
    updated_at: int = Field(sa_column=_big())


class Mark(Kept, table=True):
    """What a person said about a case without deciding it: `skip` or `flag`."""

    __tablename__ = "marks"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    person: str = Field(primary_key=True, sa_type=Text)
    kind: str = Field(primary_key=True, sa_type=Text)
    note: str = Field(sa_type=Text)
    at: int = Field(sa_column=_big())


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
    at: int = Field(sa_column=_big())
    actor: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    case_id: int | None = Field(default=None, sa_column=_big(nullable=True))
    body: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class QuarantineRow(Kept, table=True):
    """A record that was not admitted: why, and its original bytes under the workspace key."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("queue", "digest", name="uq_quarantine_digest"),)

    quarantine_id: int | None = Field(default=None, sa_column=Column(Key, primary_key=True, autoincrement=True))
    queue: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    line: int = Field(sa_column=_big())
    code: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    expected: str = Field(sa_type=Text)
    external_id: str | None = Field(default=None, sa_type=Text)
    size: int = Field(sa_column=_big())
    form: str = Field(sa_type=Text)
    sealed: bytes = Field(sa_type=LargeBinary)
    digest: bytes = Field(sa_type=LargeBinary)
    state: str = Field(default="held", sa_type=Text)
    at: int = Field(sa_column=_big())
    reference: str | None = Field(default=None, sa_type=Text)


class Officer(Kept, table=True):
    """A public key to which data keys are sealed, and whose it is."""

    __tablename__ = "officers"

    key_id: str = Field(primary_key=True, sa_type=Text)
    person: str = Field(sa_type=Text)
    public_key: bytes = Field(sa_type=LargeBinary)
    added_at: int = Field(sa_column=_big())
    retired_at: int | None = Field(default=None, sa_column=_big(nullable=True))


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
    asked_at: int = Field(sa_column=_big())
    approver: str | None = Field(default=None, sa_type=Text)
    challenge: bytes | None = Field(default=None, sa_type=LargeBinary)
    until: int | None = Field(default=None, sa_column=_big(nullable=True))
    opened_at: int | None = Field(default=None, sa_column=_big(nullable=True))


class Erasure(Kept, table=True):
    """A keyed digest of an erased prediction's id: it is not admitted again."""

    __tablename__ = "erasures"

    digest: bytes = Field(primary_key=True, sa_type=LargeBinary)
    at: int = Field(sa_column=_big())


class ExportRow(Kept, table=True):
    """A dataset that was written; `seq` is its entry in the log."""

    __tablename__ = "exports"

    seq: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    queue: str = Field(sa_type=Text)
    folder: str = Field(sa_type=Text)
    file: str = Field(sa_type=Text)
    rows: int = Field(sa_column=_big())
    sha256: str = Field(sa_type=Text)
    at: int = Field(sa_column=_big())


class Backup(Kept, table=True):
    """A copy of the database that we made; an erasure reaches it too."""

    __tablename__ = "backups"

    path: str = Field(primary_key=True, sa_type=Text)
    at: int = Field(sa_column=_big())


class AssociationRow(Kept, table=True):
    """How much a visible field tells of a withheld attribute, found on import.

    `information`: normalised mutual information in [0, 1], None where it was not measured; `likeness`
    of the names in [0, 1]; `n` records.
    """

    __tablename__ = "associations"

    queue: str = Field(primary_key=True, sa_type=Text)
    field: str = Field(primary_key=True, sa_type=Text)
    attribute: str = Field(primary_key=True, sa_type=Text)
    information: float | None = Field(default=None, sa_type=Float)
    likeness: float = Field(sa_type=Float)
    n: int = Field(sa_column=_big())
    at: int = Field(sa_column=_big())


class Origin(Kept, table=True):
    """From which source a case came; `reference` (JSON) is what a verdict needs to go back to it."""

    __tablename__ = "origins"

    case_id: int = Field(sa_column=Column(Key, primary_key=True, autoincrement=False))
    source: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)


class OutboxRow(Kept, table=True):
    """What there is to say of a case, in order. `kind`: verdict, retracted."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("case_id", "sequence", name="uq_outbox_sequence"),)

    event_id: str = Field(primary_key=True, sa_type=Text)
    case_id: int = Field(sa_column=Column(Key, nullable=False))
    sequence: int
    kind: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    at: int = Field(sa_column=_big())


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
    due_at: int = Field(sa_column=_big())
    error: str = Field(sa_type=Text)
    done_at: int | None = Field(default=None, sa_column=_big(nullable=True))


class ConnectionRow(Kept, table=True):
    """How a source (`direction` in) or a sink (out) is doing. `state`: ok, failing, stopped, `since` a moment."""

    __tablename__ = "connections"

    name: str = Field(primary_key=True, sa_type=Text)
    direction: str = Field(primary_key=True, sa_type=Text)
    state: str = Field(sa_type=Text)
    error: str = Field(sa_type=Text)
    since: int = Field(sa_column=_big())
    cursor: str = Field(sa_type=Text)
    last_at: int | None = Field(default=None, sa_column=_big(nullable=True))
    items: int = Field(sa_column=_big())
    lag: int | None = Field(default=None, sa_column=_big(nullable=True))


class TokenRow(Kept, table=True):
    """What a program or a terminal signs in to the hub with, as a digest; `roles` are separated by spaces."""

    __tablename__ = "tokens"
    __table_args__ = (UniqueConstraint("digest", name="uq_tokens_digest"),)

    token_id: str = Field(primary_key=True, sa_type=Text)
    person: str = Field(sa_type=Text)
    roles: str = Field(sa_type=Text)
    digest: bytes = Field(sa_type=LargeBinary)
    created_at: int = Field(sa_column=_big())
    expires_at: int = Field(sa_column=_big())
    revoked_at: int | None = Field(default=None, sa_column=_big(nullable=True))


metadata = SQLModel.metadata
