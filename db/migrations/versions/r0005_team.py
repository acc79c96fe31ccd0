"""Independent reviews, quality controls, people, paused queues, and answers that were given to programs.

Revision ID: 0005
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns and creates the tables."""
    with op.batch_alter_table("cases", recreate="never") as cases:
        cases.add_column(sa.Column("language", sa.Text))
        cases.add_column(sa.Column("stage", sa.Text, nullable=False, server_default=sa.text("'review'")))
        cases.add_column(sa.Column("reserved_for", sa.Text))
    with op.batch_alter_table("reviews", recreate="never") as reviews:
        reviews.add_column(sa.Column("stage", sa.Text, nullable=False, server_default=sa.text("'review'")))
    # Two indexes in place of one: claims of fresh cases do not walk over those that others have begun.
    op.drop_index("ix_cases_claim", "cases")
    fresh, further = "state = 'open' AND stage = 'review'", "state = 'open' AND stage <> 'review'"
    order = [sa.text("priority DESC"), "due_at", "case_id"]
    _partial("ix_cases_claim", ["queue", *order], fresh)
    _partial("ix_cases_further", ["queue", "stage", *order], further)
    op.create_index("ix_reviews_case", "reviews", ["case_id", "person"])
    op.create_table(
        "pairs",
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("one", sa.Text, primary_key=True),
        sa.Column("other", sa.Text, primary_key=True),
        sa.Column("met", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "controls",
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("of_case", sa.BigInteger, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_controls_person", "controls", ["person", "of_case"])
    op.create_table(
        "gold",
        sa.Column("case_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pauses",
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("daily", sa.BigInteger),
        sa.Column("holding", sa.BigInteger),
    )
    op.create_table(
        "answered",
        sa.Column("asker", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def _partial(name: str, columns: list[Any], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "cases", columns, sqlite_where=condition, postgresql_where=condition)
