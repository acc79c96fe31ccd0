"""The schema's history. `HEAD` lets a database be opened without importing Alembic."""

HEAD = "0006"
REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004", "0005", "0006")
