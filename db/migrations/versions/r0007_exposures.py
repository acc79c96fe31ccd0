"""What visible fields tell alone and together.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds columns and creates a table."""
    with op.batch_alter_table("associations", recreate="never") as associations:
        for name in ("auc", "low", "high", "by_chance"):
            associations.add_column(sa.Column(name, sa.Float))
        associations.add_column(sa.Column("said", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "exposures",
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
