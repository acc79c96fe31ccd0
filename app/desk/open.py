"""Opening a desk on a workspace."""

from __future__ import annotations

from functools import cache

from app.deliver.events import Routes
from app.desk.local import LocalDesk
from app.desk.protocol import Desk
from app.model.errors import BadInput
from app.settings import Settings, Workspace
from db.engine import open_store

# An agent that went on cannot be called back: it waits until the decision cannot be undone any more.
_FINAL = frozenset(("langgraph",))


def open_desk(workspace: Workspace, person: str | None = None, session: str = "") -> Desk:
    """The desk of a person: through the hub, if the workspace has one, else on its database. Raises Unavailable where
    it cannot be opened."""
    if workspace.hub:
        return _remote(workspace.hub, person, session)
    return open_local_desk(workspace, person, session)


def _remote(hub: str, person: str | None, session: str) -> Desk:
    from app.desk.remote import RemoteDesk
    from app.signing_in import token_for

    desk = RemoteDesk(hub, token_for(hub), session)
    if person not in (None, desk.person):
        desk.close()
        raise BadInput(f"Through the hub you are {desk.person}, as your token says, and not '{person}'.")
    return desk


def open_local_desk(workspace: Workspace, person: str | None = None, session: str = "") -> LocalDesk:
    """The desk of a person on a workspace's database."""
    workspace.check_database()
    store = open_store(workspace.database_url)
    try:
        return LocalDesk(
            store,
            person or workspace.person,
            dict(workspace.settings.queues),
            workspace.rubrics,
            session,
            routes=routes_of(workspace.settings),
            id_key=cache(lambda: workspace.keys().pseudonym),
        )
    except BaseException:
        store.close()
        raise


def routes_of(settings: Settings) -> Routes:
    """Where verdicts go, as the settings say."""
    return Routes(
        replying=frozenset(name for name, source in settings.sources.items() if source.replies),
        after_undo=frozenset(name for name, sink in settings.sinks.items() if sink.after_undo)
        | frozenset(name for name, source in settings.sources.items() if source.type in _FINAL),
    )
