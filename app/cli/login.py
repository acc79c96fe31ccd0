"""`login` and `logout`: a hub's token into the keyring, and out of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.output import emit, iso, narrate

if TYPE_CHECKING:
    from app.signing_in import Offer


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    login = commands.add_parser("login", parents=[common], help="sign in to a hub, with its provider or with a token")
    login.set_defaults(run=_login)
    logout = commands.add_parser("logout", parents=[common], help="forget a hub's token")
    logout.set_defaults(run=_logout)
    for command in (login, logout):
        command.add_argument("hub", metavar="URL", help="https://HUB")
    way = login.add_mutually_exclusive_group()
    way.add_argument("--token", action="store_true", help="with a token of `secondlook token new`: asks for it")
    way.add_argument("--browser", action="store_true", help="with the browser of this machine")
    way.add_argument("--device", action="store_true", help="with a browser on another machine, and a code")
    login.add_argument("--file", type=Path, metavar="FILE", help="keep the token in a file instead of the keyring")
    login.add_argument("--json", action="store_true")


def _login(arguments: argparse.Namespace) -> int:
    from app.desk.remote import RemoteDesk

    token, until = _token(arguments)
    desk = RemoteDesk(arguments.hub, token)
    desk.close()
    _keep(arguments, token)
    where = str(arguments.file or "the keyring")
    ends = f", valid until {iso(until)}" if until else ""
    narrate(f"Signed in to {arguments.hub} as {desk.person}; the token is in {where}{ends}.")
    narrate(f"Set SECONDLOOK_HUB={arguments.hub}, and `secondlook` opens the desk there.")
    if arguments.file:
        from app.signing_in import VARIABLE

        narrate(f"Set {VARIABLE}_FILE={arguments.file.absolute()} as well.")
    if arguments.json:
        more = {"expires_at": iso(until)} if until else {}
        emit({"hub": arguments.hub, "person": desk.person, "queues": list(desk.queues), **more})
    return 0


def _token(arguments: argparse.Namespace) -> tuple[str, int | None]:
    """A token and until when it is good, as far as that is known: given by hand, or by the hub's provider."""
    from app.model.errors import BadInput
    from app.signing_in import offer_of, sign_in

    chosen = arguments.browser or arguments.device
    given = "" if chosen or sys.stdin.isatty() else _from_stdin()
    if arguments.token or given:
        return _checked(given or _asked()), None
    offer = offer_of(arguments.hub)
    if offer is None:
        if chosen:
            raise BadInput(f"{arguments.hub} has no provider to sign in with: leave --browser and --device out.")
        return _checked(_asked()), None
    if not arguments.file:
        _check_keyring(arguments.hub)
    found = sign_in(arguments.hub, offer, _by_device(arguments, offer), narrate)
    return found.token, found.until


def _by_device(arguments: argparse.Namespace, offer: Offer) -> bool:
    """Whether to sign in with another machine's browser: as asked for, else where this one has none."""
    from app.model.errors import Refused
    from app.oidc.browser import has_browser

    if arguments.device and not offer.device:
        raise Refused(f"{arguments.hub} does not allow sign-ins from machines without a browser ([hub.oidc] device).")
    return bool(arguments.device or (offer.device and not arguments.browser and not has_browser()))


def _check_keyring(hub: str) -> None:
    """Raises Unavailable where a token could be kept nowhere: better said before somebody signs in."""
    from app import keyrings
    from app.model.errors import Unavailable
    from app.signing_in import VARIABLE

    if not keyrings.probe().works:
        raise Unavailable(
            f"This machine has no keyring that works, so that the token would be kept nowhere. `secondlook login {hub} "
            f"--file FILE` keeps it in a file that only you may read; {VARIABLE} takes one of `secondlook token new`."
        )


def _keep(arguments: argparse.Namespace, token: str) -> None:
    from app import keyrings
    from app.model.errors import Unavailable
    from app.signing_in import VARIABLE, account_of, keep_in_file

    if arguments.file:
        keep_in_file(arguments.file, token)
    elif not keyrings.put(account_of(arguments.hub), token):
        raise Unavailable(
            f"The token is good, and this machine's keyring does not work: it was kept nowhere. Set {VARIABLE}, or "
            f"{VARIABLE}_FILE to a file that only you may read."
        )


def _asked() -> str:
    """A token from a hidden prompt; nothing where nobody can be asked."""
    if not sys.stdin.isatty():
        return ""
    import getpass

    try:
        return getpass.getpass("token: ")
    except EOFError:
        return ""


def _from_stdin() -> str:
    """The first line of standard input."""
    return sys.stdin.readline(4096).strip()


def _checked(token: str) -> str:
    """A token without the space around it. Raises BadInput for what cannot be one."""
    from app.model.errors import BadInput

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
