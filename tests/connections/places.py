"""A workspace to pull into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.cli.workspace import make_workspace
from app.intake.pull import Puller
from app.model.connection import Source
from app.settings import Workspace, load_workspace
from db.engine import Store, open_store
from tests.builders import KEYS


def workspace(root: Path, settings: str = "") -> Workspace:
    """A new workspace; `settings` is added to its secondlook.toml."""
    make_workspace(root)
    path = root / "secondlook.toml"
    path.write_text(path.read_text() + settings)
    return load_workspace(root)


@contextmanager
def opened(found: Workspace) -> Iterator[Store]:
    """Its database."""
    store = open_store(found.database_url)
    try:
        yield store
    finally:
        store.close()


def puller(found: Workspace, store: Store, source: Source, queue: str = "credit", name: str = "here") -> Puller:
    """A puller from a source into a queue."""
    return Puller(store, KEYS, name, queue, found.policy(queue), source)


def secrets(**known: str) -> Any:
    """Secrets by name."""
    return known.__getitem__


def ids(store: Store) -> list[str]:
    """The predictions that are held."""
    with store.read() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT external_id FROM cases ORDER BY case_id")]
