"""Which questions are asked, and what the answers decide."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.answers import asked, check
from app.model.errors import RubricError
from app.model.prediction import Output, Task
from app.model.rubric import Rubric

TASK = Task.model_validate({"type": "binary", "labels": ["approve", "decline"], "positive": "decline"})
DECLINED = Output(label="decline", score=0.7)
UNLABELLED = Output(text="A summary.")
LABEL = {"id": "label", "kind": "label", "title": "Your decision"}
TWO = [{"id": "a"}, {"id": "b"}]


def rubric(*criteria: dict[str, Any]) -> Rubric:
    titled = [{"title": c["id"], **c} for c in criteria]
    return Rubric.model_validate({"id": "r", "version": "1", "title": "R", "criteria": titled})


def ids(form: Rubric, answers: dict[str, Any], output: Output = DECLINED) -> list[str]:
    return [c.id for c in asked(form, answers, TASK, output).criteria]


def verdict(form: Rubric, answers: dict[str, Any], output: Output = DECLINED) -> str | None:
    return asked(form, answers, TASK, output).verdict


def problems(form: Rubric, answers: dict[str, Any], output: Output = DECLINED) -> list[str]:
    with pytest.raises(RubricError) as caught:
        check(form, answers, TASK, output)
    return caught.value.problems


CHAIN = rubric(
    {"id": "first", "kind": "yes_no"},
    {"id": "second", "kind": "choice", "options": TWO, "when": {"first": [True]}},
    {"id": "third", "kind": "text", "when": {"second": ["b"], "first": ["yes"]}},
    LABEL,
    {"id": "why", "kind": "text", "when": {"verdict": ["overturned"]}},
    {"id": "more", "kind": "text", "when": {"why": ["because"]}, "required": False},
)


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ({}, ["first", "label"]),
        ({"first": "no"}, ["first", "label"]),
        ({"first": "yes"}, ["first", "second", "label"]),
        ({"first": "yes", "second": "a"}, ["first", "second", "label"]),
        ({"first": "yes", "second": "b"}, ["first", "second", "third", "label"]),
        # An answer that is not asked for any more switches nothing on.
        ({"first": "no", "second": "b", "third": "x"}, ["first", "label"]),
        ({"second": "b"}, ["first", "label"]),
        ({"label": "decline"}, ["first", "label"]),
        ({"label": "approve"}, ["first", "label", "why"]),
        ({"label": "approve", "why": "because"}, ["first", "label", "why", "more"]),
        ({"label": "decline", "why": "because"}, ["first", "label"]),
        ({"label": "", "why": "because"}, ["first", "label"]),
    ],
)
def test_conditions_follow_one_another(answers: dict[str, Any], wanted: list[str]) -> None:
    assert ids(CHAIN, answers) == wanted


def test_stale_answers_are_neither_kept_nor_missed() -> None:
    stale = {"first": "no", "second": "b", "third": "old", "label": "decline", "why": "because"}
    now = asked(CHAIN, stale, TASK, DECLINED)
    assert now.answers == {"first": "no", "label": "decline"}
    assert now.missing == []
    kept, outcome = check(CHAIN, stale, TASK, DECLINED)
    assert kept == {"first": "no", "label": "decline"}
    assert outcome.verdict == "upheld"


def test_what_is_missing_is_named_with_its_condition() -> None:
    now = asked(CHAIN, {"first": True, "label": "approve"}, TASK, DECLINED)
    assert [c.id for c in now.missing] == ["second", "why"]
    assert problems(CHAIN, {"first": True, "label": "approve"}) == [
        "second: an answer is required when first is True",
        "why: an answer is required when verdict is overturned",
    ]


CORRECTABLE = rubric(
    LABEL,
    {"id": "better", "kind": "text", "role": "correction", "required": False, "when": {"verdict": ["overturned"]}},
    {"id": "how", "kind": "text", "required": False, "when": {"verdict": ["corrected"]}},
)


@pytest.mark.parametrize(
    ("answers", "output", "wanted"),
    [
        ({}, DECLINED, None),
        ({"label": "decline"}, DECLINED, "upheld"),
        ({"label": "approve"}, DECLINED, "overturned"),
        ({"label": "cannot tell"}, DECLINED, "unresolvable"),
        ({"label": "cannot tell", "better": "A better text."}, DECLINED, "unresolvable"),
        ({"label": "approve", "better": "A better text."}, DECLINED, "corrected"),
        # The better text is asked for when it is overturned only.
        ({"label": "decline", "better": "A better text."}, DECLINED, "upheld"),
        # Without a label from the model, the label that is the risk overturns.
        ({"label": "decline"}, UNLABELLED, "overturned"),
        ({"label": "approve"}, UNLABELLED, "upheld"),
        ({"label": "decline", "better": "A better text."}, UNLABELLED, "corrected"),
        ({"label": "cannot tell"}, UNLABELLED, "unresolvable"),
    ],
)
def test_the_label_decides(answers: dict[str, Any], output: Output, wanted: str | None) -> None:
    assert verdict(CORRECTABLE, answers, output) == wanted


def test_a_correction_stays_asked_after_it_was_given_and_can_switch_on_more() -> None:
    given = {"label": "approve", "better": "A better text.", "how": "Reworded."}
    assert ids(CORRECTABLE, given) == ["label", "better", "how"]
    kept, outcome = check(CORRECTABLE, given, TASK, DECLINED)
    assert kept == given
    assert (outcome.verdict, outcome.label, outcome.text) == ("corrected", "approve", "A better text.")


def test_cannot_tell_is_no_label() -> None:
    outcome = check(CORRECTABLE, {"label": "cannot tell"}, TASK, DECLINED)[1]
    assert (outcome.verdict, outcome.label, outcome.text) == ("unresolvable", None, None)


def test_an_explicit_verdict_wins_over_the_label() -> None:
    explicit = {
        "id": "verdict",
        "kind": "choice",
        "role": "verdict",
        "options": [{"id": "upheld"}, {"id": "corrected"}],
    }
    form = rubric(explicit | {"critical": ["corrected"]}, LABEL | {"required": False})
    assert verdict(form, {"verdict": "upheld", "label": "approve"}) == "upheld"
    assert verdict(form, {"label": "approve"}) == "overturned"
    outcome = check(form, {"verdict": "corrected"}, TASK, DECLINED)[1]
    assert (outcome.verdict, outcome.label, outcome.critical) == ("corrected", None, ("verdict",))


def test_without_a_verdict_nothing_is_decided() -> None:
    assert problems(rubric(LABEL | {"required": False}), {}) == ["no verdict given"]


SCORED = rubric(
    LABEL,
    {"id": "good", "kind": "scale", "weight": 2, "required": False},
    {"id": "bad", "kind": "scale", "weight": 1, "reverse": True, "min": 0, "max": 4, "required": False},
    {"id": "fine", "kind": "yes_no", "weight": 1, "required": False},
    {
        "id": "grade",
        "kind": "choice",
        "weight": 4,
        "required": False,
        "options": [{"id": "a", "score": 0.25}, {"id": "b"}],
    },
    {"id": "loose", "kind": "scale", "required": False},
)


@pytest.mark.parametrize(
    ("answers", "score"),
    [
        ({}, None),
        ({"loose": 5}, None),
        ({"good": 1}, 0.0),
        ({"good": 5}, 1.0),
        ({"good": 4}, 0.75),
        ({"bad": 0}, 1.0),
        ({"bad": 4}, 0.0),
        ({"bad": 1}, 0.75),
        ({"fine": "yes"}, 1.0),
        ({"fine": "no"}, 0.0),
        ({"grade": "b"}, None),
        ({"grade": "b", "fine": "no"}, 0.0),
        ({"good": 5, "bad": 4, "fine": "no"}, 0.5),
        ({"good": 5, "grade": "a"}, (2 * 1 + 4 * 0.25) / 6),
    ],
)
def test_the_score_is_the_weighted_mean_of_what_was_scored(answers: dict[str, Any], score: float | None) -> None:
    found = check(SCORED, {"label": "decline", **answers}, TASK, DECLINED)[1].score
    assert found == (None if score is None else pytest.approx(score))


@pytest.mark.parametrize(
    ("criterion", "answer", "critical"),
    [
        ({"kind": "multi", "options": TWO, "critical": ["b"]}, ["a"], ()),
        ({"kind": "multi", "options": TWO, "critical": ["b"]}, ["a", "b"], ("x",)),
        ({"kind": "yes_no", "critical": [False]}, "no", ("x",)),
        ({"kind": "yes_no", "critical": [False]}, True, ()),
        ({"kind": "scale", "critical": [5]}, "5", ("x",)),
        ({"kind": "scale", "critical": [5]}, 4, ()),
        ({"kind": "number", "critical": [0]}, "0", ("x",)),
        ({"kind": "number", "critical": [0]}, 0.5, ()),
    ],
)
def test_a_critical_answer_is_noticed_in_every_kind(criterion: dict[str, Any], answer: Any, critical: Any) -> None:
    form = rubric(LABEL, {"id": "x", **criterion})
    assert check(form, {"label": "decline", "x": answer}, TASK, DECLINED)[1].critical == critical


def test_a_critical_answer_that_is_not_asked_for_does_not_count() -> None:
    form = rubric(LABEL, {"id": "x", "kind": "yes_no", "critical": [True], "when": {"label": ["approve"]}})
    assert check(form, {"label": "decline", "x": True}, TASK, DECLINED)[1].critical == ()
    assert check(form, {"label": "approve", "x": True}, TASK, DECLINED)[1].critical == ("x",)


@pytest.mark.parametrize(("answer", "asks"), [("3", True), (3, True), (3.0, True), (4, False)])
def test_a_number_switches_on_whatever_its_spelling(answer: Any, asks: bool) -> None:
    form = rubric(LABEL, {"id": "n", "kind": "number"}, {"id": "x", "kind": "text", "when": {"n": [3]}})
    given = {"label": "decline", "n": answer, "x": "words"}
    assert ("x" in check(form, given, TASK, DECLINED)[0]) is asks


def test_one_of_several_chosen_reasons_is_enough() -> None:
    reasons = {"id": "reasons", "kind": "multi", "role": "reasons", "options": [*TWO, {"id": "c"}]}
    form = rubric(LABEL, reasons, {"id": "x", "kind": "text", "when": {"reasons": ["b"]}})
    assert ids(form, {"reasons": ["a", "b"]}) == ["label", "reasons", "x"]
    assert ids(form, {"reasons": ["a", "c"]}) == ["label", "reasons"]
    outcome = check(form, {"label": "decline", "reasons": ["c", "a"]}, TASK, DECLINED)[1]
    assert outcome.reasons == ("a", "c")


def test_all_problems_are_told_at_once() -> None:
    found = problems(SCORED, {"label": "maybe", "good": 9, "nope": 1})
    assert [p.partition(":")[0] for p in found] == ["nope", "label", "good"]
    assert "it has label, good, bad, fine, grade, loose" in found[0]
    assert "approve, decline, cannot tell, got 'maybe'" in found[1]
    assert "1, 2, 3, 4, 5" in found[2]
