"""Against a real `langgraph dev`: an agent waits before a risky tool, is reviewed, and goes on as it was told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.deliver.sinks.langgraph import LangGraphOptions, LangGraphSink
from app.http import Http
from app.intake.sources.langgraph import LangGraphSource
from app.model.case import CaseView
from app.model.connection import Delivery
from app.model.errors import RubricError, Undelivered
from app.model.explanation import Trace
from app.model.policy import QueuePolicy
from tests.servers.processes import Workspace, executable, free_port, running, until

pytestmark = pytest.mark.servers

GRAPH = Path(__file__).with_name("langgraph_agent.py")
POLICY = QueuePolicy(rubric="agent-action", undo_minutes=5)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    """The server with one agent, offline."""
    folder = tmp_path_factory.mktemp("langgraph")
    (folder / "agent.py").write_bytes(GRAPH.read_bytes())
    graphs = {
        name: f"./agent.py:{graph}" for name, graph in (("agent", "graph"), ("asking", "asking"), ("pair", "pair"))
    }
    (folder / "langgraph.json").write_bytes(orjson.dumps({"dependencies": ["."], "graphs": graphs}))
    port = free_port()
    words = [
        executable("SECONDLOOK_TEST_LANGGRAPH", "langgraph", "langgraph-cli[inmem]"),
        "dev",
        "--no-browser",
        "--no-reload",
    ]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    base = f"http://127.0.0.1:{port}"
    with running(words, folder, f"{base}/ok", LANGSMITH_TRACING="false", LANGGRAPH_CLI_NO_ANALYTICS="1"):
        http = Http(base, timeout=60)
        told = http.ask("GET", "/info")
        print("langgraph-api", told.get("version"), "langgraph", told.get("langgraph_py_version"))
        yield http
        http.close()


@pytest.fixture
def workspace(tmp_path: Path, server: Http) -> Iterator[Workspace]:
    # Each test has its own threads.
    for thread in server.ask("POST", "/threads/search", json={"limit": 100}):
        server.request("DELETE", f"/threads/{thread['thread_id']}")
    made = Workspace(tmp_path, "agents", POLICY)
    yield made
    made.close()


def options(server: Http, **more: Any) -> LangGraphOptions:
    return LangGraphOptions(url=server.base, severity={"send_money": "critical"}, **more)


def source(server: Http, workspace: Workspace) -> LangGraphSource:
    return workspace.keep(LangGraphSource(options(server), os.environ.__getitem__, Path()))


def sink(server: Http, workspace: Workspace, **more: Any) -> LangGraphSink:
    return workspace.keep(LangGraphSink(options(server, **more), os.environ.__getitem__, Path()))


def start(server: Http, agent: str = "agent", said: str = "Pay the bill of ACME") -> str:
    """Starts the agent; returns the thread, which waits then."""
    thread: str = server.ask("POST", "/threads", json={})["thread_id"]
    state = {"agent": {"messages": [{"role": "user", "content": said}]}, "asking": {"topic": said}}.get(agent, {})
    server.ask("POST", f"/threads/{thread}/runs/wait", json={"assistant_id": agent, "input": state})
    return thread


def last(server: Http, thread: str) -> dict[str, Any]:
    """The thread's state once the agent has ended."""
    until(lambda: server.ask("GET", f"/threads/{thread}")["status"] == "idle")
    values: dict[str, Any] = server.ask("GET", f"/threads/{thread}/state")["values"]
    return values


def approve(view: CaseView) -> dict[str, Any]:
    return {"problem": "nothing", "label": "approve"}


def reject(view: CaseView) -> dict[str, Any]:
    return {"problem": "unasked", "harm": 4, "label": "reject", "rationale": "Ask the customer for the invoice first."}


def edit(view: CaseView) -> dict[str, Any]:
    shown = next(one.value for one in view.prediction.inputs if one.name == "arguments")
    arguments = orjson.dumps({**shown, "amount": 90}).decode()
    why = "The invoice says 90, not 900."
    return {"problem": "arguments", "harm": 3, "label": "approve", "arguments": arguments, "rationale": why}


def test_an_interrupt_becomes_a_case_with_the_risky_step_marked(server: Http, workspace: Workspace) -> None:
    start(server)
    done = workspace.pull(source(server, workspace))
    assert (done.admitted, done.quarantined) == (1, 0)
    seen: list[CaseView] = []
    workspace.decide(lambda view: seen.append(view) or approve(view))  # type: ignore[func-returns-value]
    shown = seen[0].prediction
    assert shown.task.type == "action" and shown.severity == "critical"
    assert shown.output.text == "send_money"
    trace = next(e for e in shown.explanations or () if isinstance(e, Trace))
    assert [(step.name, step.status) for step in trace.items] == [("get_balance", "success"), ("send_money", "pending")]
    assert [bool(step.risk) for step in trace.items] == [False, True]


