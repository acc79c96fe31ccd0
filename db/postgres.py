"""PostgreSQL: how it is connected to, and how writers take turns."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import ConnectionPoolEntry

from app.model.errors import SettingsError

# The key of the lock that writers hold until they have committed: "2ndlook" in ASCII.
WRITERS = 0x326E646C6F6F6B
_CONNECT_SECONDS = 10
# How long a writer waits for its turn before it says that the database is busy.
_BUSY_MS = 15_000
_CONNECTIONS = 10


def postgres_engine(url: str) -> Engine:
    """An engine for a `postgresql://` URL. Raises SettingsError where the driver is not installed."""
    place = sa.make_url(url).set(drivername="postgresql+psycopg")
    options = f"-c lock_timeout={_BUSY_MS} -c idle_in_transaction_session_timeout=60000"
    try:
        engine = sa.create_engine(
            place,
            # A connection that the server has dropped is replaced before anything is done with it.
            pool_pre_ping=True,
            pool_size=_CONNECTIONS,
            connect_args={
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": "secondlook",
                "options": options,
            },
        )
    except ModuleNotFoundError:
        raise SettingsError("PostgreSQL needs a driver: pip install 'secondlook[postgres]'.") from None
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """Texts go without NUL, which PostgreSQL cannot keep: it becomes the replacement character."""
    from psycopg.types.string import StrDumper

    class WithoutNul(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    connection.adapters.register_dumper(str, WithoutNul)


def _begin(connection: Connection) -> None:
    """Writers come one after the other: the log is a chain, and each act is checked against what the last one left."""
    if connection.get_execution_options().get("secondlook_write"):
        connection.connection.cursor().execute(f"SELECT pg_advisory_xact_lock({WRITERS})")
