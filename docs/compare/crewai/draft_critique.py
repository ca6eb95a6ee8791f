"""Draft and critique: a text is written anew until the critic is content, at most three times."""

from crewai.flow.flow import Flow, listen, or_, router, start
from pydantic import BaseModel


class State(BaseModel):
    topic: str = ""
    draft: str = ""
    advice: list[str] = []
    rounds: int = 0


class Writing(Flow[State]):
    @start()
    def begin(self) -> None:
        pass

    @listen(or_(begin, "again"))
    def write(self) -> None:
        self.state.rounds += 1
        self.state.draft = ", ".join([f"On {self.state.topic}", *self.state.advice])

    @router(write)
    def criticise(self) -> str:
        missing = [part for part in ("an example", "an end") if part not in self.state.draft]
        self.state.advice += missing[:1]
        return "again" if missing and self.state.rounds < 3 else "done"

    @listen("done")
    def hand_in(self) -> str:
        return self.state.draft


if __name__ == "__main__":
    print(Writing().kickoff(inputs={"topic": "tea"}))
