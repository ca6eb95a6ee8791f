"""Fan out, fan in: three sources are read side by side, and what they have is put together."""

from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph


def union(left: list[str], right: list[str]) -> list[str]:
    return left + [one for one in right if one not in left]


class State(TypedDict):
    topic: str
    titles: Annotated[list[str], union]
    reading: str


def library(state: State) -> dict:
    return {"titles": [f"A history of {state['topic']}", f"{state['topic'].title()} for all"]}


def archive(state: State) -> dict:
    return {"titles": [f"A history of {state['topic']}"]}


def web(state: State) -> dict:
    return {"titles": [f"Ten facts about {state['topic']}"]}


def list_up(state: State) -> dict:
    return {"reading": "; ".join(sorted(state["titles"]))}


builder = StateGraph(State)
builder.add_node(library)
builder.add_node(archive)
builder.add_node(web)
builder.add_node(list_up)
builder.add_edge(START, "library")
builder.add_edge(START, "archive")
builder.add_edge(START, "web")
builder.add_edge(["library", "archive", "web"], "list_up")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"topic": "tea"})["reading"])
