"""`init` and `paths`: making a workspace, and saying where things are."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from app.cli.output import emit, narrate, say

_TEMPLATE = """\
# A secondlook workspace. Every key is explained in docs/settings.md.

[desk]
# person = "ada"            # who works here; otherwise the name of the account
# theme = "secondlook"      # ctrl+p lists the themes
# idle_seconds = 60         # a longer pause does not count as time spent

[desk.keys]
# "case.skip" = "S"         # binding id = keys; `?` in the desk lists the ids

[secrets]
store = "{store}"
check = "{check}"          # tells this workspace's key from others

[queues.credit]
title = "Adverse credit decisions"
rubric = "adverse-credit-decision"
provisional = true          # judge first, then see the model's answer
lease_minutes = 15
undo_minutes = 5

[queues.summaries]
title = "Ungrounded summaries"
rubric = "ungrounded-summary"

[queues.moderation]
title = "Content moderation"
rubric = "content-moderation"

# Per queue, where the defaults do not fit:
# withhold = ["profession"]              # more inputs to withhold
# show = ["telephone"]                   # of the default list, shown all the same
# reveals = {{ religion = ["employer"] }}  # inputs that give a withheld attribute away
# due = {{ critical = 60, high = 480, medium = 2880, low = 10080 }}   # minutes
# csv.columns = {{ "PD_SCORE" = "score", "DECISION" = "label" }}
"""


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Adds the commands."""
    init = commands.add_parser("init", parents=[common], help="make a workspace")
    init.add_argument("folder", nargs="?", metavar="DIR", help="where (default: here)")
    init.add_argument("--require-keyring", action="store_true", help="refuse to keep the key in a file")
    init.add_argument("--new-key", action="store_true", help="another key for a workspace that has lost its own")
    init.add_argument("--json", action="store_true")
    init.set_defaults(run=_init)
    paths = commands.add_parser("paths", parents=[common], help="say where things are")
    paths.add_argument("--json", action="store_true")
    paths.set_defaults(run=_paths)


def make_workspace(root: Path, require_keyring: bool = False) -> str:
    """Makes settings, key and database; returns where the key lives. Raises BadInput if there is one."""
    from app.model.errors import BadInput
    from app.secrets import create_key, load_keys
    from app.settings import load_workspace
    from app.workspace_place import SETTINGS_FILE
    from db.engine import open_store

    if (root / SETTINGS_FILE).exists():
        raise BadInput(f"{root} is a workspace already. Nothing was changed.")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = create_key(root, require_keyring)
    (root / "rubrics").mkdir(exist_ok=True)
    (root / SETTINGS_FILE).write_text(_TEMPLATE.format(store=store, check=load_keys(root, store).check))
    open_store(load_workspace(root).database_url).close()
    return store


def _init(arguments: argparse.Namespace) -> int:
    from app.secrets import whereabouts

    root = Path(arguments.folder or arguments.workspace or ".").expanduser().resolve()
    if arguments.new_key:
        return _new_key(root, arguments)
    store = make_workspace(root, arguments.require_keyring)
    where = whereabouts(root, store) + (", which only you may read" if store == "file" else "")
    narrate(f"Made a workspace in {root} with the queues credit, summaries and moderation.")
    narrate(f"Its key lives in {where}. Back it up: pseudonyms and quarantined records need it.")
    if arguments.json:
        emit({"workspace": str(root), "secrets": store})
    else:
        say(str(root))
    return 0


def _new_key(root: Path, arguments: argparse.Namespace) -> int:
    """Another workspace key, where the old one is lost. What the old one closed stays closed."""
    import re

    from app.audit import log
    from app.cli.opening import opened_store, person_of
    from app.desk.base import wall_clock
    from app.model.errors import Refused, Unavailable
    from app.secrets import create_key, load_keys, whereabouts
    from app.settings import load_workspace
    from app.workspace_place import SETTINGS_FILE

    workspace = load_workspace(root)
    try:
        workspace.keys()
    except Unavailable:
        pass
    else:
        raise Refused("The workspace key is here and the right one. Nothing was changed.")
    store = create_key(root, arguments.require_keyring, afresh=True)
    check = load_keys(root, store).check
    settings = (root / SETTINGS_FILE).read_text(encoding="utf-8")
    for name, value in (("store", store), ("check", check)):
        settings = re.sub(rf'(?m)^{name} = "[^"]*"', f'{name} = "{value}"', settings, count=1)
    (root / SETTINGS_FILE).write_text(settings, encoding="utf-8")
    # They are signed with the old key: `audit verify --checkpoint FILE --vkey OLD` still checks them.
    signed = root / "checkpoints"
    if signed.exists():
        signed.rename(root / f"checkpoints-before-{check}")
    with opened_store(workspace) as opened, opened.write() as connection:
        log.append(connection, wall_clock(), person_of(arguments, workspace), "rekeyed", None, {"check": check})
    narrate(
        f"Made another workspace key; it lives in {whereabouts(root, store)}. The old one, if it turns up, still opens"
    )
    narrate(
        "what was quarantined. Checkpoints are signed by another key from now on: hand out `audit checkpoint` anew."
    )
    if arguments.json:
        emit({"workspace": str(root), "secrets": store, "check": check})
    return 0


def _paths(arguments: argparse.Namespace) -> int:
    import platformdirs

    from app.bundled import bundled
    from app.cli.opening import workspace_of
    from app.secrets import KEY_FILE
    from app.settings import DATABASE_FILE
    from app.workspace_place import SETTINGS_FILE

    workspace = workspace_of(arguments)
    elsewhere = os.environ.get("SECONDLOOK_DATABASE_URL")
    found: dict[str, Path | str] = {
        "workspace": workspace.root,
        "settings": workspace.root / SETTINGS_FILE,
        # A URL may hold a password.
        "database": "as SECONDLOOK_DATABASE_URL says" if elsewhere else workspace.root / DATABASE_FILE,
        "rubrics": workspace.root / "rubrics",
        "shipped_rubrics": bundled("rubrics"),
        "samples": bundled("samples"),
        "screenshots": Path(platformdirs.user_pictures_dir()),
    }
    if workspace.hub:
        from app.desk.journal import folder_of

        found["unsent"] = folder_of(workspace.hub)
    if workspace.settings.secrets.store == "file":
        found["key"] = workspace.root / KEY_FILE
    if arguments.json:
        emit({name: str(path) for name, path in found.items()})
    else:
        for name, path in found.items():
            say(f"{name:16} {path}")
    return 0
