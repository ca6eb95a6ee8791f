"""A vote: three experts judge a text side by side, and the majority decides."""

import operator
from collections import Counter
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph


class State(TypedDict):
    text: str
    votes: Annotated[list[str], operator.add]
    verdict: str


def by_words(state: State) -> dict:
    return {"votes": ["spam" if "free" in state["text"].lower() else "fine"]}


def by_case(state: State) -> dict:
    return {"votes": ["spam" if state["text"].isupper() else "fine"]}


def by_marks(state: State) -> dict:
    return {"votes": ["spam" if state["text"].count("!") > 2 else "fine"]}


def decide(state: State) -> dict:
    return {"verdict": Counter(state["votes"]).most_common(1)[0][0]}


builder = StateGraph(State)
builder.add_node(by_words)
builder.add_node(by_case)
builder.add_node(by_marks)
builder.add_node(decide)
builder.add_edge(START, "by_words")
builder.add_edge(START, "by_case")
builder.add_edge(START, "by_marks")
builder.add_edge(["by_words", "by_case", "by_marks"], "decide")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"text": "Free tea!!!"})["verdict"])
