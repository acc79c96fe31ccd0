"""Child processes: the desk on a large inbox, and an empty application, both drawing into a sink."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

from app.shell import Shell  # first, as the program does: it sets the frame rate

# isort: split
from textual.app import App, ComposeResult
from textual.widgets import Static

from .figures import memory, percentile
from .records import prediction_id
from .sink import Frames, press, run_app

# So long a person's hand takes between two keys held down.
_PAUSE = 0.015
_PREFIX = prediction_id(0)[:8]


class EmptyApp(App[None]):
    """The least that shows a word."""

    def compose(self) -> ComposeResult:
        """The word."""
        yield Static("ready")


def empty() -> dict[str, float]:
    """Memory of an empty application."""
    found: dict[str, float] = {}

    async def watch(frames: Frames) -> None:
        await frames.first(lambda text: "ready" in text)
        await asyncio.sleep(0.5)
        found.update(_resting_memory())

    run_app(EmptyApp(), watch)
    return found


def desk(root: str, total: str, presses: str) -> dict[str, Any]:
    """Opens the inbox, then presses keys. Seconds since the first frame; milliseconds for keys; memory in MB."""
    found: dict[str, Any] = {}
    n = int(presses)

    def open_workspace() -> Any:
        # As the program does it: what reads workspaces is imported after the first frame.
        from app.settings import load_workspace

        return load_workspace(Path(root))

    shell = Shell(open_workspace, "bench")

    async def watch(frames: Frames) -> None:
        shown = await frames.first()
        found["first_rows"] = await frames.first(lambda text: _PREFIX in text) - shown
        found["whole_list"] = await frames.first(lambda text: f"{int(total):,} case" in text) - shown
        found["backlog"] = await frames.first(lambda text: " oldest" in text) - shown
        await asyncio.sleep(1)
        found["memory"] = _resting_memory()
        for name, keys in _KEYS.items():
            found[name] = await _press_all(shell, frames, keys, n)
        found["memory_after"] = _resting_memory()

    run_app(shell, watch)
    return found


_KEYS: dict[str, list[tuple[str, str | None]]] = {
    "j": [("j", "j")],
    "pagedown": [("pagedown", None)],
    "G": [("G", "G"), ("g", "g")],
}


async def _press_all(shell: Shell, frames: Frames, keys: list[tuple[str, str | None]], n: int) -> dict[str, float]:
    """p50 and p95 of key → frame, and of key → frame with every line's words in it, in milliseconds."""
    first, filled = [], []
    for number in range(n):
        frames.forget()
        moment = press(shell, *keys[number % len(keys)])
        first.append(1000 * (await frames.first() - moment))
        filled.append(1000 * (await frames.first(_is_filled) - moment))
        await asyncio.sleep(_PAUSE)
    shares = {"p50": 0.5, "p95": 0.95}
    return {
        **{name: percentile(first, share) for name, share in shares.items()},
        **{f"filled_{name}": percentile(filled, share) for name, share in shares.items()},
    }


def _is_filled(frame: str) -> bool:
    """Whether no line of the frame waits for its row: such a line is drawn as an ellipsis alone."""
    return "m  …" not in frame


def _resting_memory() -> dict[str, float]:
    gc.collect()
    return memory()
