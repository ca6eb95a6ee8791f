"""A time limit: a step that is late is given up, and its error route goes on."""

import asyncio
from typing import TypedDict

from langgraph.errors import NodeError
from langgraph.graph import START, StateGraph
from langgraph.types import Command


class State(TypedDict):
    city: str
    failed: str
    report: str


async def forecast(state: State) -> dict:
    await asyncio.sleep(30)
    return {"report": f"sun in {state['city']}"}


def to_yesterday(state: State, error: NodeError) -> Command:
    return Command(update={"failed": error.node}, goto="yesterday")


def yesterday(state: State) -> dict:
    return {"report": f"{state['failed']} was late; yesterday there was rain in {state['city']}"}


builder = StateGraph(State)
builder.add_node(forecast, timeout=0.1, error_handler=to_yesterday)
builder.add_node(yesterday)
builder.add_edge(START, "forecast")
graph = builder.compile()

if __name__ == "__main__":
    print(asyncio.run(graph.ainvoke({"city": "Bern"}))["report"])
