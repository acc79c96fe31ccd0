"""What is sealed, who may open it, what was revealed, erased, exported and backed up.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Creates the tables."""
    _sealed()
    _kept_elsewhere()
    op.create_table(
        "associations",
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("attribute", sa.Text, primary_key=True),
        sa.Column("information", sa.Float),
        sa.Column("likeness", sa.Float, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        # `INSERT OR REPLACE` deletes without asking the delete trigger, unless a program turns that on.
        op.execute(
            "CREATE TRIGGER audit_in_order BEFORE INSERT ON audit "
            "WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit) "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _sealed() -> None:
    op.create_table(
        "officers",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger),
    )
    op.create_table(
        "sealed_values",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "sealed_keys",
        sa.Column("case_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "reveals",
        sa.Column("reveal_id", KEY, primary_key=True, autoincrement=True),
        sa.Column("case_id", KEY, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("approver", sa.Text),
        sa.Column("challenge", sa.LargeBinary),
        sa.Column("until", sa.BigInteger),
        sa.Column("opened_at", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reveals_case", "reveals", ["case_id"])
    op.create_index("ix_reveals_person", "reveals", ["person", "asked_at"])


def _kept_elsewhere() -> None:
    op.create_table(
        "erasures",
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "exports",
        sa.Column("seq", KEY, primary_key=True, autoincrement=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "backups",
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
