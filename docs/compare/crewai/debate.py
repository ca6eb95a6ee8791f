"""A debate: two speak for two rounds, each hearing what was said, and a judge decides."""

from crewai.flow.flow import Flow, and_, listen, or_, router, start
from pydantic import BaseModel


class State(BaseModel):
    request: str = ""
    talk: list[list[str]] = []


class Debate(Flow[State]):
    @start()
    def begin(self) -> None:
        pass

    @listen(or_(begin, "again"))
    def optimist(self) -> str:
        return f"{self.state.request} Yes, after {len(self.state.talk)} rounds"

    @listen(or_(begin, "again"))
    def pessimist(self) -> str:
        return f"{self.state.request} No, after {len(self.state.talk)} rounds"

    @router(and_(optimist, pessimist))
    def heard(self) -> str:
        self.state.talk.append(self.method_outputs[-2:])
        return "again" if len(self.state.talk) < 2 else "over"

    @listen("over")
    def judge(self) -> str:
        return min(self.state.talk[-1], key=len)


if __name__ == "__main__":
    print(Debate().kickoff(inputs={"request": "Will it rain?"}))
