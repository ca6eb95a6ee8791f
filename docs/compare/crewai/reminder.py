"""A reminder: it sleeps until a time, asks whether the matter is done, and goes on."""

import sys
import time

from crewai.flow import (
    Flow,
    HumanFeedbackPending,
    HumanFeedbackProvider,
    HumanFeedbackResult,
    PendingFeedbackContext,
)
from crewai.flow.flow import listen, start
from crewai.flow.human_feedback import human_feedback
from crewai.flow.persistence import SQLiteFlowPersistence
from pydantic import BaseModel


class Later(HumanFeedbackProvider):
    def request_feedback(self, context: PendingFeedbackContext, flow: Flow) -> str:
        raise HumanFeedbackPending(context=context)


class State(BaseModel):
    matter: str = ""
    at: float = 0.0


class Reminder(Flow[State]):
    @start()
    def wait(self) -> None:
        time.sleep(max(0.0, self.state.at - time.time()))

    @listen(wait)
    @human_feedback(message="Is it done?", provider=Later())
    def remind(self) -> str:
        return self.state.matter

    @listen(remind)
    def note(self, asked: HumanFeedbackResult) -> str:
        return f"{asked.output}: {'done' if asked.feedback == 'yes' else 'still open'}"


if __name__ == "__main__":
    persistence = SQLiteFlowPersistence("reminder.db")
    if sys.argv[1] == "begin":
        inputs = {"id": "monday", "matter": "water the plants", "at": time.time() + 0.2}
        print(Reminder(persistence=persistence).kickoff(inputs=inputs).context.message)
    else:
        print(Reminder.from_pending("monday", persistence).resume(sys.argv[1]))
