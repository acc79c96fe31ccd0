"""`token`: who may use the hub, and what they may do there."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli.opening import opened_store, person_of, workspace_of
from app.cli.output import emit, iso, narrate, say, table
from app.model.rights import ROLES

_DAY_MS = 86_400_000


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    group = commands.add_parser("token", parents=[common], help="who may use the hub")
    acts = group.add_subparsers(metavar="ACT", required=True)
    new = acts.add_parser("new", parents=[common], help="make a token and print it once")
    new.add_argument("person", metavar="PERSON")
    new.add_argument("--role", action="append", required=True, choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    new.add_argument("--days", type=_days, default=90, metavar="N", help="valid for so many days (90)")
    new.set_defaults(run=_new)
    listed = acts.add_parser("list", parents=[common], help="all tokens, without the tokens themselves")
    listed.set_defaults(run=_list)
    revoke = acts.add_parser("revoke", parents=[common], help="end a token at once")
    revoke.add_argument("token_id", metavar="ID")
    revoke.set_defaults(run=_revoke)
    for command in (new, listed, revoke):
        command.add_argument("--json", action="store_true")


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= 3650:
        raise argparse.ArgumentTypeError("a number of days, at most 3650")
    return days


def _new(arguments: argparse.Namespace) -> int:
    import secrets

    from app.audit import log
    from app.desk.base import wall_clock
    from app.hub.tokens import digest, new_token
    from db import tokens

    workspace = workspace_of(arguments)
    token, now = new_token(), wall_clock()
    kept = tokens.Token(
        token_id=secrets.token_hex(6),
        person=arguments.person,
        roles=" ".join(dict.fromkeys(arguments.role)),
        created_at=now,
        expires_at=now + round(arguments.days * _DAY_MS),
        revoked_at=None,
    )
    with opened_store(workspace) as store, store.write() as connection:
        tokens.keep(connection, kept, digest(token))
        log.append(
            connection, now, person_of(arguments, workspace), "token_made", None,
            {"token": kept.token_id, "person": kept.person, "roles": kept.roles},
        )  # fmt: skip
    narrate(f"A token for {kept.person} ({kept.roles}), valid until {iso(kept.expires_at)}. It is shown only now.")
    if arguments.json:
        emit({"id": kept.token_id, "token": token, "expires_at": iso(kept.expires_at)})
    else:
        say(token)
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from db import tokens

    with opened_store(workspace_of(arguments)) as store, store.read() as connection:
        found = tokens.listed(connection)
    rows = [
        {
            "id": token.token_id,
            "person": token.person,
            "roles": token.roles.split(),
            "created_at": iso(token.created_at),
            "expires_at": iso(token.expires_at),
            "revoked_at": iso(token.revoked_at),
        }
        for token in found
    ]
    if arguments.json:
        emit(rows)
    elif found:
        header = ("id", "person", "roles", "expires", "revoked")
        table(header, [(t.token_id, t.person, t.roles, iso(t.expires_at), iso(t.revoked_at)) for t in found])
    else:
        narrate("There are no tokens. `secondlook token new PERSON --role reviewer` makes one.")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    from app.audit import log
    from app.desk.base import wall_clock
    from app.model.errors import BadInput
    from db import tokens

    workspace = workspace_of(arguments)
    with opened_store(workspace) as store, store.write() as connection:
        now = wall_clock()
        if not tokens.revoke(connection, arguments.token_id, now):
            raise BadInput(f"There is no valid token '{arguments.token_id}'. `secondlook token list` shows them.")
        log.append(
            connection, now, person_of(arguments, workspace), "token_revoked", None, {"token": arguments.token_id}
        )
    narrate("The token is worth nothing from now on.")
    if arguments.json:
        emit({"id": arguments.token_id, "revoked": True})
    return 0
