"""What all tables are made with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, text
from sqlmodel import SQLModel

# SQLite's rowid alias must be spelled INTEGER; elsewhere keys are 64 bits wide.
Key = BigInteger().with_variant(Integer, "sqlite")


def big(nullable: bool = False, default: int | None = None) -> Column[int]:
    """A column of 64 bits."""
    server = None if default is None else text(str(default))
    return Column(BigInteger, nullable=nullable, server_default=server)


class Kept(SQLModel):
    """Base of the tables. Rows are never validated (they come from checked models), so no validator is built."""

    model_config = {"defer_build": True}
