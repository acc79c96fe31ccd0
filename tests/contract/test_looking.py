"""Lists, filters, search, find and likeness: what can be looked at, and that it is what was asked for."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.desk.protocol import Desk
from app.model.case import Filter
from app.model.errors import BadInput, SecondlookError
from app.model.words import SEVERITIES, STATES
from tests.contract.worlds import OPEN_QUEUES, World, decide, samples


def references(desk: Desk, wanted: Filter) -> list[str]:
    """The predictions' own ids of what is found."""
    found = desk.ids(wanted)
    rows = desk.rows(found)
    return [rows[i].id for i in found]


def test_every_filter_keeps_what_matches_and_all_of_it(world: World, ada: Desk, ben: Desk) -> None:
    decide(ada, ada.claim("credit"))
    ada.claim("credit")
    ben.claim("moderation")
    ben.park(ben.claim("credit").lease, "odd")
    ben.defer(ben.claim("credit").lease, 5)
    everything = {i: row for state in STATES for i, row in ada.rows(ada.ids(Filter(state=state))).items()}
    assert len(everything) == 72
    for queue in (None, *OPEN_QUEUES):
        for severity in (None, *SEVERITIES):
            for state in STATES:
                for holder in (None, "ada", "ben"):
                    wanted = Filter(queue=queue, state=state, severity=severity, holder=holder)
                    expected = {
                        i
                        for i, row in everything.items()
                        if queue in (None, row.queue)
                        and severity in (None, row.severity)
                        and state == row.state
                        and holder in (None, row.holder)
                    }
                    assert set(ada.ids(wanted)) == expected, wanted
    assert set(ada.ids(Filter())) == {i for i, row in everything.items() if row.state != "settled"}


def test_a_flag_filter_finds_by_the_gravest_flag(ada: Desk) -> None:
    rows = ada.rows(ada.ids(Filter()))
    codes = {row.flag for row in rows.values()} - {""}
    assert len(codes) > 5
    for code in codes:
        assert set(ada.ids(Filter(flag=code))) == {i for i, row in rows.items() if row.flag == code}
    assert len(ada.ids(Filter(flag="no such flag"))) == 0


def test_a_limit_keeps_the_head(ada: Desk) -> None:
    assert list(ada.ids(Filter(), 5)) == list(ada.ids(Filter()))[:5]
    assert list(ada.ids(Filter(text="the"), 3)) == list(ada.ids(Filter(text="the")))[:3]


def test_unknown_rows_are_left_out(ada: Desk) -> None:
    known = ada.ids(Filter())[0]
    assert list(ada.rows([known, -1, 10_000])) == [known]
    assert ada.rows([]) == {}


def test_search_finds_exact_ids_words_beginnings_and_typos(ada: Desk) -> None:
    assert references(ada, Filter(text="loan-2611104"))[0] == "loan-2611104"
    assert references(ada, Filter(text="  post-2611104 "))[0] == "post-2611104"
    assert references(ada, Filter(text="swing bridge")) == ["brief-2611104"]
    assert references(ada, Filter(text="BRIDGE swing")) == ["brief-2611104"]
    assert references(ada, Filter(text="swing bri")) == ["brief-2611104"]
    assert "brief-2611104" in references(ada, Filter(text="swing brigde"))
    assert references(ada, Filter(text="swing zebra crossing nowhere qqqq")) in ([], ["brief-2611104"])
    assert references(ada, Filter(text="zzzzqqqq")) == []


def test_search_respects_the_filters(ada: Desk) -> None:
    found = ada.ids(Filter(text="the"))
    rows = ada.rows(found)
    assert {row.queue for row in rows.values()} > {"summaries"}
    only = ada.ids(Filter(text="the", queue="summaries", severity="high"))
    assert set(only) == {i for i, r in rows.items() if r.queue == "summaries" and r.severity == "high"}
    assert len(only) > 0


def test_search_finds_settled_cases_too(ada: Desk) -> None:
    receipt = decide(ada, ada.claim("summaries"))
    assert receipt.case_id in ada.ids(Filter(text=receipt.id))
    assert receipt.case_id not in ada.ids(Filter(text=receipt.id, state="open"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30) | st.text(alphabet="\"*()^:-_ANDORNEARnot²़́ '%", max_size=20))
