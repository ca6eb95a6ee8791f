"""A fallback: an agent is tried three times, then another one is asked."""

import time

from crewai.flow.flow import Flow, listen, router, start
from pydantic import BaseModel


class State(BaseModel):
    question: str = ""
    answer: str = ""


def remote(question: str) -> str:
    raise ConnectionError("no answer from the service")


class Answering(Flow[State]):
    @start()
    @router()
    def ask_remote(self) -> str:
        for attempt in range(3):
            try:
                self.state.answer = remote(self.state.question)
                return "answered"
            except ConnectionError:
                time.sleep(0.01 * 2**attempt)
        return "failed"

    @listen("failed")
    def ask_local(self) -> str:
        return f"offline answer to: {self.state.question}"

    @listen("answered")
    def show(self) -> str:
        return self.state.answer


if __name__ == "__main__":
    print(Answering().kickoff(inputs={"question": "What is tea?"}))
