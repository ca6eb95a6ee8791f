"""A chat: what is said grows, and each answer is shown word by word, as it comes."""

from crewai.flow.flow import Flow, or_, router, start
from pydantic import BaseModel


class State(BaseModel):
    talk: list[str] = []


class Chat(Flow[State]):
    max_method_calls: int = 1000

    @start()
    def begin(self) -> None:
        pass

    @router(or_(begin, "next"))
    def you(self) -> str:
        said = self.ask("You: ")
        if said in (None, "bye"):
            return "over"
        self.state.talk.append(said)
        return "said"

    @router("said")
    def reply(self) -> str:
        answer = f"{len(self.state.talk)}: you said {self.state.talk[-1]}"
        for word in answer.split():
            print(word, end=" ", flush=True)
        print()
        self.state.talk.append(answer)
        return "next"


if __name__ == "__main__":
    Chat().kickoff()
