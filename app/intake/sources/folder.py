"""A folder into which others drop files: JSONL, CSV, Parquet. A file that is done is moved aside.

A file is taken when nobody writes to it any more: its name does not begin with a dot or end with `.part` or `.tmp`, and
it has not changed for a while. Killed in the middle, it is read again from its beginning; what is held already is found
to be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path
from typing import Annotated

from pydantic import Field

from app.connecting import Secrets
from app.intake.read import Format, Raw, open_stream
from app.model.connection import Batch, Item
from app.model.errors import BadInput, NothingToDo, SecondlookError, Unavailable
from app.model.policy import Strict

_UNFINISHED = (".part", ".tmp", ".crdownload", ".partial")


class FolderOptions(Strict):
    """`path`: the folder, relative to the workspace's; `pattern` of names; `format` where names do not tell it;
    `settle_seconds` without a change until a file counts as finished; `taken` and `refused`: folders in it to which
    files are moved that were read, or cannot be."""

    path: str
    pattern: str = "*"
    format: Format | None = None
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 2
    taken: str = "taken"
    refused: str = "refused"


class FolderSource:
    """Gives the rows of one file after the other, the oldest file first."""

    Options = FolderOptions

    def __init__(self, options: FolderOptions, _secrets: Secrets, root: Path) -> None:
        self._options = options
        self._folder = root / Path(options.path).expanduser()
        self._file: Path | None = None
        self._rows: Iterator[Raw] = iter(())
        self._done: list[Path] = []

    def pull(self, limit: int, _cursor: str) -> Batch:
        """Rows of the file at hand, or of the next one. `lag` counts files."""
        items: list[Item] = []
        waiting = self._finished()
        while len(items) < limit:
            if self._file is None and not self._begin(waiting, items):
                break
            items += self._read(limit - len(items))
        return Batch(items, lag=len(waiting))

    def acknowledge(self, _batch: Batch) -> None:
        """Moves aside the files that are kept whole."""
        for path in self._done:
            _move(path, self._folder / self._options.taken)
        self._done = []

    def close(self) -> None:
        """Lets the file at hand go; it is read again later."""
        self._file, self._rows = None, iter(())

    def _finished(self) -> list[Path]:
        """Files that can be taken, the oldest first."""
        now = time.time()
        found = []
        try:
            for path in self._folder.iterdir():
                if path.name.startswith(".") or path.suffix in _UNFINISHED or path.is_symlink() or not path.is_file():
                    continue
                changed = path.stat().st_mtime
                known = path == self._file or path in self._done
                # A clock that was set back must not keep a file for ever.
                settled = abs(now - changed) >= self._options.settle_seconds
                if fnmatch(path.name, self._options.pattern) and settled and not known:
                    found.append((changed, path))
        except OSError as error:
            raise Unavailable(
                f"The folder {self._folder} cannot be read: {error.strerror}. Make it, or change `path`."
            ) from None
        return [path for _, path in sorted(found)]

    def _begin(self, waiting: list[Path], items: list[Item]) -> bool:
        """Opens the next file that can be read; one that cannot is refused, and noted as an item."""
        while waiting:
            path = waiting.pop(0)
            try:
                self._rows = open_stream(str(path), self._options.format).items
            except NothingToDo:
                self._done.append(path)
            except BadInput as error:
                self._refuse(path, error, items)
            else:
                self._file = path
                return True
        return False

    def _read(self, limit: int) -> list[Item]:
        path = self._file
        assert path is not None  # by pull
        items: list[Item] = []
        try:
            # One after the other: those before a broken line are kept.
            items.extend(Item(raw.data, raw.row, problem=raw.problem or "") for raw in islice(self._rows, limit))
        except BadInput as error:
            self._file = None
            self._refuse(path, error, items)
            return items
        if len(items) < limit:
            self._file = None
            self._done.append(path)
        return items

    def _refuse(self, path: Path, error: SecondlookError, items: list[Item]) -> None:
        """Moves a file away that cannot be read to its end; what came before in it is kept."""
        items.append(Item(b"", problem=f"{path.name}: {error}"))
        _move(path, self._folder / self._options.refused)


def _move(path: Path, folder: Path) -> None:
    """Moves a file; one of the same name that is there already stays."""
    target, n = folder / path.name, 1
    try:
        folder.mkdir(exist_ok=True)
        while target.exists():
            n += 1
            target = folder / f"{path.stem}-{n}{path.suffix}"
        path.rename(target)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be moved to {folder}: {error.strerror}. Its rows are kept; it would be read again."
        ) from None
