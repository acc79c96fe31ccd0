"""`officer`: who may open what is sealed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from app.cli.opening import opened_store, person_of, workspace_of
from app.cli.output import emit, iso, narrate, say, table

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from app.desk.officers import Shared
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
    retire.add_argument("--yes", action="store_true", help="do not ask")
    retire.set_defaults(run=_retire)
    listed = acts.add_parser("list", parents=[common], help="officers and their keys")
    listed.set_defaults(run=_list)
    for command in (setup, admit, share, rotate, retire, listed):
        command.add_argument("--json", action="store_true")


def unlocked(officer: Officer) -> X25519PrivateKey:
    """The private key of an officer on this machine."""
    from app import officer_key

    return officer_key.load(officer.key_id, officer_key.ask_passphrase)


def _new_key(person: str, passphrase: bool, replaces: bool = False) -> tuple[X25519PrivateKey, OfficerKey]:
    from app import officer_key

    private, public = officer_key.make(person)
    closed_with = (lambda: officer_key.ask_new_passphrase(replaces)) if passphrase else None
    where = officer_key.save(private, public.key_id, closed_with)
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
        mine = [o.key_id for o in there if o.person == person]
        here = [key_id for key_id in mine if officer_key.where(key_id)]
        if here:
            raise Refused(
                f"{person} is an officer already, and the key {here[-1]} is on this machine. "
                "`secondlook officer rotate` makes a new one."
            )
        _, public = _new_key(person, arguments.passphrase)
        line = officer_key.to_line(public)
        if there:
            narrate(f'Hand this line to an officer, who lets you in with `secondlook officer admit "{line}"`')
            if mine:
                narrate(f"and takes the lost key out of use with `secondlook officer retire {mine[-1]}`:")
        else:
            officers.begin(store, public, wall_clock())
            narrate(f"{person} is the first officer. From now on withheld values are kept, sealed to this key.")
    _answer(arguments, line, key=public.key_id, line=line, active=not there)
    return 0


def _answer(arguments: argparse.Namespace, text: str, **facts: object) -> None:
    """One line for a person, or the same as JSON."""
    if arguments.json:
        emit(facts)
    elif text:
        say(text)


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
        count = _hand_on(store, mine, private, newcomer.key_id)
    _answer(arguments, "", key=newcomer.key_id, person=newcomer.person, shared=count.done, failed=count.failed)
    return 0


def _share(arguments: argparse.Namespace) -> int:
    from app.desk import officers

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        mine = officers.of_person(store, person_of(arguments, workspace))
        count = _hand_on(store, mine, unlocked(mine), arguments.key)
    _answer(arguments, "", key=arguments.key, shared=count.done, failed=count.failed)
    return 1 if count.failed else 0


def _hand_on(store: Store, mine: Officer, private: X25519PrivateKey, key_id: str) -> Shared:
    """Seals older cases' data keys to another key as well."""
    from app.desk import officers
    from app.desk.base import wall_clock

    count = officers.share(store, mine, private, key_id, wall_clock())
    narrate(f"{count.done} older cases can be opened with {key_id} now.")
    if count.failed:
        narrate(f"{count.failed} were left out: {mine.key_id} does not open them, or they were changed.")
    return count


def _rotate(arguments: argparse.Namespace) -> int:
    from app.desk import officers
    from app.desk.base import wall_clock

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        mine = officers.of_person(store, person_of(arguments, workspace))
        old = unlocked(mine)
        _, public = _new_key(mine.person, arguments.passphrase, replaces=True)
        officers.admit(store, mine, old, public, wall_clock())
        count = _hand_on(store, mine, old, public.key_id)
        if not count.failed:
            officers.retire(store, mine, old, mine.key_id, wall_clock())
    if count.failed:
        narrate(f"The old key {mine.key_id} stays in use, since it may be needed for those. Nothing was lost.")
    else:
        narrate(f"The old key {mine.key_id} is out of use. Delete its private half where it lies.")
    _answer(arguments, public.key_id, key=public.key_id, shared=count.done, failed=count.failed)
    return 1 if count.failed else 0


def _retire(arguments: argparse.Namespace) -> int:
    from app import officer_key
    from app.desk import officers
    from app.desk.base import wall_clock
    from app.model.errors import Unavailable

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store:
        mine = officers.of_person(store, person_of(arguments, workspace))
        _confirm_retiring(arguments, officers.sealed_counts(store).get(arguments.key, 0))
        try:
            private = officer_key.load(mine.key_id, officer_key.ask_passphrase)
        except Unavailable:
            # Lost, perhaps. Where others are left, one of them has to do it.
            private = None
        dropped = officers.retire(store, mine, private, arguments.key, wall_clock(), arguments.last)
    narrate(f"The key {arguments.key} is out of use; {dropped} data keys that were sealed to it are deleted.")
    _answer(arguments, "", key=arguments.key, deleted=dropped)
    return 0


def _confirm_retiring(arguments: argparse.Namespace, cases: int) -> None:
    from app.model.errors import BadInput

    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise BadInput("Retiring a key cannot be undone: add --yes. Nothing was changed.")
    narrate(f"The key {arguments.key} opens {cases} cases; it will open none. Type the key's name to go on:")
    if sys.stdin.readline().strip() != arguments.key:
        raise BadInput("Nothing was changed.")


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
