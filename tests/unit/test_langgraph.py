"""LangGraph's shapes, as `langgraph dev` (langgraph-api 0.16.7) gave them, against a small server: what each becomes,
what is said of others, and what a verdict resumes. `tests/servers` runs the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.bundled import bundled
from app.deliver.sinks.langgraph import LangGraphOptions, LangGraphSink, digest
from app.intake.parse import validate
from app.intake.sources.langgraph import LangGraphSource
from app.model.answers import Outcome, check
from app.model.connection import Item
from app.model.errors import RubricError, Undelivered
from app.model.policy import QueuePolicy
from app.model.prediction import Output, Task
from app.settings import load_rubric
from tests.unit.answering import Asked, Said, Server, answering, delivery

POLICY = QueuePolicy(rubric="agent-action")
VALUE = {
    "action_requests": [{"name": "send_money", "args": {"to": "ACME", "amount": 900}, "description": "Sends money"}],
    "review_configs": [{"action_name": "send_money", "allowed_decisions": ["approve", "edit", "reject"]}],
}
REFERENCE = {"thread_id": "t1", "interrupt_id": "i1", "assistant_id": "a1", "digest": digest(VALUE)}


def messages() -> list[dict[str, Any]]:
    balance = {"name": "get_balance", "args": {"account": "a"}, "id": "c1", "type": "tool_call"}
    pay = {"name": "send_money", "args": {"to": "ACME", "amount": 900}, "id": "c2", "type": "tool_call"}
    return [
        {"type": "human", "content": "Pay ACME", "id": "m1"},
        {"type": "ai", "content": [{"type": "text", "text": "I look."}], "tool_calls": [balance]},
        {"type": "tool", "content": "1,250", "name": "get_balance", "tool_call_id": "c1", "status": "success"},
        {"type": "ai", "content": "", "tool_calls": [pay]},
    ]


def thread(value: Any = VALUE, thread_id: str = "t1", **more: Any) -> dict[str, Any]:
    base = {
        "thread_id": thread_id,
        "status": "interrupted",
        "updated_at": "2026-11-21T12:32:15+00:00",
        "metadata": {"graph_id": "payer", "assistant_id": "a1", "user": "u-1"},
        "values": {"messages": messages()},
        "interrupts": {"task-1": [{"id": "i1", "value": value}]},
    }
    return base | more


class Fake:
    """Threads as the server has them."""

    def __init__(self) -> None:
        self.threads: list[Any] = [thread()]
        self.history: list[Any] = []
        self.runs = 200
        self.started: list[Any] = []

    def __call__(self, asked: Asked) -> Said:
        if asked.path == "/threads/search":
            start = asked.body["offset"]
            return 200, self.threads[start : start + asked.body["limit"]]
        if asked.path.endswith("/history"):
            return 200, self.history
        if asked.path.endswith("/runs") and asked.method == "POST":
            self.started.append(asked.body)
            return self.runs, {"run_id": "r1"}
        if asked.path.endswith("/runs"):
            return 200, [{"metadata": run["metadata"]} for run in self.started]
        return next(((200, t) for t in self.threads if asked.path == f"/threads/{t['thread_id']}"), None)


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def server(fake: Fake) -> Iterator[Server]:
    with answering(fake) as running:
        yield running


@pytest.fixture
def source(server: Server) -> Iterator[LangGraphSource]:
    options = LangGraphOptions(url=server.url, subject="user", severity={"send_money": "critical"})
    made = LangGraphSource(options, str, Path())
    yield made
    made.close()


@pytest.fixture
def sink(server: Server) -> Iterator[LangGraphSink]:
    made = LangGraphSink(LangGraphOptions(url=server.url, token_secret="key"), {"key": "k-1"}.__getitem__, Path())
    yield made
    made.close()


def record(item: Item) -> dict[str, Any]:
    """The record, which must be admissible."""
    assert not item.problem
    found: dict[str, Any] = orjson.loads(item.data)
    validate(orjson.loads(item.data), POLICY)
    return found


def resumed(server: Server) -> Any:
    (run,) = server.sent("POST", "/threads/t1/runs")
    assert (run["assistant_id"], run["multitask_strategy"]) == ("a1", "reject")
    return run["command"]["resume"]["i1"]


def test_a_tool_call_becomes_an_action_with_its_trace(source: LangGraphSource) -> None:
    (item,) = source.pull(10, "").items
    found = record(item)
    assert found["id"] == f"t1:{digest(['i1', VALUE])[:8]}"
    assert found["subject"] == "u-1"
    assert found["output"]["label"] == "approve"
    assert found["output"]["text"] == "send_money"
    assert found["inputs"][1]["value"] == {"to": "ACME", "amount": 900}
    assert found["flags"][0]["severity"] == "critical"
    steps = found["explanations"][0]["items"]
    assert [(s["step"], s["name"], s["status"]) for s in steps] == [
        (1, "get_balance", "success"),
        (2, "send_money", "pending"),
    ]
    assert steps[1]["risk"] == ["critical risk", "waits for approval"]
    chat = next(i for i in found["inputs"] if i["kind"] == "chat")["value"]
    assert [turn["role"] for turn in chat] == ["user", "assistant", "tool get_balance", "assistant"]
    assert chat[1]["content"] == "I look.\n→ get_balance"
    assert dict(item.reference) == REFERENCE


def test_arguments_stand_only_where_they_are_withheld_by_their_keys(source: LangGraphSource, fake: Fake) -> None:
    args = {"religion": "quaker", "amount": 900}
    about = f"Sends money\n\nTool: send_money\nArgs: {args}"
    said = messages()
    said[-1]["tool_calls"][0]["args"] = args
    value = {"action_requests": [{"name": "send_money", "args": args, "description": about}]}
    fake.threads = [thread(value, values={"messages": said})]
    found = record(source.pull(10, "").items[0])
    places = [one["value"] for one in found["inputs"] if "quaker" in str(one["value"])]
    assert places == [args]
    assert next(one for one in found["inputs"] if one["name"] == "description")["value"] == "Sends money"
    assert "quaker" not in str(found["output"]) + str(found["flags"]) + str(found["task"])


def test_the_same_interrupt_gives_the_same_bytes(source: LangGraphSource, fake: Fake) -> None:
    first = source.pull(10, "").items[0].data
    fake.threads = [thread(updated_at="2027-01-01T00:00:00+00:00", state_updated_at="now")]
    assert source.pull(10, "").items[0].data == first


def test_what_was_acknowledged_is_not_handed_over_again(source: LangGraphSource) -> None:
    batch = source.pull(10, "")
    source.acknowledge(batch)
    assert source.pull(10, "").items == []


def test_a_second_question_of_one_node_is_another_case(source: LangGraphSource, fake: Fake) -> None:
    first = record(source.pull(10, "").items[0])["id"]
    fake.threads = [thread("And now?")]
    assert record(source.pull(10, "").items[0])["id"] != first


def test_pages_go_on_and_begin_again(source: LangGraphSource, fake: Fake) -> None:
    fake.threads = [thread(thread_id=f"t{n}") for n in range(3)]
    batch = source.pull(2, "")
    assert (len(batch.items), batch.cursor) == (2, "2")
    batch = source.pull(2, "2")
    assert (len(batch.items), batch.cursor) == (1, "0")


def test_without_messages_the_steps_are_the_nodes_that_ran(source: LangGraphSource, fake: Fake) -> None:
    fake.threads = [thread("Go on?", values={"topic": "x"})]
    waiting = {"name": "ask", "interrupts": [{"id": "i1"}], "result": None}
    ran: dict[str, Any] = {"name": "prepare", "interrupts": [], "result": {}, "error": None}
    fake.history = [{"tasks": [waiting]}, {"tasks": [ran]}, {"tasks": [{"name": "__start__", "result": {}}]}]
    found = record(source.pull(10, "").items[0])
    assert [s["name"] for s in found["explanations"][0]["items"]] == ["prepare", "interrupt"]
    assert found["output"]["text"] == "Go on?"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"thread_id": None}, "thread_id"),
        ("no thread", "thread_id"),
        (thread(interrupts=None), "interrupts: expected"),
        (thread(interrupts={"task": [{"value": 1}]}), "'id' and 'value'"),
        (thread({"action_requests": [{"action": "x"}]}), "action_requests: expected"),
        (thread([{"action_request": {"action": "x"}}]), "action_request: the older form"),
        (thread(thread_id="x" * 200), "190 characters"),
    ],
)
def test_an_unknown_shape_is_said_and_the_rest_goes_on(
    source: LangGraphSource, fake: Fake, broken: Any, said: str
) -> None:
    fake.threads = [broken, thread()]
    bad, good = source.pull(10, "").items
    assert said in str(bad.problem)
    record(good)


def test_upheld_approves(sink: LangGraphSink, server: Server) -> None:
    sink.send(delivery(REFERENCE, label="approve"))
    assert resumed(server) == {"decisions": [{"type": "approve"}]}
    assert server.asked[0].headers["x-api-key"] == "k-1"


def test_overturned_rejects_with_the_reasons(sink: LangGraphSink, server: Server) -> None:
    answers = {"rationale": "Ask first."}
    sink.send(delivery(REFERENCE, verdict="overturned", label="reject", reasons=["unasked"], answers=answers))
    message = "Rejected by review. Reasons: unasked. Ask first."
    assert resumed(server) == {"decisions": [{"type": "reject", "message": message}]}


def test_nobody_could_tell_rejects(sink: LangGraphSink, server: Server) -> None:
    sink.send(delivery(REFERENCE, verdict="unresolvable"))
    (decision,) = resumed(server)["decisions"]
    assert decision["type"] == "reject" and "could not tell" in decision["message"]


@pytest.mark.parametrize(
    "text", ['{"to":"ACME","amount":90}', '{"name":"send_money","args":{"to":"ACME","amount":90}}']
)
def test_corrected_edits(sink: LangGraphSink, server: Server, text: str) -> None:
    sink.send(delivery(REFERENCE, verdict="corrected", label="approve", correction=text))
    edited = {"name": "send_money", "args": {"to": "ACME", "amount": 90}}
    assert resumed(server) == {"decisions": [{"type": "edit", "edited_action": edited}]}


def test_what_was_withheld_comes_back_from_the_call(sink: LangGraphSink, server: Server) -> None:
    text = '{"to":"[withheld: person]","amount":90}'
    sink.send(delivery(REFERENCE, verdict="corrected", label="approve", correction=text))
    assert resumed(server)["decisions"][0]["edited_action"]["args"] == {"to": "ACME", "amount": 90}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "no JSON"),
        ("[1, 2]", "list with the arguments of all 1"),
        ("3", "object with the arguments of send_money"),
        ('{"name":"delete_all","args":{}}', "cannot be changed"),
        ('{"cc":"[withheld: person]"}', "send_money.cc holds a withheld value"),
        ('{"to":"Mr [withheld: person]"}', "send_money.to holds a withheld value"),
        ('{"[withheld: person]":1}', "is withheld and cannot be sent"),
        ('{"to":"ACME","ammount":90}', "send_money: amount is missing"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(sink: LangGraphSink, server: Server, text: str, said: str) -> None:
    with pytest.raises(Undelivered) as refused:
        sink.send(delivery(REFERENCE, verdict="corrected", label="approve", correction=text))
    assert said in str(refused.value) and "still waits" in str(refused.value)
    assert refused.value.final
    assert server.sent("POST", "/threads/t1/runs") == []


ENDED = thread(status="idle", interrupts={})
WENT_ON = pytest.mark.parametrize(
    "state",
    [ENDED, thread("another question"), thread(interrupts={}), thread(status="busy")],
    ids=["ended", "next question of the same node", "next interrupt", "at work"],
)


@WENT_ON
def test_sent_again_the_agent_that_went_on_is_left_alone(
    sink: LangGraphSink, fake: Fake, server: Server, state: Any
) -> None:
    sink.send(delivery(REFERENCE))
    fake.threads = [state]
    sink.send(delivery(REFERENCE))
    assert len(server.sent("POST", "/threads/t1/runs")) == 1


@WENT_ON
def test_an_answer_by_somebody_else_is_said(sink: LangGraphSink, fake: Fake, server: Server, state: Any) -> None:
    fake.started = [{"metadata": {"secondlook_event": "another"}}, {"metadata": {}}]
    fake.threads = [state]
    with pytest.raises(Undelivered) as refused:
        sink.send(delivery(REFERENCE))
    busy = state["status"] == "busy"
    assert ("at work" if busy else "answered by somebody else") in str(refused.value)
    assert refused.value.final is not busy
    assert server.sent("POST", "/threads/t1/runs") == []


def test_another_run_that_began_first_is_not_ours(sink: LangGraphSink, fake: Fake) -> None:
    fake.runs = 409

    def meanwhile(asked: Asked) -> Said:
        answer = Fake.__call__(fake, asked)
        if asked.method == "POST":
            fake.threads, fake.started = [ENDED], []
        return answer

    with answering(meanwhile) as running:
        racing = LangGraphSink(LangGraphOptions(url=running.url), str, Path())
        with pytest.raises(Undelivered, match="answered by somebody else"):
            racing.send(delivery(REFERENCE))
        racing.close()


@pytest.mark.parametrize("status", [409, 500])
def test_a_run_that_is_refused_while_the_agent_waits_is_tried_again(
    sink: LangGraphSink, fake: Fake, status: int
) -> None:
    fake.runs = status
    with pytest.raises(Undelivered, match=f"answered {status}") as later:
        sink.send(delivery(REFERENCE))
    assert not later.value.final


def test_taken_back_before_the_agent_was_told_nothing_is_sent(sink: LangGraphSink, fake: Fake, server: Server) -> None:
    with pytest.raises(Undelivered, match="no JSON"):
        sink.send(delivery(REFERENCE, verdict="corrected", label="approve", correction="not json"))
    sink.send(delivery(REFERENCE, "retracted", "event-2", supersedes="event-1"))
    assert fake.started == []


def test_taken_back_after_the_agent_was_told_is_said(sink: LangGraphSink) -> None:
    sink.send(delivery(REFERENCE))
    with pytest.raises(Undelivered, match="cannot be taken back") as refused:
        sink.send(delivery(REFERENCE, "retracted", "event-2", supersedes="event-1"))
    assert refused.value.final


@pytest.mark.parametrize(
    ("changed", "more", "said"),
    [
        ({"thread_id": ""}, {}, "did not come from LangGraph"),
        ({"thread_id": "gone"}, {}, "not there any more"),
        ({"assistant_id": ""}, {}, "set `assistant`"),
        ({}, {"verdict": "corrected", "label": "reject"}, "cannot be both"),
        ({}, {"verdict": "escalated"}, "no verdict"),
    ],
)
def test_what_can_never_arrive_is_final(
    sink: LangGraphSink, changed: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(Undelivered, match=said) as refused:
        sink.send(delivery(REFERENCE | changed, **more))
    assert refused.value.final


def test_a_decision_that_the_agent_does_not_take_is_refused(sink: LangGraphSink, fake: Fake) -> None:
    value = {**VALUE, "review_configs": [{"action_name": "send_money", "allowed_decisions": ["approve"]}]}
    fake.threads = [thread(value)]
    with pytest.raises(Undelivered, match="does not take 'reject'"):
        sink.send(delivery(REFERENCE | {"digest": digest(value)}, verdict="overturned", label="reject"))


SCHEMA = {
    "type": "object",
    "properties": {"amount": {"type": "integer", "maximum": 500}, "to": {"enum": ["ACME", "Bolt"]}, "note": {}},
    "required": ["amount"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"to":"ACME","amount":"90"}', "send_money.amount: expected integer"),
        ('{"to":"ACME","amount":900}', "send_money.amount: expected at most 500"),
        ('{"to":"Bold","amount":90}', "send_money.to: expected one of ACME, Bolt"),
        ('{"to":"ACME"}', "send_money: amount is missing"),
        ('{"amount":90,"memo":""}', "send_money: there is no memo"),
        ('{"amount":90}', ""),
        ('{"to":"Bolt","amount":90,"note":"x"}', ""),
    ],
)
def test_edited_arguments_have_to_fit_the_schema_of_the_tool(
    sink: LangGraphSink, fake: Fake, server: Server, text: str, said: str
) -> None:
    value = {**VALUE, "review_configs": [{"action_name": "send_money", "args_schema": SCHEMA}]}
    fake.threads = [thread(value)]
    corrected = {"verdict": "corrected", "label": "approve", "correction": text}
    sent = delivery(REFERENCE | {"digest": digest(value)}, **corrected)
    if not said:
        sink.send(sent)
        assert resumed(server)["decisions"][0]["edited_action"]["args"] == orjson.loads(text)
        return
    with pytest.raises(Undelivered, match=said) as refused:
        sink.send(sent)
    assert refused.value.final and fake.started == []


def decided(**answers: Any) -> Outcome:
    """What these answers to the shipped rubric decide of a call that waits."""
    found = load_rubric(bundled("rubrics") / "agent-action.toml")
    task = Task(type="action", labels=["approve", "reject"], positive="approve")
    return check(found, answers, task, Output(label="approve", text="{}"))[1]


def test_the_rubric_lets_nothing_pass_by_mistake() -> None:
    wrong = {"problem": "arguments", "harm": 3, "label": "approve", "rationale": "The invoice says 90."}
    with pytest.raises(RubricError, match="arguments: an answer is required"):
        decided(**wrong)
    assert decided(**wrong, arguments='{"amount":90}').verdict == "corrected"
    assert decided(problem="nothing", label="approve").verdict == "upheld"
    assert decided(problem="nothing", label="cannot tell").verdict == "unresolvable"
    rejected = decided(**{**wrong, "label": "reject"}, arguments='{"amount":90}')
    assert (rejected.verdict, rejected.text) == ("overturned", None)
    injected = decided(problem="injected", harm=5, label="reject", rationale="The page said so.")
    assert injected.critical and injected.reasons == ("injected",)
