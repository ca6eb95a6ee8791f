"""A reminder: it sleeps until a time, asks whether the matter is done, and goes on."""

import sys
import time
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt


class State(TypedDict):
    matter: str
    at: float
    done: str
    note: str


def wait(state: State) -> dict:
    time.sleep(max(0.0, state["at"] - time.time()))
    return {}


def remind(state: State) -> dict:
    return {"done": interrupt("Is it done?")}


def note(state: State) -> dict:
    return {"note": f"{state['matter']}: {'done' if state['done'] == 'yes' else 'still open'}"}


builder = StateGraph(State).add_sequence([wait, remind, note])
builder.add_edge(START, "wait")

if __name__ == "__main__":
    config = {"configurable": {"thread_id": "monday"}}
    with SqliteSaver.from_conn_string("reminder.db") as checkpointer:
        graph = builder.compile(checkpointer=checkpointer)
        if sys.argv[1] == "begin":
            begun = graph.invoke({"matter": "water the plants", "at": time.time() + 0.2}, config)
            print(begun["__interrupt__"][0].value)
        else:
            print(graph.invoke(Command(resume=sys.argv[1]), config)["note"])
