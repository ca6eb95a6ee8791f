"""Extract, transform, load: one step after the other."""

from typing import TypedDict

from langgraph.graph import START, StateGraph


class State(TypedDict):
    text: str
    rows: list[list[str]]
    costs: dict[str, float]
    report: str


def extract(state: State) -> dict:
    return {"rows": [line.split(",") for line in state["text"].splitlines()]}


def transform(state: State) -> dict:
    return {"costs": {item: 2.5 * int(count) for item, count in state["rows"] if count.isdigit()}}


def load(state: State) -> dict:
    return {"report": f"{len(state['costs'])} orders, {sum(state['costs'].values())}"}


builder = StateGraph(State).add_sequence([extract, transform, load])
builder.add_edge(START, "extract")
graph = builder.compile()

if __name__ == "__main__":
    print(graph.invoke({"text": "tea,4\nmilk,?\nbread,2"})["report"])
