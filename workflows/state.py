"""The state of a run, and the commands that the engine gives: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..agents.usage import Usage
from .evolve import quickly_made
from .graph import Graph
from .limits import Spent
from .vector import Vector

Status = Literal["new", "running", "completed", "failed", "partial"]
NOTHING: Mapping[str, Any] = {}


@quickly_made
@dataclass(frozen=True)
class StepRecord:
    """What one effect did: for a step, or for item ``index`` of an ``each``.

    ``output`` is None and ``error`` says why where it failed.
    """

    name: str
    agent: str | None
    index: int | None
    input: Any
    output: Any
    seconds: float
    attempts: int
    error: str | None = None
    visit: int = 1
    order: int = 0


@quickly_made
@dataclass(frozen=True)
class Slot:
    """One effect of a visit: ``waiting``, ``running`` (also asleep, or asked of a person), ``done`` or ``failed``.

    ``start`` is the command that runs it, so that a resumed run gives the very same.
    """

    status: Literal["waiting", "running", "done", "failed"] = "waiting"
    start: Start | Sleep | Ask | None = None
    output: Any = None


WAITING = Slot()


@quickly_made
@dataclass(frozen=True)
class Visit:
    """A step that is being done, for the ``number``-th time.

    Attributes:
        order: of all visits of the run, from 1.
        previous: the output of the step before it.
        items: what ``each`` gave; None for a step that is done once.
        needs: for each item, the indexes of the items that it waits for.
        slots: one for each item, or a single one.
        cursor: no item before it is waiting.
        running: effects under way.
        open: slots that are waiting or running.
    """

    step: str
    number: int
    order: int
    previous: Any
    items: tuple[Any, ...] | None
    needs: tuple[tuple[int, ...], ...]
    slots: Vector[Slot]
    cursor: int = 0
    running: int = 0
    open: int = 1
    error: str | None = None


@dataclass(frozen=True)
class State:
    """All that is known of a run: the fold of its events.

    Attributes:
        outputs: the latest output of each step.
        active: the visits under way, by step.
        visits: how often each step was entered.
        entered: how often any step was.
        taken: how often each route that has an ``at_most`` was taken, by step and number of the route.
        arrived: for a step with ``join``: the steps that have led to it since it last started.
        lists: the growing lists, by name.
        messages: effects so far.
        spent: by the agents that have a budget of their own.
        granted: how often a person granted as much again.
        paused: the question whether to go on after a limit was used up, while it is open.
        seconds: at work, over all processes that drove the run.
        last: what the step that finished last gave.
    """

    graph: Graph
    run: str = ""
    status: Status = "new"
    input: Any = None
    team: Any = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    active: Mapping[str, Visit] = field(default_factory=dict)
    visits: Mapping[str, int] = field(default_factory=dict)
    entered: int = 0
    taken: Mapping[tuple[str, int], int] = field(default_factory=dict)
    arrived: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lists: Mapping[str, Vector[Any]] = field(default_factory=dict)
    records: Vector[StepRecord] = Vector()
    messages: int = 0
    spent: Mapping[str, Spent] = field(default_factory=dict)
    granted: int = 0
    paused: Ask | None = None
    usage: Usage = Usage()
    seconds: float = 0.0
    at: float = 0.0
    last: Any = None
    output: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    finished: bool = False

    @property
    def questions(self) -> tuple[Ask, ...]:
        """What is open for a person, in the order in which steps were entered."""
        visits = sorted(self.active.values(), key=lambda visit: visit.order)
        running = (slot.start for visit in visits for slot in visit.slots if slot.status == "running")
        asked = [start for start in running if isinstance(start, Ask)]
        return tuple(asked if self.paused is None else [*asked, self.paused])

    def awaits(self, command: Command) -> bool:
        """Whether what ``command`` says is still to be done: nothing that came after it settled or changed it."""
        if not isinstance(command, Start | Sleep | Ask) or command is self.paused:
            return True
        visit = self.active.get(command.step)
        return visit is not None and visit.number == command.visit and visit.slots[command.index or 0].start is command


@dataclass(frozen=True)
class Command:
    """Something the runner is to do."""


@quickly_made
@dataclass(frozen=True)
class Start(Command):
    """Run one effect.

    Attributes:
        key: the idempotency key: the same whenever this effect of this run is started again.
        agent: whom to ask; None for a function.
        arguments: what ``input`` gave; None where the step has no ``input``.
        value: without arguments: the output of the step before, or the item.
        scope: the names that expressions see.
    """

    step: str
    visit: int
    index: int | None
    key: str
    agent: Any
    arguments: Mapping[str, Any] | None
    value: Any
    scope: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def input(self) -> Any:
        """What the record of the step shows as its input."""
        return self.value if self.arguments is None else self.arguments


@dataclass(frozen=True)
class Sleep(Command):
    """Wait until ``until``, in seconds since the epoch; then the step gives what it was given (``value``)."""

    step: str
    visit: int
    index: int | None
    key: str
    until: float
    value: Any

    @property
    def input(self) -> Any:
        """What the record of the step shows as its input."""
        return self.value

    @property
    def agent(self) -> None:
        """Nobody."""
        return None


@dataclass(frozen=True)
class Ask(Command):
    """Ask a person; the answer is the output of the step.

    Attributes:
        key: names the question in an answer.
        question: the text.
        value: what it is about.
        choices: what may be answered; () for anything that ``gives`` allows.
        gives: the type of the answer: a message type's name, or None for any JSON value.
    """

    step: str
    visit: int
    index: int | None
    key: str
    question: str
    value: Any
    choices: tuple[Any, ...] = ()
    gives: str | None = None

    @property
    def input(self) -> Any:
        """What the record of the step shows as its input."""
        return {"question": self.question, "about": self.value}

    @property
    def agent(self) -> None:
        """Nobody of the cast."""
        return None


@dataclass(frozen=True)
class Cancel(Command):
    """End the effects of these keys: their step has failed, and the run goes on without them."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Finish(Command):
    """Record the end of the run; what is still under way is cancelled."""

    status: str
    output: Mapping[str, Any]
    error: str | None
