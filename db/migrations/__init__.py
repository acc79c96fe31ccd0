"""The schema's history. `HEAD` lets a database be opened without importing Alembic."""

HEAD = "0003"
REVISIONS: tuple[str, ...] = ("0001", "0002", "0003")
