"""Words without offsets: at word boundaries, in order, at every place they stand."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.anchor import anchor_spans
from app.model.prediction import Prediction
from tests.builders import protector, record

TEXT = "A knot is no snow: no one knows, No one."


def placed(text: str, *words: str, **more: Any) -> list[dict[str, Any]]:
    """The items that a list of words becomes, each with what stands at its place as `here`."""
    items = [{"text": word, "contribution": at + 1.0} for at, word in enumerate(words)]
    made = record(
        inputs=[{"name": "note", "kind": "text", "value": text}],
        explanations=[{"kind": "text_span", "items": items, **more}],
    )
    anchor_spans(made)
    Prediction.model_validate(made)
    (explained,) = made["explanations"]
    assert explained["target"]["input"] == "note"
    for item in explained["items"]:
        item["here"] = None if item["start"] is None else text[item["start"] : item["end"]]
    return list(explained["items"])


def here(text: str, *words: str, **more: Any) -> list[str | None]:
    return [item["here"] for item in placed(text, *words, **more)]


def starts(text: str, *words: str, **more: Any) -> list[int | None]:
    return [item["start"] for item in placed(text, *words, **more)]


# -- bags of words -----------------------------------------------------------------------------------


def test_a_word_stands_at_boundaries_and_at_every_place_with_its_weight_once() -> None:
    first, second, one, other = placed(TEXT, "no", "one", method="lime")
    assert [first["start"], second["start"]] == [10, 19]
    assert first["contribution"] == 1.0 and "contribution" not in second
    assert first["place_group"] == second["place_group"] == 0
    assert [one["start"], other["start"]] == [22, 36]
    assert one["place_group"] == other["place_group"] == 1
    assert {item["anchor"] for item in (first, second, one, other)} == {"searched"}


def test_a_word_inside_of_others_only_stands_nowhere() -> None:
    assert placed("knots and snow", "no")[0]["anchor"] == "failed"
    assert placed("no_ and _no and no1", "no")[0]["anchor"] == "failed"


def test_capitals_are_other_words_for_lime_unless_all_were_lowered() -> None:
    assert starts(TEXT, "No", method="lime") == [33]
    # A list that is found only in lower case was lowered.
    assert starts("No Way. no way", "no", "way") == [8, 11]
    assert starts("No Way.", "no", "way") == [0, 3]


def test_offsets_behind_a_word() -> None:
    assert starts(TEXT, "no_10-19", method="lime") == [10, 19]
    assert starts("snake_1 is snake_1", "snake_1") == [0, 11]


def test_what_is_written_without_blanks_has_no_boundaries() -> None:
    assert here("我们拒绝了贷款申请", "贷款", "拒绝") == ["贷款", "拒绝"]
    assert here("ปฏิเสธสินเชื่อ", "สินเชื่อ") == ["สินเชื่อ"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("other", ["NFC", "NFD"])
def test_normal_forms_are_one(form: Any, other: Any) -> None:
    text = unicodedata.normalize(form, "Très naïve, déjà-vu, naïve")
    words = [unicodedata.normalize(other, word) for word in ("naïve", "déjà")]
    assert here(text, *words) == [unicodedata.normalize(form, word) for word in ("naïve", "naïve", "déjà")]


def test_accents_and_capitals_that_a_tokeniser_took_away() -> None:
    assert here("Über Café STRASSE Straße", "uber", "cafe") == ["Über", "Café"]
    assert here("Straße", "strasse") == ["Straße"]


def test_words_that_were_split_at_combining_marks() -> None:
    assert here(unicodedata.normalize("NFD", "naïve"), "nai", "ve", method="lime") == ["nai", "ve"]


def test_phrases_are_found_inside_of_words_as_well() -> None:
    assert here("prepayments were late", "payments were lat") == ["payments were lat"]


# -- lists of tokens ---------------------------------------------------------------------------------


def test_repeats_are_successive_places() -> None:
    assert starts("no yes no yes no", "no", "yes", "no", "yes", "no") == [0, 3, 7, 10, 14]
    # Sorted by weight: the first of equal words stands first.
    assert starts("no yes no yes", "yes", "no", "yes", "no") == [3, 0, 10, 7]


def test_separators_that_were_kept() -> None:
    tokens = ["The ", "loan, ", "no ", "loan", "."]
    assert here("The loan, no loan.", *tokens) == ["The", "loan,", "no", "loan", "."]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Unpayable loans", ["un", "##pay", "##able", "loans"]),
        ("Unpayable loans", ["Un", "pay", "able", "Ġloans"]),
        ("Unpayable loans", ["▁Un", "pay", "able", "▁loans"]),
        ("Unpayable loans", ["un", "pay", "able</w>", "loans</w>"]),
        ("Unpayable loans", ["Un@@", "pay@@", "able", "loans"]),
    ],
)
def test_marks_of_tokenisers(text: str, tokens: list[str]) -> None:
    assert starts(text, *tokens) == [0, 2, 5, 10]


def test_a_piece_is_never_a_word_of_its_own() -> None:
    assert starts("able to repay an unpayable loan", "un", "##pay", "##able") == [17, 19, 22]


def test_bytes_of_one_character_are_that_character() -> None:
    assert here("café 👍 no", "caf", "Ã", "©", "ĠðŁ", "ĳ", "į", "Ġno") == ["caf", "é", "é", "👍", "👍", "👍", "no"]
    assert here("né", "▁n", "<0xC3>", "<0xA9>") == ["n", "é", "é"]


def test_tokens_that_stand_for_nothing_are_not_lost_spans() -> None:
    items = placed("no way", "[CLS]", "no", "way", "[SEP]", "")
    assert [item["here"] for item in items] == [None, "no", "way", None, None]
    assert [item.get("special_token") for item in items] == [True, None, None, True, True]
    assert not any(item["anchor"] == "failed" for item in items)


@given(st.lists(st.sampled_from(["no", "not", "know", "No", "é", "e\u0301", "."]), min_size=1, max_size=12))
def test_a_whole_list_is_followed_word_by_word(words: list[str]) -> None:
    text = " ".join(words)
    ends, at = [], 0
    for word in words:
        ends.append(at)
        at += len(word) + 1
    # A list that keeps its blanks is a list whatever repeats.
    assert starts(text, *(f"{word} " for word in words)) == ends


# -- with offsets, and what protection makes of them ------------------------------------------------


def test_the_nearest_whole_word_is_taken_and_another_spelling_stays_where_it_is() -> None:
    items = [
        {"start": 1, "end": 3, "text": "no"},
        {"start": 33, "end": 35, "text": "no"},
        {"start": 2, "end": 6, "text": "##knot"},
        {"start": 13, "end": 15, "text": "kno"},
    ]
    made = record(output={"text": TEXT}, explanations=[{"kind": "text_span", "items": items}])
    anchor_spans(made)
    found = [(item["start"], item["anchor"]) for item in made["explanations"][0]["items"]]
    assert found == [(10, "searched"), (33, "exact"), (2, "exact"), (2, "searched")]


def test_evidence_has_one_place_for_all_its_raters() -> None:
    items = [{"text": "no one", "label": "extrinsic", "rater": rater} for rater in "ab"]
    made = record(output={"text": "no one said no one"}, explanations=[{"kind": "evidence", "items": items}])
    anchor_spans(made)
    assert [item["start"] for item in made["explanations"][0]["items"]] == [0, 0]


def test_every_place_moves_with_what_is_masked_before_it() -> None:
    made = record(
        inputs=[{"name": "note", "kind": "text", "value": "Quentinus owes, and owes Quentinus more"}],
        sensitive=[{"name": "name", "value": "Quentinus"}],
        explanations=[{"kind": "text_span", "items": [{"text": "owes", "contribution": 1.0}, {"text": "Quentinus"}]}],
    )
    anchor_spans(made)
    kept = protector().protect(made)
    text, items = kept["inputs"][0]["value"], kept["explanations"][0]["items"]
    assert "Quentinus" not in str(kept)
    assert [text[i["start"] : i["end"]] for i in items] == ["owes", "owes", "[withheld: name]", "[withheld: name]"]
