"""An approval: a person says yes or no; the run waits, and goes on in another process."""

import sys

from understudy import Workflow


def write(topic: str) -> str:
    return f"We are open on {topic}."


def publish(write: str) -> str:
    return f"published: {write}"


def discard() -> str:
    return "left in the drawer"


flow = Workflow("approval")
flow.step(write)
allowed = flow.ask("May it go out?", choices=["yes", "no"], name="allowed")
flow.route(allowed, flow.step(publish, after=[]), when=allowed == "yes")
flow.route(allowed, flow.step(discard, after=[]))

if __name__ == "__main__":
    if sys.argv[1] == "begin":
        result = flow.run_sync("Monday", journal="approval.db", run_id="monday")
        print(result.questions[0].question)
    else:
        answers = {"allowed": sys.argv[1]}
        print(flow.resume_sync("monday", journal="approval.db", answers=answers).value)
