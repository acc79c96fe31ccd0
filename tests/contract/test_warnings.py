"""What is wrong with explanations reaches everybody who may see them, the same whatever stands behind the desk."""

from __future__ import annotations

import json

import orjson
import pytest

from app.cli.plain import claim_json, print_view, view_json
from app.desk.protocol import Desk
from app.desk.wire import dump
from app.model.case import CaseView
from tests.builders import record
from tests.contract.worlds import World, samples
from tests.explained import attribution, weight

OPPOSITE = attribution(
    weight("month", -0.9, 48), weight("seniority", 0.1, 7), base_value=0.1, output_value=-0.7, fidelity="exact"
)
SENTENCE = (
    "called exact, but contradicts the score: comes to 0.33 for decline, the model said 0.97, the other way round"
)
CODES = {"contradicts_score", "unknown_features"}


@pytest.fixture
def contradicted(world: World) -> str:
    """A case in both queues whose explanation says the opposite."""
    output = {"label": "decline", "score": 0.97, "threshold": 0.5}
    made = record(id="opposite", output=output, explanations=[OPPOSITE])
    for queue in ("credit", "blind"):
        world.admit(queue, [made])
    return str(made["id"])


def test_they_come_with_a_case(world: World, contradicted: str) -> None:
    ada = world.desk("ada")
    view = ada.view(ada.find(contradicted, "credit"))
    assert {one.code for one in view.warnings} == CODES
    assert (view.warnings[0].severity, view.warnings[0].message) == ("critical", SENTENCE)


def test_json_and_lines_say_them(world: World, contradicted: str, capsys: pytest.CaptureFixture[str]) -> None:
    ada = world.desk("ada")
    claim = ada.claim_case(ada.find(contradicted, "credit"))
    for made in (view_json(claim.view), claim_json(claim)["case"]):
        first = json.loads(orjson.dumps(made))["warnings"][0]
        assert first == {"explanation": 0, "code": "contradicts_score", "severity": "critical", "message": SENTENCE}
    print_view(claim.view, 0)
    out = capsys.readouterr().out
    assert "◆ critical  called exact, but contradicts the score" in out
    assert "○ low" not in out and "○ no input of this case: seniority" in out


def test_what_a_hub_answers_holds_them(world: World, contradicted: str) -> None:
    ada = world.desk("ada")
    answer = json.loads(dump(CaseView, ada.view(ada.find(contradicted, "credit"))))
    assert {one["code"] for one in answer["warnings"]} == CODES


def test_until_the_first_judgement_there_are_none(world: World, contradicted: str) -> None:
    ada = world.desk("ada", queues=("blind",))
    case_id = ada.find(contradicted, "blind")
    claim = ada.claim_case(case_id)
    assert claim.view.hidden
    assert view_json(claim.view)["warnings"] == []
    assert json.loads(dump(CaseView, claim.view))["warnings"] == []
    assert {one.code for one in ada.judge(claim.lease, "decline", 4).warnings} == CODES


def test_few_of_the_samples_are_warned_of(ada: Desk) -> None:
    every: list[str] = []
    for queue in ("credit", "moderation", "summaries"):
        for each in samples(queue):
            view = ada.view(ada.find(each["id"], queue))
            every += {one.code for one in view.warnings if one.severity != "low"}
    assert set(every) == {"other_model", "same_label", "unknown_label", "other_class", "not_anchored"}
    assert len(every) < 12
