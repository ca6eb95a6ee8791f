"""A batch: a thousand items, eight at a time; those that fail are collected."""

import operator
from typing import Annotated, TypedDict

from langgraph.errors import NodeError
from langgraph.graph import START, StateGraph
from langgraph.types import Send


class State(TypedDict):
    numbers: list[int]
    number: int
    roots: Annotated[list[float], operator.add]
    failed: Annotated[list[str], operator.add]
    report: str


def to_root(state: State) -> list[Send]:
    return [Send("root", {"number": number}) for number in state["numbers"]]


def root(state: State) -> dict:
    if state["number"] % 100 == 0:
        raise ValueError(f"cannot do {state['number']}")
    return {"roots": [state["number"] ** 0.5]}


def collect(state: State, error: NodeError) -> dict:
    return {"failed": [str(error.error)]}


def sum_up(state: State) -> dict:
    return {"report": f"{len(state['roots'])} done, {len(state['failed'])} failed"}


builder = StateGraph(State)
builder.add_node(root, error_handler=collect)
builder.add_node(sum_up, defer=True)
builder.add_conditional_edges(START, to_root, ["root"])
builder.add_edge("root", "sum_up")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"numbers": list(range(1000))}, {"max_concurrency": 8})["report"])
