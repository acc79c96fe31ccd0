"""A child process: imports one file and says how much memory that took."""

from __future__ import annotations

from pathlib import Path

from app.settings import load_workspace

from .figures import memory
from .stores import Place, admit


def import_file(root: str, source: str) -> dict[str, float]:
    """Imports the file into the workspace's credit queue; memory in MB."""
    admit(Place(load_workspace(Path(root)), "credit"), Path(source))
    return memory()
