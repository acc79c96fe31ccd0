"""Explanations as lines: what each kind says, and that nothing in a record can break a line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.content import Content
from textual.widgets import Static

from app.model.explanation import KINDS, Explanation
from app.model.explanation_checks import warnings_of
from app.model.prediction import Prediction
from screens.widgets.explanations import badge_lines, note_lines, render, title
from screens.widgets.explanations.layout import bars

EXPLANATION: TypeAdapter[Explanation] = TypeAdapter(Explanation)
TEXT = "The applicant missed three payments and asks for more."


def prediction(**changes: Any) -> Prediction:
    record: dict[str, Any] = {
        "id": "case-1",
        "task": {"type": "binary"},
        "inputs": [
            {"name": "month", "value": 48},
            {"name": "purpose", "value": "A43"},
            {"name": "letter", "kind": "text", "value": TEXT},
            {"name": "sex", "withheld": "sex"},
        ],
        "output": {"label": "bad", "score": 0.74, "text": TEXT},
        "provenance": {"model": {"name": "credit-hgb", "version": "2.3.0", "artifact_digest": "sha256:aa"}},
    }
    return Prediction.model_validate(record | changes)


def explanation(kind: str, *items: Any, **more: Any) -> Explanation:
    return EXPLANATION.validate_python({"kind": kind, "items": list(items), **more})


def lines(given_explanation: Explanation, width: int = 80, case: Prediction | None = None) -> list[str]:
    return [one.plain for one in render(given_explanation, case or prediction(), width)]


def said_of(given_explanation: Explanation, case: Prediction | None = None, width: int = 80) -> list[Content]:
    """The badges and notes of an explanation."""
    warnings = warnings_of((case or prediction()).model_copy(update={"explanations": [given_explanation]}))
    return [*badge_lines(warnings, width), *note_lines(warnings, width)]


def contribution(feature: str | list[str], amount: float, value: Any = None) -> dict[str, Any]:
    return {"feature": feature, "value": value, "contribution": amount}


# Attribution


def test_attribution_shows_base_bars_and_result() -> None:
    shown = lines(
        explanation(
            "attribution",
            contribution("savings", -0.41, "A65"),
            contribution("month", 1.51, 48),
            method="shap.TreeExplainer",
            fidelity="exact",
            base_value=-1.16,
            output_value=1.04,
            target={"label": "bad", "space": "logit"},
        )
    )
    assert shown[0].startswith("base −1.16")
    assert "towards bad" in shown[0]
    assert shown[1].startswith("month = 48")
    assert "│▶▶▶" in shown[1] and shown[1].endswith("+1.51")
    assert "◀│" in shown[2] and shown[2].endswith("−0.41")
    assert shown[1].index("│") == shown[2].index("│")
    assert shown[-1] == "f(x) 1.04 → 0.74  exact (shap.TreeExplainer)"


def test_attribution_folds_small_and_withheld() -> None:
    items = [contribution(f"f{n}", 1.0) for n in range(8)] + [contribution(f"tiny {n}", 0.1) for n in range(3)]
    shown = lines(explanation("attribution", *items, withheld=2, withheld_contribution=-0.5))
    folded = next(one for one in shown if one.startswith("3 others, 2 withheld"))
    assert folded.endswith("−0.20")
    assert not any(one.startswith("tiny") for one in shown)


def test_attribution_shows_what_the_sender_left_out() -> None:
    shown = lines(explanation("attribution", contribution("a", 1.0), omitted_contribution=-0.5))
    assert next(one for one in shown if one.startswith("what is not listed")).endswith("−0.50")


def test_attribution_without_logit_has_no_sigmoid() -> None:
    shown = lines(explanation("attribution", contribution("a", 0.1), output_value=0.7))
    assert "→" not in shown[-1]


def test_attribution_keeps_brackets_interactions_and_the_value_of_a_long_name() -> None:
    shown = lines(
        explanation(
            "attribution",
            contribution(["age", "[withheld: race]"], 0.2),
            contribution("n" * 5_000, 0.1, 7),
        ),
        60,
    )
    assert any("age × [withheld: race]" in one for one in shown)
    assert any("n… = 7" in one for one in shown)


def test_attribution_of_zeros_and_of_nothing() -> None:
    assert any("│" in one for one in lines(explanation("attribution", contribution("a", 0.0))))
    assert "no contributions" in lines(explanation("attribution"))


def test_bars_share_one_scale_and_never_vanish() -> None:
    shown = [bar.plain for bar in bars([1.0, -0.5, 0.001, 0.0], 31)]
    assert shown[0].count("▶") == 2 * shown[1].count("◀") == 20
    assert shown[2].count("▶") == 1
    assert "▶" not in shown[3] and "◀" not in shown[3]


# Spans


def test_text_span_marks_the_text_and_ranks() -> None:
    made = explanation(
        "text_span",
        {"start": 14, "end": 35, "contribution": 0.31},
        {"start": 40, "end": 44, "text": "asks", "contribution": -0.5, "anchor": "shifted"},
        {"text": "never said", "contribution": 0.01, "anchor": "failed"},
        target={"input": "output.text"},
    )
    rendered = render(made, prediction(), 80)
    shown = [one.plain for one in rendered]
    assert shown[1] == "The applicant missed three payments⁺ and asks⁻ for more."
    underlined = [TEXT[s.start : s.end] for s in rendered[1].spans if "underline" in str(s.style)]
    assert "missed three payments" in underlined
    assert [one.split()[0] for one in shown if "“" in one] == ["−0.50", "+0.31", "+0.01"]
    assert any("“asks” ~" in one for one in shown)
    assert any("“never said”  [not anchored]" in one for one in shown)


def test_text_span_finds_the_named_input_or_says_that_it_is_not_here() -> None:
    span = {"start": 4, "end": 13, "contribution": 1.0}
    assert "applicant⁺" in lines(explanation("text_span", span, target={"input": "letter"}))[1]
    gone = lines(explanation("text_span", span, target={"input": "nowhere"}))
    assert gone[1] == "The text of these spans is not here."


def test_text_span_of_a_long_text_keeps_what_is_near_marks() -> None:
    text = "\n".join(f"line {n}" for n in range(200))
    start = text.index("line 100")
    span = {"start": start, "end": start + 8, "contribution": 1.0}
    shown = lines(explanation("text_span", span), case=prediction(output={"text": text}))
    assert shown[1:6] == ["⋮", "line 99", "line 100⁺", "line 101", "⋮"]


def test_evidence_groups_raters_and_puts_the_lost_last() -> None:
    span = {"start": 4, "end": 13, "text": "applicant", "label": "intrinsic"}
    shown = lines(
        explanation(
            "evidence",
            {"start": None, "end": None, "text": "lost", "label": "extrinsic", "rater": "c"},
            {**span, "rater": "a"},
            {**span, "rater": "b"},
            fidelity="human",
        )
    )
    assert shown[0] == "intrinsic  2 of 3 raters"
    assert shown[1] == "  “applicant”"
    assert shown[2] == "extrinsic  1 of 3 raters  [not anchored]"
    assert shown[-1] == "made by people"


def test_evidence_stands_beside_its_source_where_there_is_room() -> None:
    source = {"uri": "doc:1", "text": "Every instalment was paid."}
    made = explanation("evidence", {"start": 0, "end": 3, "label": "contradicted", "source": source})
    wide, narrow = lines(made, 80), lines(made, 58)
    assert any("“The”" in one and "Every instalment" in one for one in wide)
    assert not any("“The”" in one and "Every instalment" in one for one in narrow)
    assert any("doc:1" in one for one in narrow)


# The other kinds


def test_counterfactual_marks_what_nobody_can_change() -> None:
    changes = [
        {"feature": "month", "from": 48, "to": 10, "actionable": True},
        {"feature": "age", "from": 22, "to": 40, "actionable": False},
    ]
    item = {"changes": changes, "output": {"label": "good", "score": 0.228}, "distance": 2}
    shown = lines(explanation("counterfactual", item, method="dice", fidelity="approximation"))
    assert shown == [
        "1  → good 0.23 (distance 2)",
        "   month  48 → 10",
        "   age    22 → 40  ✗ not actionable",
        "approximation (dice)",
    ]


def test_example_shows_only_what_differs_and_nothing_withheld() -> None:
    values = {"month": "48", "purpose": "A49", "sex": "female"}
    item = {"ref": "g-9", "role": "nearest_other", "distance": 0.2, "label": "good", "values": values}
    text = "\n".join(lines(explanation("example", item)))
    assert "good  nearest with another label  distance 0.2" in text
    assert "A43" in text and "A49" in text and "1 field withheld" in text
    assert "month" not in text and "female" not in text


def test_rule_reads_if_and_then() -> None:
    shown = lines(
        explanation(
            "rule",
            {"feature": "month", "op": ">", "value": 36, "precision_so_far": 0.8, "coverage_so_far": 0.31},
            {"feature": "status", "op": "in", "value": ["A11", "A12"], "precision_so_far": 0.97},
            target={"label": "bad"},
        )
    )
    assert shown[1].split() == ["IF", "month", ">", "36", "0.80", "0.31"]
    assert shown[2].startswith("AND") and shown[2].split()[-2:] == ["0.97", "—"]
    assert shown[3] == "THEN  bad"


def test_trace_marks_risky_steps_and_never_hides_one() -> None:
    harmless = {"name": "look", "arguments": {"q": "x"}, "status": "ok", "duration_ms": 120}
    risky = {"name": "pay", "arguments": {"amount": 5, "memo": "a\nb"}, "risk": ["moves money"]}
    shown = lines(explanation("trace", *[harmless] * 80, risky))
    assert shown[:2] == ["1   look  ok  120 ms", "    q=x"]
    assert "… 30 more steps" in shown
    at = shown.index("81  pay")
    assert shown[at + 1 : at + 5] == [
        "    ▲ risk: moves money",
        "    amount: 5",
        "    memo: a",
        "          b",
    ]


def test_regions_notes_and_none() -> None:
    region = {"x": 12, "y": 40, "width": 100, "height": 80, "label": "left lung", "contribution": 0.31}
    assert lines(explanation("image_region", region))[2].split() == (
        ["left", "lung", "12,", "40", "100", "×", "80", "+0.31"]
    )
    assert lines(explanation("text", "point", text="one\n\ntwo"))[:4] == ["one", "", "two", "• point"]
    assert lines(explanation("none", reason="not given")) == ["No explanation: not given"]


def test_long_lists_say_how_much_is_left_out() -> None:
    shown = lines(explanation("counterfactual", *[{"changes": []}] * 10_000))
    assert "… 9,950 more" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_title_and_stands_empty(kind: str) -> None:
    empty = explanation(kind)
    assert title(empty)
    assert lines(empty)
    assert said_of(empty, prediction(provenance=None)) == []


def test_a_number_too_long_to_write_is_shown_by_its_size() -> None:
    shown = lines(explanation("attribution", contribution("a", 1.0, -(10**5_000))))
    assert any("a = about −10^5000" in one for one in shown)


def test_a_deep_value_is_closed() -> None:
    deep: Any = "end"
    for _ in range(500):
        deep = {"k": [deep]}
    assert lines(explanation("trace", {"name": "call", "arguments": deep}))[1].endswith("…")


# Badges


def test_a_badge_is_a_shape_a_word_and_a_sentence_and_the_gravest_is_reversed() -> None:
    made = explanation(
        "attribution",
        contribution("month", -1.5, 99),
        base_value=0.1,
        output_value=-1.4,
        target={"label": "bad", "space": "logit"},
    )
    shown = said_of(made)
    assert [one.plain.split()[:2] for one in shown if one.plain.strip()[:1] in "◆▲●○"] == [
        ["◆", "critical"],
        ["▲", "high"],
    ]
    assert any("reverse" in str(span.style) for span in shown[0].spans)
    assert not any("reverse" in str(span.style) for one in shown[1:] for span in one.spans)


def test_notes_do_not_repeat_what_the_head_says() -> None:
    made = explanation("attribution", contribution("month", 0.1, 48), base_value=0.64, output_value=0.74)
    assert said_of(made) == []
    assert lines(made)[0].startswith("base 0.64   unit not stated   class not stated   ▶ raises  ◀ lowers")


@pytest.mark.parametrize(
    ("space", "case", "word"),
    [
        ("logit", {"type": "binary"}, "log-odds"),
        ("logit", {"type": "multiclass", "labels": ["a", "b", "c"]}, "margin"),
        ("probability", {"type": "binary"}, "probability"),
        ("raw", {"type": "binary"}, "raw units"),
        ("splits", {"type": "binary"}, "unit “splits” not known"),
    ],
)
def test_class_and_unit_are_always_said(space: str, case: dict[str, Any], word: str) -> None:
    target = {"label": "bad", "space": space, "input": "letter"}
    for kind, item in (
        ("attribution", contribution("month", 0.1)),
        ("text_span", {"start": 0, "end": 3, "contribution": 0.1}),
        ("image_region", {"x": 0.1, "contribution": 0.1}),
    ):
        head = lines(explanation(kind, item, target=target), case=prediction(task=case))[0]
        assert head.startswith(word) and "towards bad" in head
    assert lines(explanation("rule", {"feature": "month", "op": ">", "value": 1}))[-2] == "THEN  class not stated"
    assert lines(explanation("counterfactual", {"changes": []}))[0] == "1  → class not stated"


def test_a_margin_is_not_put_through_a_sigmoid() -> None:
    made = explanation("attribution", contribution("month", 0.1), output_value=1.2, target={"space": "logit"})
    assert "→ 0.77" in lines(made)[-1]
    several = prediction(task={"type": "multiclass", "labels": ["a", "b", "c"]})
    assert "→" not in lines(made, case=several)[-1]


def test_a_word_with_several_places_is_marked_at_each_and_listed_once() -> None:
    made = explanation(
        "text_span",
        {"text": "the", "contribution": 0.3, "start": 0, "end": 3, "anchor": "searched", "place_group": 0},
        {"text": "the", "start": 14, "end": 20, "anchor": "searched", "place_group": 0},
        {"text": "[CLS]", "contribution": 0.01, "special_token": True},
        target={"input": "output.text"},
    )
    shown = lines(made)
    assert shown[1].startswith("The⁺ applicant missed⁺ three")
    assert [one for one in shown if "“The”" in one] == [" +0.30  “The”  2 places ~"]
    assert not any("not anchored" in one for one in shown)


def test_changes_that_change_nothing_are_counted_only() -> None:
    changes = [{"feature": "month", "from": 48, "to": 47.99999}, {"feature": "purpose", "from": "A43", "to": "A40"}]
    shown = lines(explanation("counterfactual", {"changes": changes, "output": {"label": "good"}}))
    assert shown[1:3] == ["   purpose  A43 → A40", "   1 left out: no change"]


# Hostile records

NASTY = st.sampled_from(
    [
        "\x1b[2J",
        "\x1b]52;c;YQ==\x07",
        "\x9b31m",
        "[/foo]",
        "[bold]",
        "a\nb",
        "\r\n",
        "\t",
        "",
        " ",
        "${x}",
        "…",
        "収入" * 40,
        "e" + "\u0301" * 9,
        "x" * 5_000,
        "\u202e",
        "\u200d",
        "👩\u200d👧",
        "🇩🇪🇫",
        "\ue000",
        "\u0301",
    ]
)
WORDS = st.lists(NASTY | st.text(max_size=12), max_size=4).map("".join)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1e300, -1e308, 5e-324])
SHARE = st.floats(0, 1)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | WORDS | st.just(10**4_000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
PLACES = st.none() | st.integers(-5, 200)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


SPAN = {
    "start": PLACES,
    "end": PLACES,
    "text": st.none() | WORDS,
    "anchor": st.sampled_from([None, "exact", "shifted", "searched", "failed"]),
}
SOURCE = some(uri=WORDS, digest=WORDS, start=PLACES, end=PLACES, text=WORDS)
CHANGE = st.fixed_dictionaries(
    {"feature": WORDS, "from": VALUE, "to": VALUE, "actionable": st.sampled_from([None, True, False])}
)
ITEMS: dict[str, st.SearchStrategy[Any]] = {
    "attribution": st.fixed_dictionaries(
        {"feature": WORDS | st.lists(WORDS, max_size=3), "value": VALUE, "contribution": FLOATS}
    ),
    "text_span": some(**SPAN, contribution=st.none() | FLOATS),
    "image_region": some(x=FLOATS, y=FLOATS, width=FLOATS, height=FLOATS, label=WORDS, contribution=FLOATS),
    "counterfactual": some(
        changes=st.lists(CHANGE, max_size=3),
        output=some(label=WORDS, score=FLOATS),
        valid=st.booleans(),
        distance=VALUE,
    ),
    "example": some(
        ref=WORDS, role=WORDS, distance=FLOATS, label=WORDS, values=st.dictionaries(WORDS, VALUE, max_size=4)
    ),
    "rule": st.fixed_dictionaries(
        {"feature": WORDS, "op": WORDS, "value": VALUE}, optional={"precision_so_far": FLOATS}
    ),
    "evidence": some(**SPAN, label=WORDS, rater=VALUE, source=SOURCE),
    "trace": some(
        step=st.integers() | WORDS,
        name=WORDS,
        arguments=VALUE,
        status=WORDS,
        risk=st.lists(WORDS, max_size=3),
        duration_ms=FLOATS,
    ),
    "text": VALUE,
    "none": VALUE,
}
SHARED = some(
    method=WORDS,
    explains=some(model=WORDS, version=WORDS, artifact_digest=WORDS),
    target=some(label=WORDS, space=st.sampled_from(["logit", "raw"]), input=st.sampled_from(["output.text", "n"])),
    base_value=FLOATS,
    output_value=FLOATS,
    fidelity=st.sampled_from(["exact", "surrogate", "human"]),
    fidelity_score=st.fixed_dictionaries({"name": WORDS, "value": FLOATS}),
    withheld_contribution=FLOATS,
    text=WORDS,
    reason=WORDS,
)


def check(rendered: list[Content], width: int) -> None:
    for one in rendered:
        assert cell_len(one.plain) <= width
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in one.plain)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), width=st.integers(40, 120))
def test_hostile_records_stay_inside_their_lines(kind: str, data: st.DataObject, width: int) -> None:
    items = data.draw(st.lists(ITEMS[kind], max_size=4)) * data.draw(st.sampled_from([1, 1, 20]))
    made = EXPLANATION.validate_python(data.draw(SHARED) | {"kind": kind, "items": items})
    case = prediction(
        inputs=[{"name": "n", "value": data.draw(VALUE)}],
        output={"label": data.draw(WORDS), "text": data.draw(WORDS)},
        provenance={"model": {"name": data.draw(VALUE), "version": data.draw(VALUE)}},
    )
    check(render(made, case, width), width)
    shown = said_of(made, case, width)
    check(shown, width)
    assert len(shown) < 40


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [0, 1, 10, 39])
def test_narrower_than_promised_is_cut_not_broken(kind: str, width: int) -> None:
    check(render(explanation(kind, method="m" * 99), prediction(), width), width)


async def test_a_widget_draws_every_style() -> None:
    made = [
        explanation("attribution", contribution("[/foo]", 1.0, "[red]"), contribution("b", -1.0)),
        explanation("text_span", {"start": 0, "end": 3, "contribution": -1.0}, {"text": "[/x]"}),
        explanation("trace", {"name": "pay", "status": "failed", "risk": ["[/money]"]}),
        explanation("counterfactual", {"changes": [{"feature": "a", "actionable": False}], "valid": False}),
    ]
    content = Content("\n").join(one for each in made for one in render(each, prediction(), 60))

    class Shown(App[None]):
        def compose(self) -> ComposeResult:
            yield Static(content)

    async with Shown().run_test(size=(60, 30)) as pilot:
        await pilot.pause()
        drawn = pilot.app.query_one(Static).render_line(1).text
        assert drawn.startswith("[/foo] = [red]")
