"""`serve`: the hub."""

from __future__ import annotations

import argparse
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.opening import workspace_of
from app.cli.output import narrate

if TYPE_CHECKING:
    from app.hub.hub import Hub
    from app.settings import Workspace
    from db.engine import Store


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the command."""
    serve = commands.add_parser("serve", parents=[common], help="the hub: the desk over HTTP")
    serve.add_argument("--host", default="127.0.0.1", help="where to listen; other than loopback only with TLS")
    serve.add_argument("--port", type=int, default=8787)
    serve.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM)")
    serve.add_argument("--tls-key", metavar="FILE", help="its key (PEM)")
    serve.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> int:
    from app.background import Background
    from app.model.errors import SettingsError
    from db.engine import open_store

    try:
        from app.hub import server
        from app.hub.app import HubApp
    except ModuleNotFoundError as error:
        raise SettingsError(f"The hub needs {error.name}: pip install 'secondlook[hub]'.") from None
    _check(arguments)
    workspace = workspace_of(arguments)
    workspace.check_database()
    store = open_store(workspace.database_url)
    background = Background(workspace, lambda: None)
    try:
        app = HubApp(_hub(workspace, store))
        listening = server.listen(arguments.host, arguments.port)
        background.start()
        scheme = "https" if arguments.tls_cert else "http"
        host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
        narrate(f"The hub listens at {scheme}://{host}:{listening.getsockname()[1]} until ctrl-c.")
        server.run(
            app,
            listening,
            ssl_certfile=arguments.tls_cert,
            ssl_keyfile=arguments.tls_key,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=30,
        )
    finally:
        background.stop()
        store.close()
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Raises BadInput where tokens would travel in the open."""
    from app.model.errors import BadInput

    if bool(arguments.tls_cert) != bool(arguments.tls_key):
        raise BadInput("--tls-cert and --tls-key belong together.")
    for file in filter(None, (arguments.tls_cert, arguments.tls_key)):
        if not Path(file).is_file():
            raise BadInput(f"There is no file {file}.")
    if not arguments.tls_cert and not _is_loopback(arguments.host):
        raise BadInput(
            f"'{arguments.host}' can be reached from other machines: give --tls-cert and --tls-key, or let a proxy "
            "with TLS on this machine pass requests on to 127.0.0.1."
        )
    if not 0 <= arguments.port <= 65535:
        raise BadInput("--port: expected a number up to 65535.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hub(workspace: Workspace, store: Store) -> Hub:
    from app.desk.open import routes_of
    from app.hub.hub import Hub

    settings = workspace.settings
    hub = Hub(store, dict(settings.queues), workspace.rubrics, workspace.keys(), routes_of(settings))
    if settings.hub.oidc:
        try:
            from app.hub.id_tokens import IdTokens
        except ModuleNotFoundError as error:
            from app.model.errors import SettingsError

            raise SettingsError(f"[hub.oidc] needs {error.name}: pip install 'secondlook[hub]'.") from None
        hub.id_tokens = IdTokens(settings.hub.oidc)
    return hub
