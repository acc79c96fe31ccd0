"""Provenance: where a prediction comes from, and how complete that account is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from app.model.explanation import Part

Status = Literal["present", "malformed", "missing", "not_applicable"]


class Provenance(Part):
    """The evidence pack. Sections are free mappings; `not_applicable` maps a field to its reason."""

    model: dict[str, Any] | None = None
    code: dict[str, Any] | None = None
    runtime: dict[str, Any] | None = None
    data: dict[str, Any] | None = None
    features: dict[str, Any] | None = None
    hyperparameters: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    approval: dict[str, Any] | None = None
    model_card_uri: str | None = None
    explainer: dict[str, Any] | None = None
    not_applicable: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One scored field: dotted path, weight, and the form it must have."""

    path: str
    weight: int
    form: re.Pattern[str] | None = None
    form_name: str = ""


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")

FIELDS: tuple[Field, ...] = (
    Field("model.name", 1),
    Field("model.version", 1),
    Field("model.artifact_digest", 2, _DIGEST, "sha256 digest"),
    Field("code.repo", 1),
    Field("code.commit", 2, _COMMIT, "40-hex commit"),
    Field("runtime.image_digest", 2, _DIGEST, "sha256 digest"),
    Field("data.uri", 1),
    Field("data.snapshot_digest", 2, _DIGEST, "sha256 digest"),
    Field("features.version", 1),
    Field("hyperparameters", 1),
    Field("evaluation.report_uri", 1),
    Field("approval.approver", 2),
    Field("approval.approved_at", 1),
    Field("model_card_uri", 1),
    Field("explainer.version", 1),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One field's account: what stands there, whether it counts, or why it does not apply."""

    path: str
    weight: int
    status: Status
    value: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of the evidence pack is there. `score` is None where nothing applies."""

    entries: tuple[Entry, ...]

    def count(self, status: Status) -> int:
        """How many fields have this status."""
        return sum(entry.status == status for entry in self.entries)

    @property
    def applicable(self) -> int:
        """How many fields apply."""
        return len(self.entries) - self.count("not_applicable")

    @property
    def score(self) -> float | None:
        """Weight present and well-formed ÷ weight applicable, in [0, 1]."""
        applicable = sum(e.weight for e in self.entries if e.status != "not_applicable")
        present = sum(e.weight for e in self.entries if e.status == "present")
        return present / applicable if applicable else None


def completeness(provenance: Provenance | None) -> Completeness:
    """Weighs each field as present and well-formed, malformed, missing, or not applicable."""
    return Completeness(tuple(_entry(field, provenance) for field in FIELDS))


def _entry(field: Field, provenance: Provenance | None) -> Entry:
    reason = ((provenance.not_applicable if provenance else None) or {}).get(field.path)
    if reason:
        return Entry(field.path, field.weight, "not_applicable", note=reason)
    value = _look_up(provenance, field.path)
    if value in (None, "", {}, []):
        return Entry(field.path, field.weight, "missing")
    text = ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
    if field.form and not field.form.fullmatch(text):
        return Entry(field.path, field.weight, "malformed", text, f"not a {field.form_name}")
    return Entry(field.path, field.weight, "present", text)


def _look_up(provenance: Provenance | None, path: str) -> Any:
    section, _, key = path.partition(".")
    value = getattr(provenance, section, None)
    return (value or {}).get(key) if key else value
