"""Predictions whose inputs are one thing, and what a model said of them another: for tests of what may not be seen."""

from __future__ import annotations

import random
from typing import Any

LABELS = ("good", "bad")
SEVERITIES = ("low", "medium", "high", "critical")
CODES = ("proxy_suspected", "appeal", "near_threshold", "zzflagzz", "adverse_decision", "manual review")
WORDS = ("instalment", "harbour", "clinic", "ledger", "orchard", "tenant", "payroll", "vineyard", "garage", "depot")
# What a test searches for: labels, codes and words that only models say.
TELLING = (*LABELS, *CODES, *SEVERITIES, "zzsaidzz", "uncertainty sampling", "0.9")


def asked(number: int) -> dict[str, Any]:
    """A prediction without what the model said of it; in every other one there are texts."""
    chance = random.Random(number)
    inputs: list[dict[str, Any]] = [
        {"name": "month", "kind": "number", "value": chance.randint(6, 60)},
        {"name": "credit_amount", "kind": "number", "value": chance.randint(500, 9000)},
        {"name": "purpose", "kind": "category", "value": chance.choice(WORDS)},
        {"name": "age", "kind": "number", "value": chance.randint(19, 70)},
    ]
    if number % 2:
        inputs.append({"name": "note", "kind": "text", "value": " ".join(chance.choices(WORDS, k=12))})
    record: dict[str, Any] = {
        "id": f"loan-{500 + number}",
        "task": {"type": "binary", "labels": list(LABELS), "positive": "bad", "question": "will they default"},
        "inputs": inputs,
        "sensitive": [{"name": "sex", "value": chance.choice("FM")}],
        "provenance": {"model": {"name": "risk", "version": "3"}},
        "reply_to": {"url": "https://example.org/verdicts"},
    }
    if number % 3:
        record["domain"] = chance.choice(("retail", "farming"))
    if number % 5 == 0:
        record["task"] = {"type": chance.choice(("generation", "action")), "labels": list(LABELS)}
        record["output"] = {"text": f"Dear {chance.choice(WORDS)}, " + " ".join(chance.choices(WORDS, k=8))}
    return record


def answered(record: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The prediction with what a model said of it, as it may be: also with nothing, or far too much."""
    output: dict[str, Any] = {"label": chance.choice(LABELS)} if chance.random() < 0.9 else {}
    output |= {"score": chance.choice((0, 0.4999, 0.5, 0.51, 1, chance.random()))} if chance.random() < 0.8 else {}
    output |= {"threshold": 0.5} if chance.random() < 0.6 else {}
    output |= {"scores": {"good": 0.1, "bad": 0.9}} if chance.random() < 0.3 else {}
    output |= {"baseline": chance.choice(("bad", 0.9, {"zzsaidzz": 1}))} if chance.random() < 0.3 else {}
    if "output" in record:
        output |= record["output"]
    elif not output or chance.random() < 0.3:
        output["text"] = f"zzsaidzz {chance.choice(LABELS)} " + " ".join(chance.choices(WORDS, k=chance.randint(1, 90)))
    optional = {
        "flags": [_flag(chance) for _ in range(chance.choice((0, 1, 1, 2, 40)))],
        "explanations": [_explanation(record, chance) for _ in range(chance.choice((0, 1, 2, 9)))],
        "sampling": {"reason": chance.choice(("flagged", "uncertainty sampling")), "probability": chance.random() or 1},
        "extra": {"zzsaidzz": chance.choice(LABELS)},
        "decision_of_the_model": chance.choice(LABELS),
    }
    optional |= _beside(record, chance)
    return {**record, "output": output, **{key: value for key, value in optional.items() if chance.random() < 0.8}}


def _beside(record: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Parts of a record with what a model said of it under keys of the sender's own."""
    provenance = {**record["provenance"], "explainer": {"version": f"{chance.random()}"}}
    return {
        "inputs": [{**item, "zzsaidzz": chance.random()} for item in record["inputs"]],
        "task": {**record["task"], "zzsaidzz": chance.choice(LABELS)},
        "provenance": {**provenance, "zzsaidzz": {"predicted": chance.choice(LABELS)}},
        "reply_to": {**record["reply_to"], "zzsaidzz": chance.choice(LABELS)},
    }


def _flag(chance: random.Random) -> dict[str, Any]:
    flag: dict[str, Any] = {"code": chance.choice(CODES)}
    flag |= {"severity": chance.choice(SEVERITIES)} if chance.random() < 0.9 else {}
    return flag | ({"detail": "zzsaidzz " * chance.randint(1, 60)} if chance.random() < 0.5 else {})


def _explanation(record: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    features = [item["name"] for item in record["inputs"][:3]]
    shared: dict[str, Any] = {"method": "zzsaidzz", "fidelity": "exact", "base_value": chance.random()}
    match chance.choice(("attribution", "counterfactual", "rule", "evidence", "trace", "text", "none", "example")):
        case "attribution":
            items: list[dict[str, Any]] = [{"feature": f, "contribution": chance.uniform(-3, 3)} for f in features]
            return {"kind": "attribution", **shared, "items": items * chance.randint(1, 30)}
        case "counterfactual":
            changes = [{"feature": "month", "from": 10, "to": chance.randint(1, 60)}]
            return {"kind": "counterfactual", "items": [{"changes": changes, "output": {"label": "good"}}]}
        case "rule":
            return {"kind": "rule", "items": [{"feature": "month", "op": ">", "value": chance.randint(1, 60)}]}
        case "evidence":
            return {"kind": "evidence", "items": [{"text": chance.choice(WORDS), "label": "supported"}]}
        case "trace":
            return {"kind": "trace", "items": [{"step": n, "tool": "score"} for n in range(chance.randint(1, 5))]}
        case "example":
            return {"kind": "example", "items": [{"ref": "loan-1", "label": chance.choice(LABELS)}]}
        case "text":
            return {"kind": "text", "text": "zzsaidzz " * chance.randint(1, 200)}
        case _:
            return {"kind": "none", "reason": "zzsaidzz"}
