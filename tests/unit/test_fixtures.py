"""The sample cases and rubrics: they load, hang together, and come out of their generator unchanged."""

from __future__ import annotations

import json
import runpy
import tomllib
from collections import Counter
from math import exp
from pathlib import Path
from typing import Any

import pytest

from app.model.answers import asked as ask
from app.model.answers import check
from app.model.explanation import KINDS, Attribution, Counterfactual, Evidence, TextSpan
from app.model.prediction import Prediction
from app.model.provenance import completeness
from app.model.rubric import Rubric

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
RUBRICS = {
    "credit": "adverse-credit-decision",
    "summaries": "ungrounded-summary",
    "moderation": "content-moderation",
}
NAMES = tuple(RUBRICS)
PANE = 46


def rubric(name: str) -> Rubric:
    text = (FIXTURES / "rubrics" / f"{RUBRICS[name]}.toml").read_text(encoding="utf-8")
    return Rubric.model_validate(tomllib.loads(text))


def cases(name: str) -> list[Prediction]:
    lines = (FIXTURES / "samples" / f"{name}.jsonl").read_text(encoding="ascii").splitlines()
    return [Prediction.model_validate(json.loads(line)) for line in lines]


ALL = [case for name in NAMES for case in cases(name)]


@pytest.mark.parametrize("name", NAMES)
def test_rubric_is_short_and_fits_its_pane(name: str) -> None:
    asked = rubric(name)
    assert (asked.id, asked.version) == (RUBRICS[name], "1")
    assert 4 <= len(asked.criteria) <= 6
    assert sum(c.required and not c.when for c in asked.criteria) <= 3
    for criterion in asked.criteria:
        assert len(criterion.title) <= PANE
        assert criterion.guidance
        # Digits answer: never more options than there are.
        assert len(criterion.options) <= 9
        for option in criterion.options:
            assert option.title and len(option.title) <= 18
            assert option.anchor


def test_rubrics_use_every_kind_but_none_twice_for_the_decision() -> None:
    kinds = [c.kind for name in NAMES for c in rubric(name).criteria]
    wanted = {"choice", "multi", "scale", "yes_no", "number", "text", "text_span", "label"}
    assert set(kinds) == wanted
    assert kinds.count("label") == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_conditions_and_critical_answers_name_what_exists(name: str) -> None:
    asked = rubric(name)
    labels = cases(name)[0].task.labels
    offered = {c.id: {o.id for o in c.choices(labels)} for c in asked.criteria}
    offered["verdict"] = {"upheld", "overturned", "corrected", "unresolvable"}
    for criterion in asked.criteria:
        assert {str(value) for value in criterion.critical} <= offered[criterion.id]
        for key, values in criterion.when.items():
            assert set(values) <= offered[key]


# Per queue: the first answers of a case that nobody contests, and of one that somebody does.
UNCONTESTED: dict[str, dict[str, Any]] = {
    "credit": {"support": "supported"},
    "summaries": {"worst_error": "none"},
    "moderation": {"rule": "none"},
}
CONTESTED: dict[str, dict[str, Any]] = {
    "credit": {"support": "prohibited", "harm": 4, "reasons": ["proxy"], "rationale": "The area decides."},
    "summaries": {"worst_error": "detail", "harm": 3, "rationale": "Two bearings, not eleven."},
    "moderation": {"rule": "none", "context": "no", "rationale": "Satire, and the account says so."},
}


@pytest.mark.parametrize("name", NAMES)
def test_agreeing_takes_two_answers(name: str) -> None:
    asked = rubric(name)
    for case in cases(name):
        label = case.output.label or next(x for x in case.task.labels if x != case.task.positive)
        answers = {**UNCONTESTED[name], "label": label}
        assert ask(asked, answers, case.task, case.output).missing == []
        assert check(asked, answers, case.task, case.output)[1].verdict == "upheld"


@pytest.mark.parametrize("name", NAMES)
def test_overturning_asks_for_a_reason(name: str) -> None:
    asked = rubric(name)
    case = cases(name)[0]
    label = (
        case.task.positive if case.output.label is None else next(x for x in case.task.labels if x != case.output.label)
    )
    bare = {**UNCONTESTED[name], "label": label}
    assert "rationale" in [c.id for c in ask(asked, bare, case.task, case.output).missing]
    outcome = check(asked, {**CONTESTED[name], "label": label}, case.task, case.output)[1]
    assert outcome.verdict == "overturned"


def test_prohibited_ground_fails_the_case() -> None:
    case = cases("credit")[0]
    outcome = check(rubric("credit"), {**CONTESTED["credit"], "label": "approve"}, case.task, case.output)[1]
    assert outcome.critical == ("support",)
    assert outcome.reasons == ("proxy",)


