"""`officer`: who may open what is sealed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, person_of, workspace_of
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from app.protect.envelope import OfficerKey
    from db.engine import Store
    from db.sealed import Officer


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    officer = commands.add_parser("officer", help="who may open withheld values")
    acts = officer.add_subparsers(metavar="ACT", required=True)
    setup = acts.add_parser("setup", parents=[common], help="make a key pair for yourself")
    setup.add_argument("--passphrase", action="store_true", help="keep the private key in a file a passphrase opens")
    setup.set_defaults(run=_setup)
    admit = acts.add_parser("admit", parents=[common], help="let another officer in, by their public line")
    admit.add_argument("line", metavar="LINE", help="what `officer setup` printed for them")
    admit.set_defaults(run=_admit)
    share = acts.add_parser("share", parents=[common], help="hand older cases on to another officer's key")
    share.add_argument("key", metavar="KEY")
    share.set_defaults(run=_share)
    rotate = acts.add_parser("rotate", parents=[common], help="a new key pair for yourself, in place of the old one")
    rotate.add_argument("--passphrase", action="store_true", help="keep the new key in a file a passphrase opens")
    rotate.set_defaults(run=_rotate)
    retire = acts.add_parser("retire", parents=[common], help="take a key out of use")
    retire.add_argument("key", metavar="KEY")
    retire.add_argument("--last", action="store_true", help="even the last one: sealed values are given up for good")
    retire.set_defaults(run=_retire)
    listed = acts.add_parser("list", parents=[common], help="officers and their keys")
    listed.add_argument("--json", action="store_true")
    listed.set_defaults(run=_list)


def unlocked(officer: Officer) -> X25519PrivateKey:
    """The private key of an officer on this machine."""
    from app import officer_key

    return officer_key.load(officer.key_id, officer_key.ask_passphrase)


def _new_key(person: str, passphrase: bool) -> tuple[X25519PrivateKey, OfficerKey]:
    from app import officer_key

    private, public = officer_key.make(person)
    where = officer_key.save(
        private, public.key_id, (lambda: officer_key.ask_passphrase(twice=True)) if passphrase else None
    )
    narrate(f"Made the key {public.key_id} for {person}. The private key lives in {where}. Keep a copy of it safe:")
    narrate("when every officer's key is lost, sealed values are lost; cases, decisions and the log are not.")
    return private, public


def _setup(arguments: argparse.Namespace) -> int:
    from app import officer_key
    from app.desk import officers
    from app.desk.base import wall_clock
    from app.model.errors import Refused

    workspace = workspace_of(arguments)
    person = person_of(arguments, workspace)
    with opened_store(workspace) as store:
        there = officers.officers(store)
        if any(o.person == person for o in there):
            raise Refused(f"{person} is an officer already. `secondlook officer rotate` makes a new key.")
        _, public = _new_key(person, arguments.passphrase)
        if there:
            narrate("Hand this line to an officer, who lets you in with `secondlook officer admit LINE`:")
        else:
            officers.begin(store, public, wall_clock())
            narrate(f"{person} is the first officer. From now on withheld values are kept, sealed to this key.")
    say(officer_key.to_line(public))
    return 0


def _admit(arguments: argparse.Namespace) -> int:
    from app import officer_key
    from app.desk import officers
    from app.desk.base import wall_clock

    workspace = workspace_of(arguments)
    newcomer = officer_key.from_line(arguments.line)
    with opened_store(workspace) as store:
        mine = officers.of_person(store, person_of(arguments, workspace))
        private = unlocked(mine)
        officers.admit(store, mine, private, newcomer, wall_clock())
        narrate(f"{newcomer.person} is an officer: new cases are sealed to the key {newcomer.key_id} as well.")
        _hand_on(store, mine, private, newcomer.key_id)
    return 0


def _share(arguments: argparse.Namespace) -> int:
    from app.desk import officers

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        mine = officers.of_person(store, person_of(arguments, workspace))
        _hand_on(store, mine, unlocked(mine), arguments.key)
    return 0


def _hand_on(store: Store, mine: Officer, private: X25519PrivateKey, key_id: str) -> int:
    """Seals older cases' data keys to another key as well; returns how many did not open."""
    from app.desk import officers
    from app.desk.base import wall_clock

    count = officers.share(store, mine, private, key_id, wall_clock())
    narrate(f"{count.done} older cases can be opened with {key_id} now.")
    if count.failed:
        narrate(f"{count.failed} were left out: {mine.key_id} does not open them, or they were changed.")
    return count.failed


def _rotate(arguments: argparse.Namespace) -> int:
    from app.desk import officers
    from app.desk.base import wall_clock

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        mine = officers.of_person(store, person_of(arguments, workspace))
        old = unlocked(mine)
        _, public = _new_key(mine.person, arguments.passphrase)
        officers.admit(store, mine, old, public, wall_clock())
        failed = _hand_on(store, mine, old, public.key_id)
        if failed:
            narrate(f"The old key {mine.key_id} stays in use, since it may be needed for those. Nothing was lost.")
            return 1
        officers.retire(store, mine.person, mine.key_id, wall_clock())
        narrate(f"The old key {mine.key_id} is out of use. Delete its private half where it lies.")
    say(public.key_id)
    return 0


def _retire(arguments: argparse.Namespace) -> int:
    from app.desk import officers
    from app.desk.base import wall_clock

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        dropped = officers.retire(store, person_of(arguments, workspace), arguments.key, wall_clock(), arguments.last)
    narrate(f"The key {arguments.key} is out of use; {dropped} data keys that were sealed to it are deleted.")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from app import officer_key
    from app.desk import officers

    with opened_store(workspace_of(arguments)) as store:
        found = officers.officers(store, everything=True)
        counts = officers.sealed_counts(store)
    rows = [
        {
            "person": o.person,
            "key": o.key_id,
            "cases": counts.get(o.key_id, 0),
            "added_at": iso(o.added_at),
            "retired_at": iso(o.retired_at),
            "private_key": officer_key.where(o.key_id) if o.retired_at is None else None,
        }
        for o in found
    ]
    if arguments.json:
        emit(rows)
        return 0
    if not rows:
        narrate("There is no officer: withheld values are not kept at all. `secondlook officer setup` makes one.")
        return 0
    table(
        ("person", "key", "cases", "since", "private key"),
        [(r["person"], r["key"], r["cases"], r["added_at"],
          f"retired {r['retired_at']}" if r["retired_at"] else r["private_key"] or "not on this machine")
         for r in rows],
    )  # fmt: skip
    return 0
