"""Officers: who may open what is sealed. The first one sets themself up; every other is let in by an officer who
proves, with their private key, to be one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.audit import log
from app.model.errors import BadInput, NothingToDo, Refused
from app.protect.envelope import OfficerKey, fingerprint, place, reseal
from db import sealed
from db.engine import Connection, Store
from db.sealed import Officer, Placed

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

# Data keys in one transaction: others get their turn in between.
_CHUNK = 500


@dataclass(slots=True)
class Shared:
    """How many cases' data keys were handed on, and how many this key does not open."""

    done: int = 0
    failed: int = 0


def officers(store: Store, everything: bool = False) -> list[Officer]:
    """Keys in use, oldest first; `everything` includes retired ones."""
    with store.read() as connection:
        return sealed.officers(connection, everything)


def sealed_counts(store: Store) -> dict[str, int]:
    """How many cases each key opens."""
    with store.read() as connection:
        return sealed.counts(connection)


def begin(store: Store, officer: OfficerKey, now: int) -> None:
    """Makes the first officer. Raises Refused where there is one already."""
    with store.write() as connection:
        if sealed.officers(connection):
            raise Refused("There is an officer already; only an officer can let another in.")
        _add(connection, officer, officer.person, now)


def admit(store: Store, by: Officer, private: X25519PrivateKey, officer: OfficerKey, now: int) -> None:
    """Lets an officer in; `private` is the key of the one who does. New cases are sealed to both from now on."""
    _prove(by, private)
    with store.write() as connection:
        if any(o.key_id == officer.key_id for o in sealed.officers(connection, everything=True)):
            raise BadInput(f"The key {officer.key_id} is known already. Nothing was changed.")
        _active(connection, by.key_id)
        _add(connection, officer, by.person, now)


def share(store: Store, by: Officer, private: X25519PrivateKey, key_id: str, now: int) -> Shared:
    """Hands the data keys that `private` opens on to another officer's key. Can be stopped and
    begun again: what was handed on stays.
    """
    _prove(by, private)
    with store.read() as connection:
        officer = _active(connection, key_id)
    count = Shared()
    refused: set[int] = set()
    while True:
        with store.read() as connection:
            chunk = _next_keys(connection, by.key_id, key_id, refused)
        if not chunk:
            break
        rows: list[dict[str, Any]] = []
        for item in chunk:
            where = place(item.queue, item.external_id, item.content_hash)
            try:
                resealed = reseal(private, item.sealed, officer, where)
            except ValueError:
                refused.add(item.case_id)
                continue
            rows.append({"case_id": item.case_id, "key_id": key_id, "sealed": resealed})
        with store.write() as connection:
            # A case that was erased in between must not get a key again.
            there = {row["case_id"] for row in rows if sealed.key(connection, row["case_id"], by.key_id)}
            sealed.keep(connection, [], [row for row in rows if row["case_id"] in there])
        count.done += len(there)
    count.failed = len(refused)
    with store.write() as connection:
        data: dict[str, int | str] = {"key": key_id, "cases": count.done, "failed": count.failed}
        log.append(connection, now, by.person, "keys_shared", None, data)
    return count


def retire(
    store: Store, by: Officer, private: X25519PrivateKey | None, key_id: str, now: int, last: bool = False
) -> int:
    """Takes a key out of use and deletes what was sealed to it; returns how many data keys that were.

    `by` proves with `private` to be an officer. Without it only the last key of all can go, since nobody may be left
    who could prove anything. Raises Refused for the last key, unless `last`: what is sealed could not be opened by
    anybody, and is deleted.
    """
    if private is not None:
        _prove(by, private)
    with store.write() as connection:
        _active(connection, key_id)
        _active(connection, by.key_id)
        alone = len(sealed.officers(connection)) == 1
        if private is None and not alone:
            raise Refused("Another officer has to do this, with their key. Nothing was changed.")
        if alone and not last:
            raise Refused(
                f"{key_id} is the last officer's key: without it nobody can open what is sealed. Let another officer "
                "in first, or add --last to give the sealed values up for good."
            )
        dropped = sealed.retire_officer(connection, key_id, now)
        if alone:
            sealed.drop_values(connection)
        log.append(connection, now, by.person, "officer_retired", None, {"key": key_id, "cases": dropped})
        return dropped


def _add(connection: Connection, officer: OfficerKey, by: str, now: int) -> None:
    sealed.add_officer(connection, officer.key_id, officer.person, officer.public, now)
    digest = hashlib.sha256(officer.public).hexdigest()
    data: dict[str, int | str] = {"key": officer.key_id, "person": officer.person, "public": digest}
    log.append(connection, now, by, "officer_added", None, data)


def _prove(by: Officer, private: X25519PrivateKey) -> None:
    if fingerprint(private.public_key().public_bytes_raw()) != by.key_id:
        raise Refused(f"This is not the private key of {by.person}. Nothing was changed.")


def _active(connection: Connection, key_id: str) -> OfficerKey:
    for officer in sealed.officers(connection):
        if officer.key_id == key_id:
            return OfficerKey(officer.person, officer.public_key)
    raise BadInput(f"There is no officer's key {key_id} in use. `secondlook officer list` shows them.")


def of_person(store: Store, person: str) -> Officer:
    """The newest key in use of a person. Raises NothingToDo without any officer, Refused for somebody who is none."""
    active = officers(store)
    mine = [officer for officer in active if officer.person == person]
    if mine:
        return mine[-1]
    if not active:
        raise NothingToDo("There is no officer yet. `secondlook officer setup` makes the first one.")
    raise Refused(f"{person} is no officer here. Officers: {', '.join(dict.fromkeys(o.person for o in active))}.")


def _next_keys(connection: Connection, key_id: str, lacking: str, refused: set[int]) -> list[Placed]:
    for chunk in sealed.keys_of(connection, key_id, lacking, _CHUNK + len(refused)):
        return [item for item in chunk if item.case_id not in refused]
    return []
