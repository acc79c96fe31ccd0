"""Files that ship with the program: sample cases and rubrics."""

from __future__ import annotations

from pathlib import Path

_BESIDE_THE_CODE = Path(__file__).parent / "bundled"
_IN_A_CHECKOUT = Path(__file__).parent.parent / "fixtures"


def bundled(folder: str) -> Path:
    """The folder `samples` or `rubrics`: beside the code in a wheel, in `fixtures/` in a checkout."""
    packed = _BESIDE_THE_CODE / folder
    return packed if packed.exists() else _IN_A_CHECKOUT / folder
