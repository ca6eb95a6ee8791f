"""Planner, workers, reviewer: a plan is worked through, and made anew until the work passes."""

import operator
from typing import Annotated, Literal, TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import Command, Send


class Job(TypedDict):
    agent: str
    task: str


class State(TypedDict):
    request: str
    plan: list[Job]
    work: Annotated[list[str], operator.add]
    reviews: Annotated[list[bool], operator.add]


def planner(state: State) -> dict:
    jobs = [{"agent": "searcher", "task": state["request"]}]
    if state.get("reviews"):
        jobs.append({"agent": "writer", "task": state["request"]})
    return {"plan": jobs}


def hand_out(state: State) -> list[Send]:
    return [Send(job["agent"], job) for job in state["plan"]]


def searcher(job: Job) -> dict:
    return {"work": [f"facts about {job['task']}"]}


def writer(job: Job) -> dict:
    return {"work": [f"a text about {job['task']}"]}


def reviewer(state: State) -> Command[Literal["planner", "__end__"]]:
    done = state["work"][-len(state["plan"]) :]
    good = any(piece.startswith("a text") for piece in done)
    over = good or len(state.get("reviews", [])) == 2
    return Command(update={"reviews": [good]}, goto="__end__" if over else "planner")


builder = StateGraph(State)
builder.add_node(planner)
builder.add_node(searcher)
builder.add_node(writer)
builder.add_node(reviewer)
builder.add_edge(START, "planner")
builder.add_conditional_edges("planner", hand_out, ["searcher", "writer"])
builder.add_edge("searcher", "reviewer")
builder.add_edge("writer", "reviewer")
graph = builder.compile()

if __name__ == "__main__":
    state = graph.invoke({"request": "tea"})
    print("; ".join(state["work"][-len(state["plan"]) :]))
