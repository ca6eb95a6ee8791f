"""A chat: what is said grows, and each answer is shown word by word, as it comes."""

from collections.abc import Sequence

from understudy import Workflow, emit
from understudy.workflows.events import Event, StepEmitted
from understudy.workflows.questions import OpenQuestion


def reply(talk: Sequence[str]) -> str:
    answer = f"{len(talk)}: you said {talk[-1]}"
    for word in answer.split():
        emit(word)
    return answer


flow = Workflow("streaming_chat")
talk = flow.growing("talk")
you = flow.ask(flow.input, name="you", into=talk)
answer = flow.step(reply, into=talk, after=[])
flow.route(you, "$end", when=you == "bye")
flow.route(you, answer)
flow.route(answer, you, at_most=1000)


async def at_console(asked: OpenQuestion) -> str:
    return input(f"\n{asked.question}")


def show(event: Event) -> None:
    if isinstance(event, StepEmitted):
        print(event.part, end=" ", flush=True)


if __name__ == "__main__":
    flow.run_sync("You: ", on_question=at_console, on_event=show)
