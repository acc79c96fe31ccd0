"""How the cases of each queue were last put in order.

Revision ID: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table. A queue that it does not name was ordered by severity, score and flags."""
    op.create_table(
        "queue_orders",
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("blind", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
