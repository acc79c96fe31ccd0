"""The schema's history. `HEAD` lets a database be opened without importing Alembic."""

HEAD = "0002"
REVISIONS: tuple[str, ...] = ("0001", "0002")
