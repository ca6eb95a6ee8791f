"""An approval: a person says yes or no; the run waits, and goes on in another process."""

import sys

from crewai.flow import (
    Flow,
    HumanFeedbackPending,
    HumanFeedbackProvider,
    HumanFeedbackResult,
    PendingFeedbackContext,
)
from crewai.flow.flow import listen, router, start
from crewai.flow.human_feedback import human_feedback
from crewai.flow.persistence import SQLiteFlowPersistence
from pydantic import BaseModel


class Later(HumanFeedbackProvider):
    def request_feedback(self, context: PendingFeedbackContext, flow: Flow) -> str:
        raise HumanFeedbackPending(context=context)


class State(BaseModel):
    topic: str = ""


class Approval(Flow[State]):
    @start()
    @human_feedback(message="May it go out?", provider=Later())
    def write(self) -> str:
        return f"We are open on {self.state.topic}."

    @router(write)
    def by_answer(self, asked: HumanFeedbackResult) -> str:
        return "publish" if asked.feedback == "yes" else "discard"

    @listen("publish")
    def send(self) -> str:
        return f"published: {self.last_human_feedback.output}"

    @listen("discard")
    def keep(self) -> str:
        return "left in the drawer"


if __name__ == "__main__":
    persistence = SQLiteFlowPersistence("approval.db")
    if sys.argv[1] == "begin":
        pending = Approval(persistence=persistence).kickoff(
            inputs={"id": "monday", "topic": "Monday"}
        )
        print(pending.context.message)
    else:
        print(Approval.from_pending("monday", persistence).resume(sys.argv[1]))
