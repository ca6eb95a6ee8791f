"""Members of groups: agents and functions whose every word says who spoke, and when."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from understudy.agents.messages import CastMember, Finding, Message, Plan, PlannedStep, PlanRequest, Task
from understudy.workflows.flow import Workflow

ASKED = Task(request="why?", given=("first",))


class Speaker:
    """Answers the shipped way: a Task with a Finding."""

    takes, gives = Task, Finding

    def __init__(self, name: str, **more: Any) -> None:
        self.name, self.does, self.more = name, f"speaks as {name}", more
        self.heard: list[Task] = []

    async def handle(self, message: Task) -> Message:
        self.heard.append(message)
        said = f"{self.name}{len(message.given)}"
        return Finding(**{"answer": said, "values": (said,), **self.more})


class Turn(Message, message_name="patterns.Turn"):
    request: str
    talk: tuple[Any, ...]
    cast: tuple[CastMember, ...] = ()
    tone: str = "plain"


class Said(Message, message_name="patterns.Said"):
    text: str
    to: str | None = None
    agent: str | None = None
    approved: bool = False


class Own:
    """Answers its users' own message; what it says is worked out by a function."""

    takes = Turn

    def __init__(self, name: str, say: Callable[[Turn], Any]) -> None:
        self.name, self.say = name, say
        self.heard: list[Turn] = []

    async def handle(self, message: Turn) -> Message:
        self.heard.append(message)
        return self.say(message)  # type: ignore[no-any-return]


def answers(talk: Sequence[Any]) -> list[str]:
    return [getattr(said, "answer", getattr(said, "text", said)) for said in talk]


def ran(flow: Workflow, message: Any = ASKED, **options: Any) -> Mapping[str, Any]:
    assert flow.check() == []
    result = flow.run_sync(message, **options)
    assert result.status == "completed", result.error
    return result.output


class Planner:
    name, takes = "planner", PlanRequest

    async def handle(self, message: PlanRequest) -> Message:
        first, second = (member.name for member in message.cast)
        later = PlannedStep(agent=second, request=message.request, needs=(1,))
        return Plan(steps=(PlannedStep(agent=first, request="look up"), later))


def adder(request: str, given: Sequence[str] = ()) -> str:
    """Adds up."""
    return f"{request} {'+'.join(given)}"
