"""Processes of their own: what they measure must not be warmed up or weighed down by other benchmarks.

`python -m tests.bench.children NAME ARGUMENT…` runs one and prints its findings as JSON.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parents[2]
# Child → module and function; it takes words and returns what can be written as JSON.
_CHILDREN = {
    "import_memory": ("import_memory", "import_file"),
    "inbox": ("inbox_child", "desk"),
    "empty": ("inbox_child", "empty"),
}


def run_child(name: str, *words: str) -> dict[str, Any]:
    """Runs a child and returns its findings. What it says on standard error comes through."""
    command = [sys.executable, "-m", "tests.bench.children", name, *words]
    found: dict[str, Any] = json.loads(subprocess.run(command, cwd=_HERE, check=True, stdout=subprocess.PIPE).stdout)
    return found


def main() -> int:
    """One child."""
    module, function = _CHILDREN[sys.argv[1]]
    act = getattr(importlib.import_module(f".{module}", __package__), function)
    print(json.dumps(act(*sys.argv[2:])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
