"""Draft and critique: a text is written anew until the critic is content, at most three times."""

import operator
from typing import Annotated, Literal, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command


class State(TypedDict):
    topic: str
    draft: str
    advice: Annotated[list[str], operator.add]


def write(state: State) -> dict:
    return {"draft": ", ".join([f"On {state['topic']}", *state.get("advice", [])])}


def criticise(state: State) -> Command[Literal["write", "__end__"]]:
    missing = [part for part in ("an example", "an end") if part not in state["draft"]]
    over = not missing or len(state.get("advice", [])) == 2
    return Command(update={"advice": missing[:1]}, goto="__end__" if over else "write")


builder = StateGraph(State)
builder.add_node(write)
builder.add_node(criticise)
builder.add_edge(START, "write")
builder.add_edge("write", "criticise")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"topic": "tea"})["draft"])
