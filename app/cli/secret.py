"""`secret`: what sources and sinks sign and sign in with, kept in the machine's keyring."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any

from app.cli.opening import workspace_of
from app.cli.output import emit, narrate, say

if TYPE_CHECKING:
    from app.model.errors import Unavailable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LONGEST = 64 * 1024


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    group = commands.add_parser("secret", parents=[common], help="secrets of sources and sinks")
    acts = group.add_subparsers(metavar="ACT", required=True)
    put = acts.add_parser("set", parents=[common], help="keep a secret: asked for, or one line of standard input")
    put.set_defaults(run=_set)
    new = acts.add_parser("new", parents=[common], help="make a key for a webhook, keep it and print it once")
    new.set_defaults(run=_new)
    delete = acts.add_parser("delete", parents=[common], help="forget a secret")
    delete.set_defaults(run=_delete)
    for command in (put, new, delete):
        command.add_argument("name", metavar="NAME")
    for command in (new,):
        command.add_argument("--json", action="store_true")


def _account(arguments: argparse.Namespace) -> str:
    from app.connecting import account_of
    from app.model.errors import BadInput

    if not _NAME.fullmatch(arguments.name):
        raise BadInput("A secret's name has letters, digits, '.', '_' and '-', at most 64 of them.")
    return account_of(str(workspace_of(arguments).root), arguments.name)


def _set(arguments: argparse.Namespace) -> int:
    from app import keyrings

    account = _account(arguments)
    secret = _asked(arguments.name)
    if not keyrings.put(account, secret):
        raise _no_keyring(arguments.name)
    narrate(f"The secret '{arguments.name}' is in the keyring.")
    return 0


def _asked(name: str) -> str:
    """A secret from a hidden prompt, or the first line of standard input."""
    from app.model.errors import BadInput

    if sys.stdin.isatty():
        import getpass

        try:
            secret = getpass.getpass(f"{name}: ")
        except EOFError:
            secret = ""
    else:
        try:
            secret = sys.stdin.readline(_LONGEST + 1)
        except UnicodeDecodeError:
            raise BadInput("The secret is not UTF-8. Nothing was kept.") from None
    secret = secret.strip()
    if not secret or len(secret) > _LONGEST:
        raise BadInput(f"Expected a secret of 1 to {_LONGEST} characters in one line. Nothing was kept.")
    return secret


def _new(arguments: argparse.Namespace) -> int:
    from app import keyrings
    from app.deliver.webhooks import new_key
    from app.model.errors import Refused

    account = _account(arguments)
    if keyrings.get(account) is not None:
        raise Refused(
            f"There is a secret '{arguments.name}' already. Nothing was changed. Choose another name, which both sides "
            f"can use side by side, or `secondlook secret delete {arguments.name}` first."
        )
    key = new_key()
    if keyrings.put(account, key):
        narrate(f"The key '{arguments.name}' is in the keyring. Give it to the receiver; it is not shown again:")
    else:
        narrate(f"{_no_keyring(arguments.name)} This is the key; it is kept nowhere:")
    if arguments.json:
        emit({"name": arguments.name, "secret": key})
    else:
        say(key)
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    from app import keyrings

    account = _account(arguments)
    if keyrings.get(account) is None:
        narrate(f"There is no secret '{arguments.name}' in the keyring. Nothing was changed.")
        return 4
    keyrings.delete(account)
    if keyrings.get(account) is not None:
        raise _no_keyring(arguments.name)
    narrate(f"The secret '{arguments.name}' is forgotten.")
    return 0


def _no_keyring(name: str) -> Unavailable:
    from app.connecting import variable_of
    from app.model.errors import Unavailable

    variable = variable_of(name)
    return Unavailable(
        f"This machine's keyring does not work. Nothing was changed. Give the secret as {variable} in the environment, "
        f"or the name of a file that holds it as {variable}_FILE."
    )
