"""A router: a request is classified, and one of three agents answers it."""

from typing import Literal, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command


class State(TypedDict):
    request: str
    answer: str


def classify(state: State) -> Command[Literal["billing", "technical", "general"]]:
    words = state["request"].lower().split()
    topic = "billing" if "invoice" in words else "technical" if "error" in words else "general"
    return Command(goto=topic)


def billing(state: State) -> dict:
    return {"answer": f"Accounts will look into: {state['request']}"}


def technical(state: State) -> dict:
    return {"answer": f"Have you tried again? {state['request']}"}


def general(state: State) -> dict:
    return {"answer": f"Thank you for writing: {state['request']}"}


builder = StateGraph(State)
builder.add_node(classify)
builder.add_node(billing)
builder.add_node(technical)
builder.add_node(general)
builder.add_edge(START, "classify")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"request": "The invoice is wrong"})["answer"])
