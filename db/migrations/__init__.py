"""The schema's history. `HEAD` lets a database be opened without importing Alembic."""

HEAD = "0007"
REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
