"""What all benchmarks share: figures, percentiles, sizes, and a folder that is gone afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stores import Place

# A fixed key: no benchmark touches anybody's keyring.
_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `baseline` is the raw limit of the same run, None where there is none."""

    figure: str
    n: int
    value: float
    unit: str
    baseline: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The figure with its ratio, numbers cut to what can be believed."""
        ratio = self.value / self.baseline if self.baseline else None
        rounded = {"value": _short(self.value), "baseline": _short(self.baseline), "ratio": _short(ratio)}
        return {**asdict(self), **rounded}


@dataclass(slots=True)
class Bench:
    """One run: where its files lie, and the size that was asked for (None: each benchmark's own)."""

    root: Path
    n: int | None = None
    places: dict[int, Place] = field(default_factory=dict)

    def size(self, default: int) -> int:
        """The size that was asked for, or the default."""
        return self.n or default

    def folder(self, name: str) -> Path:
        """A new folder of the run."""
        path = self.root / f"{name}-{time.monotonic_ns()}"
        path.mkdir(parents=True)
        return path


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0…1) of the values lie: nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return percentile(values, 0.5)


def seconds(act: Callable[..., object], *words: object) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    act(*words)
    return time.perf_counter() - start


def clean_environment() -> None:
    """Nothing of the caller's own workspace, key or colours reaches a benchmark or its children."""
    for name in [name for name in os.environ if name.startswith("SECONDLOOK_")] + ["NO_COLOR"]:
        os.environ.pop(name, None)
    os.environ |= {"SECONDLOOK_WORKSPACE_KEY": _KEY, "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def memory() -> dict[str, float]:
    """This process's memory in MB: `now`, and `peak` since it started."""
    lines = Path("/proc/self/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return {"now": int(found["VmRSS"]) / 1024, "peak": int(found["VmHWM"]) / 1024}


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
