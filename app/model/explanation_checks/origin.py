"""Whether an explanation was made for the model, the input and by the explainer that the provenance names."""

from __future__ import annotations

from collections.abc import Iterator

from app.model.explanation import Explanation
from app.model.explanation_checks.facts import Facts
from app.model.explanation_checks.wording import short
from app.model.explanation_warning import Found
from app.model.provenance import Provenance

_SHORTEST_DIGEST = 7
_LONGEST_NUMBER_BITS = 64


def check(explanation: Explanation, facts: Facts) -> Iterator[Found]:
    """Another model, another input, another version of the explainer."""
    provenance = facts.prediction.provenance
    if provenance is None:
        return
    yield from _model(explanation, provenance)
    yield from _input(explanation, facts, provenance)
    explainer = provenance.explainer or {}
    version, theirs = explanation.method_version, _scalar(explainer.get("version"))
    if explanation.method and explanation.method == _scalar(explainer.get("name")) and _differ(version, theirs):
        text = f"made by version {short(version)}, the provenance names {short(theirs)}"
        yield Found("other_explainer", "medium", text)


def _model(explanation: Explanation, provenance: Provenance) -> Iterator[Found]:
    explains, model = explanation.explains, provenance.model
    if explains is None or not model:
        return
    named = _differ(explains.model, _scalar(model.get("name"))) or _differ(
        explains.version, _scalar(model.get("version"))
    )
    artifact = _other_digest(explains.artifact_digest, _scalar(model.get("artifact_digest")))
    if not named and not artifact:
        return
    parts = [short(part) for part in (explains.model, explains.version) if part]
    if not named:
        parts.append(f"artifact {short(explains.artifact_digest)[:20]}")
    yield Found("other_model", "high", f"explains a different model ({' '.join(parts)})")


def _input(explanation: Explanation, facts: Facts, provenance: Provenance) -> Iterator[Found]:
    """The digest of the input stands nowhere in particular: wherever a record has one."""
    mine = explanation.explains.input_digest if explanation.explains else None
    places = (provenance.data, provenance.features, provenance.model_extra, facts.prediction.extra)
    theirs = [_scalar((place or {}).get("input_digest")) for place in places]
    if any(_other_digest(mine, one) for one in theirs):
        yield Found("other_input", "high", f"was made for another input ({short(mine)[:20]})")


def _differ(one: str | None, other: str | None) -> bool:
    return bool(one and other) and _plain(one or "") != _plain(other or "")


def _plain(text: str) -> str:
    """`v2.3.0` and `2.3.0` are one version, names differ by more than case."""
    text = text.strip().casefold()
    return text[1:] if text[:1] == "v" and text[1:2].isdigit() else text


def _other_digest(one: str | None, other: str | None) -> bool:
    """Two digests that differ; a shortened one is the other's beginning."""
    if not one or not other:
        return False
    first, second = (text.strip().casefold().rpartition(":")[2] for text in (one, other))
    size = min(len(first), len(second))
    return first != second if size < _SHORTEST_DIGEST else first[:size] != second[:size]


def _scalar(value: object) -> str:
    """A name or a version as text, also where it was sent as a number; empty for anything else."""
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER_BITS:
        return ""
    return str(value) if isinstance(value, str | int | float) else ""
