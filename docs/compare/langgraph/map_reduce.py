"""Map and reduce: the words of every file of a folder are counted, side by side, and added up."""

import operator
from collections import Counter
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Send


class State(TypedDict):
    folder: str
    files: list[str]
    file: str
    counts: Annotated[list[dict[str, int]], operator.add]
    total: dict[str, int]


def find(state: State) -> dict:
    return {"files": sorted(str(path) for path in Path(state["folder"]).glob("*.txt"))}


def to_count(state: State) -> list[Send]:
    return [Send("count_words", {"file": file}) for file in state["files"]]


def count_words(state: State) -> dict:
    words = Path(state["file"]).read_text(encoding="utf-8").lower().split()
    return {"counts": [dict(Counter(words))]}


def add_up(state: State) -> dict:
    total: Counter[str] = Counter()
    for one in state["counts"]:
        total.update(one)
    return {"total": dict(sorted(total.items()))}


builder = StateGraph(State)
builder.add_node(find)
builder.add_node(count_words)
builder.add_node(add_up)
builder.add_edge(START, "find")
builder.add_conditional_edges("find", to_count, ["count_words"])
builder.add_edge("count_words", "add_up")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"folder": "examples/workflows/map_reduce/texts"})["total"])
