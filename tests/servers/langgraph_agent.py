"""The agents that the tests run inside `langgraph dev`: scripted, so that no model is needed.

`graph` looks a balance up, proposes a payment and waits as LangChain's HumanInTheLoopMiddleware does; `asking` asks a
plain question; `pair` asks two at once.
"""

# mypy: ignore-errors
from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt


class Talk(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    sent: int


class Topic(TypedDict):
    topic: str
    answer: str


def plan(state):
    call = {"name": "get_balance", "args": {"account": "household"}, "id": "c1"}
    return {"messages": [AIMessage("I look at the balance.", tool_calls=[call])], "sent": 0}


def look(state):
    return {"messages": [ToolMessage("1,250.00", tool_call_id="c1", name="get_balance")]}


def propose(state):
    call = {"name": "send_money", "args": {"to": "ACME Ltd", "amount": 900}, "id": "c2"}
    return {"messages": [AIMessage("There is enough; I pay.", tool_calls=[call])]}


def act(state):
    call = state["messages"][-1].tool_calls[0]
    request = {"name": call["name"], "args": call["args"], "description": "Sends money at once."}
    allowed = ["approve", "edit", "reject"]
    review = {"action_name": call["name"], "allowed_decisions": allowed}
    decision = interrupt({"action_requests": [request], "review_configs": [review]})["decisions"][0]
    sent = state["sent"]
    if decision["type"] == "reject":
        said = f"not sent: {decision['message']}"
    else:
        arguments = decision["edited_action"]["args"] if decision["type"] == "edit" else call["args"]
        said, sent = f"sent {arguments['amount']} to {arguments['to']}", sent + 1
    return {"messages": [ToolMessage(said, tool_call_id="c2", name="send_money")], "sent": sent}


def tell(state):
    return {"messages": [AIMessage(f"Done: {state['messages'][-1].content}")]}


def prepare(state):
    return {"topic": f"May I {state['topic']}?"}


def ask(state):
    return {"answer": interrupt(state["topic"])}


class Pair(TypedDict):
    left: str
    right: str


def ask_left(state):
    return {"left": interrupt("left?")}


def ask_right(state):
    return {"right": interrupt("right?")}


def side_by_side(state_type, *steps):
    made = StateGraph(state_type)
    for step in steps:
        made.add_node(step.__name__, step)
        made.add_edge(START, step.__name__)
        made.add_edge(step.__name__, END)
    return made.compile()


def chain(state_type, *steps):
    made = StateGraph(state_type)
    before = START
    for step in steps:
        made.add_node(step.__name__, step)
        made.add_edge(before, step.__name__)
        before = step.__name__
    made.add_edge(before, END)
    return made.compile()


graph = chain(Talk, plan, look, propose, act, tell)
asking = chain(Topic, prepare, ask)
pair = side_by_side(Pair, ask_left, ask_right)
