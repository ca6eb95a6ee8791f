"""A reminder: it sleeps until a time, asks whether the matter is done, and goes on."""

import sys
import time

from understudy import Message, Workflow


class Matter(Message):
    matter: str
    at: float


def until(matter: Matter) -> float:
    return max(0.0, matter.at - time.time())


def note(input: Matter, done: str) -> str:
    return f"{input.matter}: {'done' if done == 'yes' else 'still open'}"


flow = Workflow("reminder", takes=Matter)
flow.sleep(flow.step(until))
flow.ask("Is it done?", choices=["yes", "no"], name="done")
flow.step(note)

if __name__ == "__main__":
    if sys.argv[1] == "begin":
        matter = Matter(matter="water the plants", at=time.time() + 0.2)
        result = flow.run_sync(matter, journal="reminder.db", run_id="monday")
        print(result.questions[0].question)
    else:
        answers = {"done": sys.argv[1]}
        print(flow.resume_sync("monday", journal="reminder.db", answers=answers).value)