def test_whatever_is_typed_search_answers(ada: Desk, text: str) -> None:
    found = ada.ids(Filter(text=text))
    assert set(found) <= set(ada.rows(found))


def test_find_by_the_predictions_own_id(world: World, ada: Desk) -> None:
    case_id = ada.find("loan-2611104")
    assert ada.rows([case_id])[case_id].id == "loan-2611104"
    with pytest.raises(BadInput, match="'loan-0'"):
        ada.find("loan-0")
    with pytest.raises(BadInput, match="in queue 'summaries'"):
        ada.find("loan-2611104", "summaries")


def test_an_id_in_two_queues_must_be_told_apart(world: World) -> None:
    both = world.desk("ada", queues=("credit", "blind"))
    with pytest.raises(BadInput, match=r"credit, blind|blind, credit"):
        both.find("loan-2611104")
    found = {queue: both.find("loan-2611104", queue) for queue in ("credit", "blind")}
    assert found["credit"] != found["blind"]
    assert {both.view(i).row.queue for i in found.values()} == {"credit", "blind"}


def test_what_is_not_ones_queue_is_not_there(world: World, ada: Desk) -> None:
    eve = world.desk("eve", queues=("moderation",))
    case_id = ada.claim("credit").lease.case_id
    assert eve.rows([case_id]) == {}
    for act in (eve.view, eve.claim_case, eve.similar, eve.history, lambda i: eve.flag(i, "note")):
        with pytest.raises(BadInput):
            act(case_id)
    with pytest.raises(BadInput):
        eve.find("loan-2611104")
    for wanted in (Filter(queue="credit"), Filter(text="loan-2611104"), Filter(holder="ada"), Filter(state="leased")):
        assert list(eve.ids(wanted)) == []
    assert {row.queue for row in eve.rows(eve.ids(Filter())).values()} == {"moderation"}


def test_a_view_shows_the_protected_record(ada: Desk) -> None:
    record = samples("credit")[0]
    view = ada.view(ada.find(record["id"]))
    assert not view.hidden
    assert view.rubric == ada.rubric("credit")
    assert view.prediction.output.label == record["output"]["label"]
    assert [s.value for s in view.prediction.sensitive or ()] == [None] * len(record["sensitive"])
    assert record["subject"] not in repr(view)


@pytest.mark.parametrize("queue", OPEN_QUEUES)
def test_similar_cases_are_near_and_of_the_same_queue(ada: Desk, queue: str) -> None:
    case_id = ada.ids(Filter(queue=queue))[0]
    found = ada.similar(case_id, limit=4)
    assert 0 < len(found) <= 4
    likenesses = [s.likeness for s in found if s.role != "opposite"]
    assert likenesses == sorted(likenesses, reverse=True)
    for similar in found:
        assert similar.case_id != case_id
        assert 0 <= similar.likeness <= 1
        assert ada.rows([similar.case_id])[similar.case_id].queue == queue


def test_the_nearest_case_of_the_other_label_is_always_shown(ada: Desk) -> None:
    beyond_the_limit = 0
    for case_id in ada.ids(Filter(queue="moderation")):
        mine = ada.view(case_id).prediction.output.label
        found = ada.similar(case_id, limit=50)
        for similar in found:
            assert similar.role == ("same" if similar.label == mine else "opposite")
        opposite = next((s for s in found if s.role == "opposite"), None)
        beyond_the_limit += opposite is not None and opposite not in found[:2]
        assert opposite is None or opposite in ada.similar(case_id, limit=2)
    assert beyond_the_limit > 0


def test_every_act_raises_only_errors_that_people_can_read(ada: Desk) -> None:
    for act in (lambda: ada.policy("x"), lambda: ada.rubric("x"), lambda: ada.claim("x"), lambda: ada.find("x", "x")):
        with pytest.raises(SecondlookError) as raised:
            act()
        assert len(str(raised.value)) > 10