@pytest.mark.parametrize("name", NAMES)
def test_there_are_24_cases_with_their_own_ids_and_varied_severity(name: str) -> None:
    loaded = cases(name)
    assert len({case.id for case in loaded}) == len(loaded) == 24
    assert {case.severity for case in loaded} == {"low", "medium", "high", "critical"}
    assert {case.sampling.probability for case in loaded if case.sampling} == {1.0, 0.05}
    assert all((case.created_at or "").startswith("2026-11-") for case in loaded)


def test_all_ten_kinds_of_explanation_appear() -> None:
    seen = Counter(e.kind for case in ALL for e in case.explanations or ())
    assert set(seen) == set(KINDS)


def test_attributions_add_up_to_the_score() -> None:
    seen_interaction = seen_reveals = False
    for case in ALL:
        for explanation in case.explanations or ():
            if not isinstance(explanation, Attribution):
                continue
            base, output, score = explanation.base_value, explanation.output_value, case.output.score
            assert base is not None and output is not None and score is not None
            assert base + sum(item.contribution for item in explanation.items) == pytest.approx(output)
            assert 1 / (1 + exp(-output)) == pytest.approx(score, abs=1e-3)
            assert explanation.target and explanation.target.label == case.task.positive
            seen_interaction |= any(isinstance(item.feature, list) for item in explanation.items)
            seen_reveals |= any(item.reveals for item in explanation.items)
    assert seen_interaction and seen_reveals


def test_labels_follow_from_scores() -> None:
    for case in cases("credit"):
        assert case.output.score is not None and case.output.threshold is not None
        assert case.output.label == ("decline" if case.output.score >= case.output.threshold else "approve")
    for case in cases("moderation"):
        if case.output.scores:
            assert sum(case.output.scores.values()) == pytest.approx(1)
            assert case.output.label == max(case.output.scores, key=lambda x: (case.output.scores or {})[x])


def test_known_defects_of_explainers_are_among_the_samples() -> None:
    found = set()
    for case in ALL:
        model = (case.provenance.model if case.provenance else None) or {}
        for explanation in case.explanations or ():
            if explanation.explains and model and explanation.explains.version != model["version"]:
                found.add("another version")
            if isinstance(explanation, Counterfactual):
                for item in explanation.items:
                    found |= {"not actionable" for change in item.changes if change.actionable is False}
                    if item.output and item.output.label == case.output.label and item.valid:
                        found.add("explains the label it has")
            if isinstance(explanation, Evidence):
                text = case.output.text or case.inputs[0].value
                for claim in explanation.items:
                    exact = text[claim.start : claim.end] == claim.text
                    found.add("exact" if exact else "shifted" if claim.text in text else "lost")
            if isinstance(explanation, TextSpan):
                found.add(explanation.offset_unit or "")
    assert found == {
        "another version", "not actionable", "explains the label it has",
        "exact", "shifted", "lost", "codepoint", "utf16",
    }  # fmt: skip


def test_spans_lie_where_their_unit_says() -> None:
    for case in ALL:
        for explanation in case.explanations or ():
            if not isinstance(explanation, TextSpan):
                continue
            assert explanation.target
            of_output = explanation.target.input == "output.text"
            text = str(case.output.text if of_output else case.inputs[0].value)
            for item in explanation.items:
                assert item.start is not None and item.end is not None
                if explanation.offset_unit == "utf16":
                    cut = text.encode("utf-16-le")[item.start * 2 : item.end * 2].decode("utf-16-le")
                else:
                    cut = text[item.start : item.end]
                assert cut == item.text


def test_provenance_differs_in_completeness() -> None:
    seen = Counter(entry.status for case in ALL for entry in completeness(case.provenance).entries)
    assert set(seen) == {"present", "malformed", "missing", "not_applicable"}
    assert any(completeness(case.provenance).score == 1.0 for case in ALL)
    assert any(case.provenance is None for case in ALL)


def test_hostile_text_is_there_and_the_files_are_plain_ascii() -> None:
    posts = "".join(str(case.inputs[0].value) for case in cases("moderation"))
    assert {"\u200b", "\u202e", "\x1b"} <= set(posts)
    for name in NAMES:
        raw = (FIXTURES / "samples" / f"{name}.jsonl").read_bytes()
        assert raw.isascii() and b"\x1b" not in raw


def test_generator_writes_the_same_files(tmp_path: Path) -> None:
    runpy.run_path(str(FIXTURES / "make_samples.py"))["write"](tmp_path)
    for name in NAMES:
        kept = (FIXTURES / "samples" / f"{name}.jsonl").read_bytes()
        assert (tmp_path / f"{name}.jsonl").read_bytes() == kept, "run python fixtures/make_samples.py"
