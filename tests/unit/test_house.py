"""The house rules: style, types, who may import whom, what start-up may import, tables as the migrations make them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import __version__
from db.engine import open_store, sqlite_url
from db.migrations import HEAD, REVISIONS
from db.tables import metadata

ROOT = Path(__file__).resolve().parents[2]


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "ruff", "check", "."),
        ("-m", "ruff", "format", "--check", "."),
        ("-m", "mypy"),
        ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    ],
    ids=["style", "format", "types", "imports"],
)
def test_rules_hold(words: tuple[str, ...]) -> None:
    done = _run(*words)
    assert done.returncode == 0, done.stdout + done.stderr


HEAVY = ("textual", "pydantic", "sqlalchemy", "sqlmodel", "polars", "httpx", "keyring", "rapidfuzz", "cryptography")


def _imported(statement: str) -> set[str]:
    done = _run("-c", f"{statement}\nimport sys; print(*(m for m in {HEAVY!r} if m in sys.modules))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split()[1:] if "version" in statement else done.stdout.split())


def test_the_version_imports_nothing_heavy() -> None:
    done = _run("-c", "import sys; from app.cli import main; main(['--version']); print(*sys.modules)")
    assert done.stdout.startswith(f"secondlook {__version__}\n")
    assert not {"argparse", *HEAVY} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import app.cli.run", set()),
        ("import app.shell", {"textual"}),
        ("import app.model.prediction, app.model.rubric, app.model.case", {"pydantic"}),
        ("import app.desk.open", {"pydantic", "sqlalchemy", "sqlmodel"}),
    ],
)
def test_start_up_imports_only_what_it_needs(statement: str, allowed: set[str]) -> None:
    assert _imported(statement) <= allowed


def test_the_tables_are_as_the_migrations_make_them(tmp_path: Path) -> None:
    migrated = open_store(sqlite_url(tmp_path / "migrated.db"))
    declared = sa.create_engine(sqlite_url(tmp_path / "declared.db"))
    metadata.create_all(declared)
    with migrated.read() as one, declared.connect() as two:
        assert _schema(one) == _schema(two)
    migrated.close()
    declared.dispose()


def _schema(connection: sa.Connection) -> dict[str, object]:
    """Columns of each table and the text of each index, but for what is not declared as a table."""
    inspector = sa.inspect(connection)
    tables = [name for name in inspector.get_table_names() if name in metadata.tables]
    columns = {
        name: {c["name"]: (str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)} for name in tables
    }
    indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    found = {name: " ".join(sql.split()) for name, sql in connection.exec_driver_sql(indexes)}
    return {"tables": columns, "indexes": found}


def test_the_head_is_the_newest_migration() -> None:
    files = sorted(path.stem[1:5] for path in (ROOT / "db" / "migrations" / "versions").glob("r*.py"))
    assert files == list(REVISIONS)
    assert files[-1] == HEAD
