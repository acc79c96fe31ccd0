"""The first tables.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Creates everything."""
    _cases()
    _reviews()
    _audit()
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE case_texts USING fts5(body, tokenize = 'unicode61 remove_diacritics 2')")
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE TABLE case_texts (case_id BIGINT PRIMARY KEY, body TEXT NOT NULL, words TSVECTOR NOT NULL)")
        op.execute("CREATE INDEX ix_case_texts_words ON case_texts USING gin (words)")
        op.execute(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
        )


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=True),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.LargeBinary, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("admitted_at", sa.BigInteger, nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("flag", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("domain", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("split_bucket", sa.Integer, nullable=False),
        sa.Column("predicted_label", sa.Text),
        sa.Column("predicted_score", sa.Float),
        sa.Column("model_name", sa.Text),
        sa.Column("model_version", sa.Text),
        sa.Column("sampling_reason", sa.Text),
        sa.Column("sampling_probability", sa.Float),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_session", sa.Text),
        sa.Column("lease_token", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("wake_at", sa.BigInteger),
        sa.Column("claims", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("note", sa.Text),
        sa.UniqueConstraint("queue", "external_id", "revision", name="uq_cases_external"),
        sqlite_autoincrement=True,
    )
    _partial("ix_cases_claim", "cases", ["queue", sa.text("priority DESC"), "due_at", "case_id"], "state = 'open'")
    _partial(
        "ix_cases_inbox",
        "cases",
        [sa.text("priority DESC"), "due_at", "case_id", "queue", "state", "severity"],
        "state <> 'settled'",
    )
    op.create_index("ix_cases_backlog", "cases", ["queue", "state", "due_at", "admitted_at"])
    _partial("ix_cases_wake", "cases", ["queue", "wake_at"], "wake_at IS NOT NULL")
    op.create_table(
        "case_records",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("features", sa.Text, nullable=False),
        sa.Column("has_text", sa.Integer, nullable=False),
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", KEY, primary_key=True, autoincrement=True),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("expected", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("queue", "digest", name="uq_quarantine_digest"),
    )


def _reviews() -> None:
    op.create_table(
        "rubrics",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("rubric_id", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("registered_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "reviews",
        sa.Column("review_id", sa.Text, primary_key=True),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("lease_token", sa.BigInteger, nullable=False),
        sa.Column("rubric_hash", sa.Text, nullable=False),
        sa.Column("answers", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("correction", sa.Text),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("score", sa.Float),
        sa.Column("critical", sa.Text, nullable=False),
        sa.Column("judged_label", sa.Text),
        sa.Column("judged_confidence", sa.Integer),
        sa.Column("moved", sa.Integer),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("case_id", "lease_token", name="uq_reviews_lease"),
    )
    op.create_index("ix_reviews_person", "reviews", ["person", "seq"])
    op.create_table(
        "retractions",
        sa.Column("review_id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "verdicts",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("review_id", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("correction", sa.Text),
        sa.Column("reviewers", sa.Integer, nullable=False),
        sa.Column("agreement", sa.Float, nullable=False),
        sa.Column("settled_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "judgements",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("confidence", sa.Integer),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "drafts",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("rubric_hash", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "marks",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", KEY, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("case_id", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    _partial("ix_audit_case", "audit", ["case_id"], "case_id IS NOT NULL")
    op.create_index("ix_audit_actor", "audit", ["actor", "at"])


def _partial(name: str, table: str, columns: list[str | sa.TextClause], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
