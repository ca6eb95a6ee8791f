"""A vote: three experts judge a text side by side, and the majority decides."""

from collections import Counter

from crewai.flow.flow import Flow, and_, listen, start
from pydantic import BaseModel


class State(BaseModel):
    text: str = ""
    votes: list[str] = []


class Vote(Flow[State]):
    @start()
    def by_words(self) -> None:
        self.state.votes.append("spam" if "free" in self.state.text.lower() else "fine")

    @start()
    def by_case(self) -> None:
        self.state.votes.append("spam" if self.state.text.isupper() else "fine")

    @start()
    def by_marks(self) -> None:
        self.state.votes.append("spam" if self.state.text.count("!") > 2 else "fine")

    @listen(and_(by_words, by_case, by_marks))
    def decide(self) -> str:
        return Counter(self.state.votes).most_common(1)[0][0]


if __name__ == "__main__":
    print(Vote().kickoff(inputs={"text": "Free tea!!!"}))
