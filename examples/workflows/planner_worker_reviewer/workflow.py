"""Planner, workers, reviewer: a plan is worked through, and made anew until the work passes."""

from collections.abc import Sequence

from understudy import Task
from understudy.workflows import patterns


def planner(request: str, talk: Sequence[bool]) -> dict[str, list[dict[str, str]]]:
    agents = ["searcher", "writer"] if talk else ["searcher"]
    return {"steps": [{"agent": agent, "request": request} for agent in agents]}


def searcher(request: str) -> str:
    return f"facts about {request}"


def writer(request: str) -> str:
    return f"a text about {request}"


def reviewer(answers: Sequence[str]) -> bool:
    return any(piece.startswith("a text") for piece in answers)


flow = patterns.planner_worker_reviewer(planner, [searcher, writer], reviewer, at_most=2)

if __name__ == "__main__":
    print("; ".join(piece.answer for piece in flow.run_sync(Task(request="tea")).output["work"]))
