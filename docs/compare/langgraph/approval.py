"""An approval: a person says yes or no; the run waits, and goes on in another process."""

import sys
from typing import Literal, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict):
    topic: str
    notice: str
    result: str


def write(state: State) -> dict:
    return {"notice": f"We are open on {state['topic']}."}


def approve(state: State) -> Command[Literal["publish", "discard"]]:
    allowed = interrupt({"question": "May it go out?", "notice": state["notice"]})
    return Command(goto="publish" if allowed == "yes" else "discard")


def publish(state: State) -> dict:
    return {"result": f"published: {state['notice']}"}


def discard(state: State) -> dict:
    return {"result": "left in the drawer"}


builder = StateGraph(State)
builder.add_node(write)
builder.add_node(approve)
builder.add_node(publish)
builder.add_node(discard)
builder.add_edge(START, "write")
builder.add_edge("write", "approve")

if __name__ == "__main__":
    config = {"configurable": {"thread_id": "monday"}}
    with SqliteSaver.from_conn_string("approval.db") as checkpointer:
        graph = builder.compile(checkpointer=checkpointer)
        if sys.argv[1] == "begin":
            print(graph.invoke({"topic": "Monday"}, config)["__interrupt__"][0].value["question"])
        else:
            print(graph.invoke(Command(resume=sys.argv[1]), config)["result"])
