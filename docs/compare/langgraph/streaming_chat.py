"""A chat: what is said grows, and each answer is shown word by word, as it comes."""

import operator
from typing import Annotated, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph


class State(TypedDict):
    talk: Annotated[list[str], operator.add]


def reply(state: State) -> dict:
    writer = get_stream_writer()
    answer = f"{len(state['talk'])}: you said {state['talk'][-1]}"
    for word in answer.split():
        writer(word)
    return {"talk": [answer]}


builder = StateGraph(State)
builder.add_node(reply)
builder.add_edge(START, "reply")
graph = builder.compile(checkpointer=InMemorySaver())

if __name__ == "__main__":
    config = {"configurable": {"thread_id": "chat"}}
    while (said := input("You: ")) != "bye":
        for word in graph.stream({"talk": [said]}, config, stream_mode="custom"):
            print(word, end=" ", flush=True)
        print()
