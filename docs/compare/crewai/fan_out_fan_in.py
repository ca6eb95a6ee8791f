"""Fan out, fan in: three sources are read side by side, and what they have is put together."""

from crewai.flow.flow import Flow, and_, listen, start
from pydantic import BaseModel


class State(BaseModel):
    topic: str = ""
    titles: list[str] = []


class Reading(Flow[State]):
    @start()
    def library(self) -> None:
        titles = [f"A history of {self.state.topic}", f"{self.state.topic.title()} for all"]
        self.state.titles += titles

    @start()
    def archive(self) -> None:
        self.state.titles += [f"A history of {self.state.topic}"]

    @start()
    def web(self) -> None:
        self.state.titles += [f"Ten facts about {self.state.topic}"]

    @listen(and_(library, archive, web))
    def list_up(self) -> str:
        return "; ".join(sorted(set(self.state.titles)))


if __name__ == "__main__":
    print(Reading().kickoff(inputs={"topic": "tea"}))
