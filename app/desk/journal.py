"""What a hub does not have yet: drafts and decisions of one person on one hub, kept on this machine, encrypted.

A terminal writes one file of its own and takes up those that earlier terminals left; a file's lock says whose it is.
The latest draft of a case wins, a decision ends its drafts, and what was sent or seen is taken out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.desk.journal_file import SUFFIX, Broken, JournalFile, NoKey, not_kept
from app.desk.journal_key import EARLIER, JournalKeys
from app.model.case import NotTaken
from app.model.errors import BadInput

# A file is written anew when so many of its lines say nothing any more.
_DEAD_LINES = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """Something kept. `number` counts within its file; `body` is what is sent."""

    file: JournalFile
    number: int
    kind: Literal["draft", "decision", "refused"]
    case_id: int
    name: str
    body: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """The entry as a line of its file."""
        return {"do": self.kind, "n": self.number, "case": self.case_id, "id": self.name, "body": self.body}


class Journal:
    """Safe to use from several threads. Nothing is made on the disk before something is kept."""

    def __init__(self, hub: str, person: str, token: str) -> None:
        """Takes up what terminals left that are gone."""
        self.hub = hub.rstrip("/")
        self.person = person
        self._keys = JournalKeys(self.hub, token)
        self._entries: list[Entry] = []
        self._files: list[JournalFile] = []
        self._own: JournalFile | None = None
        self._numbers = 0
        self._closed = False
        self._lock = threading.RLock()
        self._told: dict[Path, NotTaken] = {}
        self.adopt()

    def adopt(self) -> None:
        """Takes up files whose terminals are gone."""
        with self._lock:
            mine = {file.path for file in self._files}
            for path in journals_of(self.hub, self.person):
                if path not in mine and not self._closed:
                    self._take_up(path)

    def _take_up(self, path: Path) -> None:
        try:
            opened = JournalFile.open(path, self.hub, self._keys)
        except (NoKey, Broken, OSError) as error:
            self._told[path] = NotTaken(None, "", _cannot_read(path, error))
            return
        self._told.pop(path, None)
        if opened is None:
            return
        file, records = opened
        if file.person != self.person:
            file.close()
            return
        path.with_suffix(".new").unlink(missing_ok=True)
        self._files.insert(0 if self._own is None else len(self._files) - 1, file)
        entries = _fold(file, records)
        self._entries += entries
        self._numbers = max([self._numbers, *(entry.number for entry in entries)])
        if file.bad:
            self._set_aside(file)
        self._tidy(file)

    def _set_aside(self, file: JournalFile) -> None:
        """Lines that do not open go beside the file, and the person is told."""
        many = len(file.bad)
        with contextlib.suppress(OSError):
            aside = file.set_aside()
            self._numbers += 1
            why = (
                f"{many} line{'' if many == 1 else 's'} of what was kept here cannot be read: damaged, or changed by "
                f"another program. {'It was' if many == 1 else 'They were'} set aside in {aside}; the rest is whole."
            )
            self._entries.append(Entry(file, self._numbers, "refused", 0, "", {"why": why}))
            file.rewrite([entry.record() for entry in self._entries if entry.file is file])

    # -- keeping --------------------------------------------------------------------------------

    def keep(self, kind: Literal["draft", "decision"], case_id: int, name: str, body: dict[str, Any]) -> None:
        """Keeps a draft or a decision; it is on the disk when this returns. Raises Unavailable where it cannot be,
        BadInput for a decision_id under which something else is kept."""
        with self._lock:
            if kind == "decision" and self._is_kept(body):
                return
            try:
                file = self._own_file()
                self._numbers += 1
                entry = Entry(file, self._numbers, kind, case_id, name, body)
                file.append(entry.record())
            except OSError as error:
                raise not_kept(error) from None
            # An older draft in a file of an earlier terminal is sent before this one, and does no harm.
            self._entries = [old for old in self._entries if old.file is not file or not _ends(entry, old)] + [entry]
            self._write_anew(file)

    def _is_kept(self, decision: dict[str, Any]) -> bool:
        """Whether a decision is kept already. Raises BadInput where its decision_id was used for another one."""
        before = next((one for one in self._entries if one.body.get("decision_id") == decision["decision_id"]), None)
        if before is not None and _said(before.body) != _said(decision):
            raise BadInput(
                "This decision_id is kept here with another case or other answers, which will be sent. Nothing was "
                "changed; use a new decision_id."
            )
        return before is not None

    def drop_drafts(self, case_id: int) -> None:
        """A case was decided, or has a newer draft at the hub."""
        for entry in self.pending(case_id):
            if entry.kind == "draft":
                self.sent(entry)

    def sent(self, entry: Entry) -> None:
        """The hub has it."""
        self._note(entry, {"do": "sent", "n": entry.number})

    def refused(self, entry: Entry, why: str) -> None:
        """The hub will not take it: `why` is kept until it was seen, what was answered is not."""
        told = Entry(entry.file, entry.number, "refused", entry.case_id, entry.name, {"why": why})
        self._note(entry, told.record(), told)

    def seen(self) -> None:
        """The person was told what was refused."""
        with self._lock:
            for file in list(self._files):
                if any(one.kind == "refused" and one.file is file for one in self._entries):
                    # Not written down, it is told again.
                    with contextlib.suppress(OSError):
                        file.append({"do": "seen"})
                    self._entries = [one for one in self._entries if one.file is not file or one.kind != "refused"]
                self._tidy(file)
            self._told.clear()

    def _note(self, entry: Entry, record: dict[str, Any], told: Entry | None = None) -> None:
        with self._lock:
            if entry not in self._entries:
                return
            # Not written down, it is sent again under the same id: once is enough for the hub.
            with contextlib.suppress(OSError):
                entry.file.append(record)
            at = self._entries.index(entry)
            self._entries[at : at + 1] = [told] if told else []

    # -- what is kept ---------------------------------------------------------------------------

    def pending(self, case_id: int | None = None) -> list[Entry]:
        """What is to be sent, in order; of one case, if that is given."""
        with self._lock:
            files = {id(file): place for place, file in enumerate(self._files)}
            found = [one for one in self._entries if one.kind != "refused" and case_id in (None, one.case_id)]
            return sorted(found, key=lambda one: (files.get(id(one.file), 0), one.number))

    def not_taken(self) -> tuple[NotTaken, ...]:
        """What was refused or cannot be read, and was not seen yet."""
        with self._lock:
            refused = [one for one in self._entries if one.kind == "refused"]
            told = [NotTaken(one.case_id or None, one.name, str(one.body["why"])) for one in refused]
            return (*told, *self._told.values())

    def tidy(self) -> None:
        """Deletes files of which everything was sent, and takes out what was."""
        with self._lock:
            for file in list(self._files):
                self._tidy(file)

    def close(self) -> None:
        """Lets go of all files; another terminal may take them up."""
        with self._lock:
            self._closed = True
            for file in self._files:
                file.close()

    def _own_file(self) -> JournalFile:
        if self._closed:
            raise OSError("the desk is closed")
        if self._own is None:
            folder = folder_of(self.hub)
            folder.parent.parent.mkdir(parents=True, exist_ok=True)
            for private in (folder.parent, folder):
                private.mkdir(mode=0o700, exist_ok=True)
            key = self._keys.for_writing(folder)
            for _ in range(5):
                path = folder / f"{_digest(self.person)}-{secrets.token_hex(8)}{SUFFIX}"
                with contextlib.suppress(FileExistsError):
                    self._own = JournalFile.create(path, self.hub, self.person, key)
                    self._files.append(self._own)
                    return self._own
            raise OSError("no new file could be made")
        return self._own

    def _write_anew(self, file: JournalFile) -> None:
        live = [entry for entry in self._entries if entry.file is file]
        if file.lines - len(live) >= max(_DEAD_LINES, len(live)):
            self._rewrite(file, live)

    def _tidy(self, file: JournalFile) -> None:
        if self._closed:
            return
        live = [entry for entry in self._entries if entry.file is file]
        if not live:
            file.remove()
            self._files.remove(file)
            self._own = None if file is self._own else self._own
        elif file.lines > len(live):
            self._rewrite(file, live)

    def _rewrite(self, file: JournalFile, live: list[Entry]) -> None:
        # The old file says the same at greater length.
        with contextlib.suppress(OSError):
            file.rewrite([entry.record() for entry in live])


def folder_of(hub: str) -> Path:
    """Where the journals for a hub are."""
    import platformdirs

    return Path(platformdirs.user_state_dir("secondlook")) / "unsent" / _digest(hub.rstrip("/"))


def journals_of(hub: str, person: str | None = None) -> list[Path]:
    """The files of a hub, or of a person on it, oldest first."""
    name = _digest(person) if person else "*"
    found = []
    for path in folder_of(hub).glob(f"{name}-*{SUFFIX}"):
        with contextlib.suppress(OSError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


def left_behind(hub: str, token: str) -> tuple[int, int]:
    """How many decisions and drafts earlier terminals left for a hub that cannot be asked who this is."""
    hub = hub.rstrip("/")
    keys, decisions, drafts = JournalKeys(hub, token), 0, 0
    for path in journals_of(hub):
        with contextlib.suppress(NoKey, Broken, OSError):
            opened = JournalFile.open(path, hub, keys)
            if opened is None:
                continue
            file, records = opened
            file.close()
            kinds = [entry.kind for entry in _fold(file, records)]
            decisions += kinds.count("decision")
            drafts += kinds.count("draft")
    return decisions, drafts


def _fold(file: JournalFile, records: list[dict[str, Any]]) -> list[Entry]:
    """What a file's lines come to."""
    entries: list[Entry] = []
    for record in records:
        do, number = record["do"], record.get("n", 0)
        if do in ("draft", "decision", "refused"):
            new = Entry(file, number, do, record["case"], record["id"], record["body"])
            entries = [old for old in entries if old.number != number and not _ends(new, old)] + [new]
        elif do == "seen":
            entries = [old for old in entries if old.kind != "refused"]
        else:
            entries = [old for old in entries if old.number != number]
    return entries


def _said(decision: dict[str, Any]) -> tuple[Any, Any]:
    """The case and the answers of a decision, as JSON brings them back; the time that it took may differ."""
    return decision["case_id"], json.loads(json.dumps(decision["answers"]))


def _ends(new: Entry, old: Entry) -> bool:
    """Whether a new entry makes an old one of its file superfluous."""
    return new.kind != "refused" and old.kind == "draft" and new.case_id == old.case_id


def _cannot_read(path: Path, error: Exception) -> str:
    kept = f"Earlier work that was not sent is kept in {path}"
    if isinstance(error, NoKey):
        return (
            f"{kept}, and its key is not here: it was closed with an earlier token, or the keyring is locked. Unlock "
            f"the keyring, or give the earlier token in {EARLIER}."
        )
    why = error.strerror if isinstance(error, OSError) else "its beginning is damaged"
    return f"{kept}, and it cannot be read: {why}. The file stays as it is."


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
