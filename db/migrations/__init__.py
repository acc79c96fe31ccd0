"""The schema's history. `HEAD` lets a database be opened without importing Alembic."""

HEAD = "0001"
REVISIONS: tuple[str, ...] = ("0001",)
