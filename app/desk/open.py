"""Opening a desk on a workspace."""

from __future__ import annotations

from app.desk.local import LocalDesk
from app.settings import Workspace
from db.engine import open_store


def open_desk(workspace: Workspace, person: str | None = None, session: str = "") -> LocalDesk:
    """The desk of a person on a workspace's database. Raises Unavailable where it cannot be opened."""
    workspace.check_database()
    store = open_store(workspace.database_url)
    return LocalDesk(store, person or workspace.person, dict(workspace.settings.queues), workspace.rubrics, session)
