"""Predictions like those of real services, made up: equal numbers give equal records."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

LABELS = ("good", "bad")
_NUMBERS = ("month", "amount", "income_share", "residence", "credits", "dependents", "age", "tenure", "enquiries")
_WORDS = ("status", "history", "purpose", "savings", "employment", "property", "plans", "housing", "skill")
_SENTENCE = (
    "the applicant wrote that a new contract starts in spring and that the older loan is repaid in June as agreed "
    "with the branch while the rent stays the same and the car is needed for night shifts at the clinic in town"
)
_VOCABULARY = _SENTENCE.split()


def prediction_id(number: int) -> str:
    """The id of a record; the numbers of cases in the stores here are the same."""
    return f"german-{number:07d}"


def tabular(number: int) -> dict[str, Any]:
    """About 1.5 KB: 18 inputs, three sensitive attributes, the heaviest reasons."""
    rng = random.Random(number)
    score = rng.uniform(0.5, 1)
    inputs = _inputs(rng)
    return {
        "schema": "secondlook.prediction/1",
        "id": prediction_id(number),
        "created_at": "2026-01-05T08:37:00Z",
        "domain": "credit",
        "subject": f"person-{number}",
        "task": {"type": "binary", "labels": list(LABELS), "positive": "bad"},
        "inputs": inputs,
        "sensitive": [
            {"name": "sex", "value": rng.choice(("female", "male"))},
            {"name": "age_band", "value": rng.choice(("<=25", "26-60"))},
            {"name": "foreign_worker", "value": rng.choice(("A201", "A202"))},
        ],
        "output": {"label": "bad", "score": round(score, 6), "threshold": 0.5},
        "flags": [{"code": "adverse_decision", "severity": rng.choice(("medium", "high", "critical"))}],
        "explanations": [_attribution(rng, inputs[:2])],
        "provenance": {"model": {"name": "credit-hgb", "version": "2.3.0"}},
    }


def with_text(number: int, characters: int = 600) -> dict[str, Any]:
    """A tabular record with a note of free text."""
    rng = random.Random(-number)
    note = " ".join(rng.choice(_VOCABULARY) for _ in range(characters // 3))[:characters]
    record = tabular(number)
    record["inputs"] = [*record["inputs"], {"name": "note", "kind": "text", "value": note}]
    return record


def credit(number: int) -> dict[str, Any]:
    """About 4 KB: a tabular record with every reason and a whole provenance."""
    record = tabular(number)
    record["explanations"] = [_attribution(random.Random(number), record["inputs"])]
    record["provenance"] = {**record["provenance"], **_PROVENANCE}
    return record


def summary(number: int) -> dict[str, Any]:
    """About 3 KB: a generated summary with spans that raters marked; its text begins with a mark of its own."""
    rng = random.Random(number)
    text = f"{text_mark(number)} " + " ".join(rng.choice(_VOCABULARY) for _ in range(30))
    spans = [
        {"start": 0, "end": end, "text": text[:end], "label": "intrinsic", "rater": f"rater-{end}"}
        for end in (12, 40, 80)
    ]
    return {
        "schema": "secondlook.prediction/1",
        "id": prediction_id(number),
        "created_at": "2026-03-01T00:00:00Z",
        "domain": "llm_summary",
        "subject": f"person-{number}",
        "task": {"type": "generation", "labels": ["faithful", "hallucinated"], "positive": "hallucinated"},
        "inputs": [{"name": "document", "kind": "reference", "value": f"bbc:{number}"}],
        "output": {"label": None, "score": None, "text": text},
        "flags": [{"code": "ungrounded_claim", "severity": "high", "detail": "span review requested"}],
        "explanations": [
            {"kind": "evidence", "method": "raters", "target": {"input": "output.text"}, "items": spans},
        ],
        "provenance": {"model": {"name": "summariser", "version": "1"}, **_PROVENANCE},
    }


def text_mark(number: int) -> str:
    """The first word of a summary's text, found nowhere else."""
    return f"mark{number:07d}"


def write_lines(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    """The records as a JSONL file."""
    with path.open("wb") as file:
        file.writelines(orjson.dumps(record) + b"\n" for record in records)
    return path


def _inputs(rng: random.Random) -> list[dict[str, Any]]:
    numbers = [{"name": name, "kind": "number", "value": rng.randrange(1, 90)} for name in _NUMBERS]
    words = [{"name": name, "kind": "category", "value": f"A{rng.randrange(10, 99)}"} for name in _WORDS]
    return [*numbers, *words]


def _attribution(rng: random.Random, inputs: list[dict[str, Any]]) -> dict[str, Any]:
    items = [
        {"feature": item["name"], "value": item["value"], "contribution": round(rng.uniform(-1, 1.5), 4)}
        for item in inputs
    ]
    return {"kind": "attribution", "method": "shap", "base_value": -1.16, "items": items}


_PROVENANCE: dict[str, Any] = {
    "code": {"repo": "https://example.org/models.git", "commit": "2a637d00e5a1f4a825f5bf2e4c052a4a7b8d10ea"},
    "runtime": {"image_digest": None, "python": "3.11.7"},
    "data": {"uri": "github:example/german-credit", "snapshot_digest": "sha256:532082711a8ec4df65cf60775eb7d59d"},
    "hyperparameters": {"max_iter": 120, "learning_rate": 0.05, "max_leaf_nodes": 8, "l2_regularization": 2.0},
    "evaluation": {"metrics": {"auc_oof": 0.7892, "n": 1000}},
    "explainer": {"name": "shap.TreeExplainer", "version": "0.51.0"},
}
