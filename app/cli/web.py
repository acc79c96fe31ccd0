"""`web`: the desk in a browser on this machine."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from app.cli.output import narrate, say

_OURS = ("127.0.0.1", "localhost")


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    web = commands.add_parser("web", parents=[common], help="the desk in a browser on this machine")
    web.add_argument("--port", type=int, default=8788, help="on 127.0.0.1; 0 takes a free one (8788)")
    web.add_argument("--host", default="127.0.0.1", help="127.0.0.1; nothing else is possible")
    web.add_argument("--open", action="store_true", help="open the browser as well")
    web.set_defaults(run=_web)


def _web(arguments: argparse.Namespace) -> int:
    from app.cli.opening import check_workspace
    from app.model.errors import SettingsError

    _check(arguments)
    check_workspace(arguments.workspace)
    try:
        from app.web.server import serve
    except ModuleNotFoundError as error:
        raise SettingsError(f"The desk in a browser needs {error.name}: pip install 'secondlook[web]'.") from None
    words = [sys.executable, "-m", "app.cli.web_tab"]
    words += [f"--workspace={arguments.workspace}"] if arguments.workspace else []
    words += [f"--as={arguments.person}"] if arguments.person else []
    serve(words, arguments.port, _Teller(arguments.open))
    narrate("The desks in the browser are closed; their cases are given back, their drafts are kept.")
    return 0


class _Teller:
    """Says each address that opens the desk."""

    def __init__(self, opens: bool) -> None:
        self._opens = opens
        self._first = True

    def __call__(self, address: str) -> None:
        if self._first:
            narrate("The desk opens in a browser on this machine with this address, until ctrl-c:")
        else:
            narrate("It is open. Another browser needs another address:")
        say(address)
        sys.stdout.flush()
        if self._first and self._opens:
            from app.oidc.browser import open_browser

            open_browser(address)
        self._first = False


def _check(arguments: argparse.Namespace) -> None:
    """Raises BadInput where others could reach the desk, or for a port that is none."""
    from app.model.errors import BadInput

    if arguments.host not in _OURS:
        raise BadInput(
            f"'{arguments.host}' could be reached from other machines, where the desk would be open to whoever holds "
            "the cookie, without encryption: it is served on 127.0.0.1 only. From elsewhere: `ssh -L 8788:127.0.0.1:"
            "8788 HOST`, or `secondlook serve` with a desk on each reviewer's machine."
        )
    if not 0 <= arguments.port <= 65535:
        raise BadInput("--port: expected a number up to 65535.")
