"""Planner, workers, reviewer: a plan is worked through, and made anew until the work passes."""

import asyncio

from crewai.flow.flow import Flow, listen, or_, router, start
from pydantic import BaseModel


class Job(BaseModel):
    agent: str
    task: str


class State(BaseModel):
    request: str = ""
    reviews: list[bool] = []
    work: list[str] = []


def searcher(task: str) -> str:
    return f"facts about {task}"


def writer(task: str) -> str:
    return f"a text about {task}"


WORKERS = {"searcher": searcher, "writer": writer}


class Project(Flow[State]):
    @start()
    def begin(self) -> None:
        pass

    @listen(or_(begin, "again"))
    def planner(self) -> list[Job]:
        jobs = [Job(agent="searcher", task=self.state.request)]
        if self.state.reviews:
            jobs.append(Job(agent="writer", task=self.state.request))
        return jobs

    @listen(planner)
    async def workers(self, plan: list[Job]) -> None:
        work = (asyncio.to_thread(WORKERS[job.agent], job.task) for job in plan)
        self.state.work = await asyncio.gather(*work)

    @router(workers)
    def reviewer(self) -> str:
        good = any(piece.startswith("a text") for piece in self.state.work)
        self.state.reviews.append(good)
        return "done" if good or len(self.state.reviews) > 2 else "again"

    @listen("done")
    def hand_in(self) -> str:
        return "; ".join(self.state.work)


if __name__ == "__main__":
    print(Project().kickoff(inputs={"request": "tea"}))
