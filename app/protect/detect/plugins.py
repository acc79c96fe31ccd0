"""Detectors from other packages, named by a queue's policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.model.errors import BadInput

Detector = Callable[[str], Iterable[tuple[int, int, str]]]

GROUP = "secondlook.detectors"


def load_detectors(names: Iterable[str]) -> list[Detector]:
    """The detectors of these names, in this order, from the entry points of the group `secondlook.detectors`.

    A detector takes a text and gives (start, end, kind) in code points. Raises BadInput for a name that no
    installed package offers, and for one that cannot be imported.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return []
    from importlib.metadata import entry_points  # 20 ms, so only for who has such detectors

    offered = {point.name: point for point in entry_points(group=GROUP)}
    found: list[Detector] = []
    for name in wanted:
        if name not in offered:
            there = ", ".join(sorted(offered)) or "none is installed"
            raise BadInput(f"no detector '{name}'; there are: {there}")
        try:
            detector = offered[name].load()
        except Exception as error:  # another package may raise anything
            raise BadInput(f"the detector '{name}' cannot be loaded: {error}") from error
        if not callable(detector):
            raise BadInput(f"the detector '{name}' is no function: it has to take a text and give spans")
        found.append(detector)
    return found
