"""The tables. Times are integers, milliseconds since 1970 UTC; JSON is text that was written once.

Changes here need a migration in `db/migrations/versions` (a test compares the two). Conditions of partial
indexes are named for SQLite here and for every database there: naming PostgreSQL here would import its
dialect, 40 ms, into every start.
"""

from sqlmodel import SQLModel

from db.tables import cases, connections, keeping, reviews, team

__all__ = ["cases", "connections", "keeping", "metadata", "reviews", "team"]

metadata = SQLModel.metadata
