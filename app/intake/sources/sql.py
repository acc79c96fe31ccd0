"""A table or view in somebody's database: a query that selects new rows, and a statement that marks them as taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from app.connecting import Secrets
from app.model.connection import Batch, Item
from app.model.errors import SettingsError, Unavailable
from app.model.policy import Strict
from db.external import ExternalDatabase


class SqlOptions(Strict):
    """`url` of SQLAlchemy, or `url_secret` where it holds a password; `query` may use :cursor (the largest value of the
    column `cursor` that was seen, empty at first) and :limit; `key` names a row's key; `mark` is run for every row that
    was taken, with :key; `answer` for every verdict, with :key, :id, :verdict, :label, :correction, :decision_id,
    :sequence and :kind (verdict or retracted)."""

    url: str = ""
    url_secret: str = ""
    query: str = ""
    key: str = "id"
    cursor: str = ""
    mark: str = ""
    answer: str = ""

    def database(self, secrets: Secrets) -> ExternalDatabase:
        """The database. Raises SettingsError where none is named."""
        url = secrets(self.url_secret) if self.url_secret else self.url
        if not url:
            raise SettingsError("A database needs `url`, or `url_secret` with the name of a secret.")
        return ExternalDatabase(url)


class SqlSource:
    """Gives rows; what their columns mean is said by the queue's `csv.columns`, as for files."""

    Options = SqlOptions
    # A row says nothing of what was asked about it: that is for the queue to say.
    brings_task = False

    def __init__(self, options: SqlOptions, secrets: Secrets, _root: Path) -> None:
        if not options.query:
            raise SettingsError("An SQL source needs a `query` that selects new rows.")
        if not (options.mark or options.cursor):
            raise SettingsError("An SQL source needs `mark` or `cursor`: otherwise the same rows come for ever.")
        self._options = options
        self._database = options.database(secrets)

    def pull(self, limit: int, cursor: str) -> Batch:
        """The next rows."""
        options = self._options
        seen: Any = orjson.loads(cursor) if cursor else ""
        rows = self._database.rows(options.query, {"cursor": seen, "limit": limit}, limit)
        for column in filter(None, (options.key, options.cursor)):
            if rows and column not in rows[0]:
                raise Unavailable(
                    f"The query gives no column '{column}'. It gives: {', '.join(rows[0])}. Nothing was taken."
                )
        items = [
            Item(orjson.dumps(row, option=orjson.OPT_SORT_KEYS), row, {"key": row[options.key]}, row[options.key])
            for row in rows
        ]
        if options.cursor and rows:
            return Batch(items, cursor=orjson.dumps(max(row[options.cursor] for row in rows)).decode())
        return Batch(items)

    def acknowledge(self, batch: Batch) -> None:
        """Marks the rows."""
        if self._options.mark and batch.items:
            self._database.run(self._options.mark, [{"key": item.receipt} for item in batch.items])

    def close(self) -> None:
        """Closes the connections."""
        self._database.close()