def test_approved_the_agent_goes_on(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    workspace.decide(approve)
    (delivery,) = workspace.deliveries()
    sink(server, workspace).send(delivery)
    assert last(server, thread)["messages"][-1]["content"] == "Done: sent 900 to ACME Ltd"


def test_rejected_the_agent_learns_why(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    workspace.decide(reject)
    (delivery,) = workspace.deliveries()
    sink(server, workspace).send(delivery)
    said = last(server, thread)["messages"][-1]["content"]
    assert said == ("Done: not sent: Rejected by review. Reasons: unasked. Ask the customer for the invoice first.")


def test_corrected_the_agent_does_the_edited_call(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    workspace.decide(edit)
    (delivery,) = workspace.deliveries()
    sink(server, workspace).send(delivery)
    assert last(server, thread)["messages"][-1]["content"] == "Done: sent 90 to ACME Ltd"


def test_sent_twice_the_agent_acts_once(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    workspace.decide(approve)
    (delivery,) = workspace.deliveries()
    target = sink(server, workspace)
    target.send(delivery)
    last(server, thread)
    target.send(delivery)
    assert last(server, thread)["sent"] == 1
    assert len(server.ask("GET", f"/threads/{thread}/runs")) == 2


def test_pulled_again_it_is_the_same_case(server: Http, workspace: Workspace) -> None:
    start(server)
    given = source(server, workspace)
    assert workspace.pull(given).admitted == 1
    # The same process does not ask again, another finds it held.
    assert workspace.pull(given).items == 0
    again = workspace.pull(source(server, workspace))
    assert (again.admitted, again.duplicates, again.quarantined) == (0, 1, 0)


def test_two_agents_wait_side_by_side(server: Http, workspace: Workspace) -> None:
    first, second = start(server), start(server, said="Pay it again")
    done = workspace.pull(source(server, workspace), limit=1)
    assert (done.items, done.admitted) == (1, 1)
    assert workspace.pull(source(server, workspace), limit=1).admitted == 1
    workspace.decide(approve)
    workspace.decide(reject)
    target = sink(server, workspace)
    for delivery in workspace.deliveries():
        target.send(delivery)
    ends = {last(server, thread)["messages"][-1]["content"][:14] for thread in (first, second)}
    assert ends == {"Done: sent 900", "Done: not sent"}


def test_a_plain_question_is_answered_with_the_value_of_the_settings(server: Http, workspace: Workspace) -> None:
    thread = start(server, "asking", "publish")
    assert workspace.pull(source(server, workspace)).admitted == 1
    view = workspace.decide(approve)
    trace = next(e for e in view.prediction.explanations or () if isinstance(e, Trace))
    assert [step.name for step in trace.items] == ["prepare", "interrupt"]
    (delivery,) = workspace.deliveries()
    sink(server, workspace, approve_value="yes").send(delivery)
    assert last(server, thread)["answer"] == "yes"


def test_two_questions_of_one_thread_are_answered_each_for_itself(server: Http, workspace: Workspace) -> None:
    thread = start(server, "pair")
    assert workspace.pull(source(server, workspace)).admitted == 2
    views = [workspace.decide(approve), workspace.decide(reject)]
    target = sink(server, workspace, approve_value="yes", reject_value="no")
    for delivery in workspace.deliveries():
        until(partial(arrives, target, delivery))
    asked = [view.prediction.output.text or "" for view in views]
    state = last(server, thread)
    assert [state[question.rstrip("?")] for question in asked] == ["yes", "no"]


def arrives(target: LangGraphSink, delivery: Delivery) -> bool:
    """Tries once; the agent may be at work on the answer before."""
    try:
        target.send(delivery)
    except Undelivered as error:
        assert not error.final
        return False
    return True


def test_an_answer_by_somebody_else_stands_and_is_said(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    workspace.decide(reject)
    (delivery,) = workspace.deliveries()
    answer = {delivery.reference["interrupt_id"]: {"decisions": [{"type": "approve"}]}}
    run = {"assistant_id": "agent", "command": {"resume": answer}}
    server.ask("POST", f"/threads/{thread}/runs/wait", json=run)
    with pytest.raises(Undelivered, match="answered by somebody else") as refused:
        sink(server, workspace).send(delivery)
    assert refused.value.final
    assert last(server, thread)["messages"][-1]["content"] == "Done: sent 900 to ACME Ltd"


def test_a_decision_undone_before_the_agent_was_told_sends_nothing(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    workspace.decide(edit)
    workspace.desk.undo()
    assert workspace.deliveries() == []
    assert server.ask("GET", f"/threads/{thread}")["status"] == "interrupted"
    assert len(server.ask("GET", f"/threads/{thread}/runs")) == 1


def test_edited_arguments_that_are_no_json_are_refused_and_the_agent_waits(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    with pytest.raises(RubricError, match="expected JSON"):
        workspace.decide(lambda view: {**edit(view), "arguments": "amount should be 90"})
    assert workspace.deliveries() == []
    assert server.ask("GET", f"/threads/{thread}")["status"] == "interrupted"


def test_a_thread_that_is_gone_is_said(server: Http, workspace: Workspace) -> None:
    thread = start(server)
    workspace.pull(source(server, workspace))
    workspace.decide(approve)
    server.request("DELETE", f"/threads/{thread}")
    (delivery,) = workspace.deliveries()
    with pytest.raises(Undelivered, match="not there any more") as refused:
        sink(server, workspace).send(delivery)
    assert refused.value.final
