"""`login` and `logout`: a hub's token into the keyring, and out of it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from app.cli.output import emit, narrate


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    login = commands.add_parser("login", parents=[common], help="sign in to a hub with a token")
    login.set_defaults(run=_login)
    logout = commands.add_parser("logout", parents=[common], help="forget a hub's token")
    logout.set_defaults(run=_logout)
    for command in (login, logout):
        command.add_argument("hub", metavar="URL", help="https://HUB")
    login.add_argument("--json", action="store_true")


def _login(arguments: argparse.Namespace) -> int:
    from app import keyrings
    from app.desk.remote import RemoteDesk
    from app.model.errors import Unavailable
    from app.signing_in import VARIABLE, account_of

    token = _asked()
    desk = RemoteDesk(arguments.hub, token)
    desk.close()
    if not keyrings.put(account_of(arguments.hub), token):
        raise Unavailable(
            f"The token is good, and this machine's keyring does not work: it was kept nowhere. Set {VARIABLE}, or "
            f"{VARIABLE}_FILE to a file that only you may read."
        )
    narrate(f"Signed in to {arguments.hub} as {desk.person}; the token is in the keyring.")
    narrate(f"Set SECONDLOOK_HUB={arguments.hub}, and `secondlook` opens the desk there.")
    if arguments.json:
        emit({"hub": arguments.hub, "person": desk.person, "queues": list(desk.queues)})
    return 0


def _asked() -> str:
    """A token from a hidden prompt, or the first line of standard input."""
    from app.model.errors import BadInput

    if sys.stdin.isatty():
        import getpass

        try:
            token = getpass.getpass("token: ")
        except EOFError:
            token = ""
    else:
        token = sys.stdin.readline(4096)
    token = token.strip()
    if not token.isascii() or not token or " " in token:
        raise BadInput("Expected a token in one line: `secondlook token new` makes one where the hub runs.")
    return token


def _logout(arguments: argparse.Namespace) -> int:
    from app import keyrings
    from app.signing_in import account_of

    account = account_of(arguments.hub)
    if keyrings.get(account) is None:
        narrate(f"Nobody is signed in to {arguments.hub} here. Nothing was changed.")
        return 4
    keyrings.delete(account)
    narrate("The token is forgotten here. `secondlook token revoke` ends it for everybody.")
    return 0
