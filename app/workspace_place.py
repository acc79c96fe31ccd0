"""Where the workspace is. Importing this loads no validation library, so the desk may ask before it paints."""

from __future__ import annotations

import os
from pathlib import Path

from app.model.errors import BadInput

SETTINGS_FILE = "secondlook.toml"


def hub_of(given: str | None) -> str:
    """The address of the hub to work through: SECONDLOOK_HUB, unless a workspace is named."""
    named = given or os.environ.get("SECONDLOOK_WORKSPACE")
    return "" if named else os.environ.get("SECONDLOOK_HUB", "").strip()


def place_of(given: str | None) -> Path:
    """The workspace's folder: `--workspace`, SECONDLOOK_WORKSPACE, or around the current folder; through a hub, the
    folder for one's own settings, which need not be there.

    Raises BadInput where there is none.
    """
    if hub_of(given):
        import platformdirs

        return Path(platformdirs.user_config_dir("secondlook"))
    named = given or os.environ.get("SECONDLOOK_WORKSPACE")
    if named:
        root = Path(named).expanduser()
        if not (root / SETTINGS_FILE).exists():
            raise BadInput(f"{root} is no workspace: it has no {SETTINGS_FILE}. `secondlook init {root}` makes one.")
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / SETTINGS_FILE).exists():
            return folder
    raise BadInput(
        "There is no workspace here. `secondlook init` makes one in this folder, `secondlook demo` shows a "
        "sample; --workspace DIR names one elsewhere."
    )
