"""How faithful an explanation says it is, and whether that can be."""

from __future__ import annotations

from collections.abc import Iterator

from app.model.explanation import Explanation
from app.model.explanation_checks.facts import Facts, is_surrogate
from app.model.explanation_checks.wording import number
from app.model.explanation_warning import Found

FAITHFUL_R2 = 0.5
_EXACT_R2 = 0.999
_R2 = frozenset(("r2", "r²", "r2score", "rsquared", "localr2", "r^2", "weightedr2"))
# What LIME calls its weighted R².
_SURROGATES_OWN = frozenset(("score", "fidelity", "localfidelity"))


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """A surrogate that follows the model badly; `exact` where it is not."""
    del facts
    score = explanation.fidelity_score
    name = "".join(char for char in score.name.casefold() if char.isalnum() or char in "²^") if score else ""
    r2 = score.value if score and (name in _R2 or (is_surrogate(explanation) and name in _SURROGATES_OWN)) else None
    if r2 is not None and r2 < FAITHFUL_R2:
        yield Found("low_fidelity", "high", f"the surrogate follows the model badly (r2 {number(r2)})")
    if explanation.fidelity != "exact":
        return
    if is_surrogate(explanation):
        yield Found("not_exact", "high", "called exact, but its method fits a surrogate")
    elif r2 is not None and FAITHFUL_R2 <= r2 < _EXACT_R2:
        yield Found("not_exact", "high", f"called exact, with an r2 of {number(r2)}")
