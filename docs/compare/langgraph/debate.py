"""A debate: two speak for two rounds, each hearing what was said, and a judge decides."""

import operator
from typing import Annotated, Literal, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command


class State(TypedDict):
    request: str
    talk: Annotated[list[str], operator.add]
    verdict: str


def optimist(state: State) -> dict:
    return {"talk": [f"{state['request']} Yes, after {len(state['talk']) // 2} rounds"]}


def pessimist(state: State) -> dict:
    return {"talk": [f"{state['request']} No, after {len(state['talk']) // 2} rounds"]}


def heard(state: State) -> Command[Literal["optimist", "pessimist", "judge"]]:
    return Command(goto=["optimist", "pessimist"] if len(state["talk"]) < 4 else "judge")


def judge(state: State) -> dict:
    return {"verdict": min(state["talk"][-2:], key=len)}


builder = StateGraph(State)
builder.add_node(optimist)
builder.add_node(pessimist)
builder.add_node(heard)
builder.add_node(judge)
builder.add_edge(START, "optimist")
builder.add_edge(START, "pessimist")
builder.add_edge(["optimist", "pessimist"], "heard")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"request": "Will it rain?", "talk": []})["verdict"])
