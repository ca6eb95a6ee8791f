"""A fallback: an agent is tried three times, then another one is asked."""

from typing import TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy


class State(TypedDict):
    question: str
    answer: str


def remote(state: State) -> dict:
    raise ConnectionError("no answer from the service")


def to_local(state: State) -> Command:
    return Command(goto="local")


def local(state: State) -> dict:
    return {"answer": f"offline answer to: {state['question']}"}


builder = StateGraph(State)
policy = RetryPolicy(max_attempts=3, initial_interval=0.01)
builder.add_node(remote, retry_policy=policy, error_handler=to_local)
builder.add_node(local)
builder.add_edge(START, "remote")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"question": "What is tea?"})["answer"])
