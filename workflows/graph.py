"""The graph of a workflow: steps, and the routes between them. Frozen values; :mod:`.flow` composes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ..agents.messages import Message
from ..agents.packing import pack
from ..agents.retry import Retry
from ..core.errors import UnderstudyError
from .expressions import Expression
from .limits import Limits
from .parameters import Parameters, parameters_of

if TYPE_CHECKING:
    from .diagram import Diagram
    from .problems import Problem
    from .roads import Roads

END = "$end"
"""Where a route leads that ends the run."""

Failure = Literal["fail_fast", "collect", "all_or_nothing"]


@dataclass(frozen=True)
class Route:
    """A way on from a step. The first whose ``when`` holds and whose ``at_most`` is not used up is taken.

    ``to`` is a step, :data:`END`, or several steps that then run side by side.
    """

    to: str | tuple[str, ...]
    when: Expression | None = None
    at_most: int | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The names in ``to``."""
        return (self.to,) if isinstance(self.to, str) else self.to


@dataclass(frozen=True)
class Question:
    """What a step asks of a person.

    Attributes:
        text: an expression that gives the question.
        choices: what may be answered; () for anything.
        gives: the type of message that the answer has to be; None for any JSON value.
    """

    text: Expression
    choices: tuple[Any, ...] = ()
    gives: type[Message] | None = None


@dataclass(frozen=True)
class Step:
    """One thing to be done: by an agent (``agent`` or ``agent_from``), by a function (``call``), by another workflow
    (``workflow``), by a person (``ask``), or by the clock (``sleep``).

    Attributes:
        name: its output's name in later expressions.
        agent: the agent that does it.
        agent_from: the name of that agent, from the item; in Python also a function of the item.
        call: a plain or async function.
        ask: what a person is asked; the answer is the output.
        sleep: how many seconds to wait; the output is what the step was given.
        input: argument → expression. When empty, the step takes the output of the step before it (or its item).
        each: a list; the step is done once for each item, and its output is the list of theirs, in order.
        at_once: items of ``each`` under way at a time.
        failure: of an item or of the step. ``fail_fast``: the run fails at once; ``all_or_nothing``: it fails
            after the other items have finished; ``collect``: None stands for the failed one, and the run goes on
            as long as one item succeeded.
        routes: ways on; none: the branch ends here.
        join: steps that must all have led here before this one starts.
        seconds: how long one effect may take.
        retry: how often one effect is tried.
        workflow: a workflow or a team that does it as a run of its own, in the same journal.
        on_error: the step that is led to when this one has failed; it is given the step's name and the error. Without
            it the run fails.
        merge: how the outputs of several ``join``ed steps become one value: a name of :data:`.merging.MERGES`, or a
            function of a mapping from step to output; None: their list.
        into: a growing list, to which the output is added (of an ``each``: each output). Expressions see it by this
            name; the journal has every output once, however long the list is.
    """

    name: str
    agent: str | None = None
    agent_from: Expression | Callable[[Any], Any] | None = None
    call: Callable[..., Any] | None = None
    input: Mapping[str, Expression] = field(default_factory=dict)
    each: Expression | None = None
    at_once: int = 8
    failure: Failure = "fail_fast"
    routes: tuple[Route, ...] = ()
    join: tuple[str, ...] = ()
    seconds: float | None = None
    retry: Retry | None = None
    ask: Question | None = None
    sleep: Expression | None = None
    into: str | None = None
    workflow: Any = None
    on_error: str | None = None
    merge: str | Callable[[Mapping[str, Any]], Any] | None = None

    @cached_property
    def parameters(self) -> Parameters:
        """How ``call`` wants its arguments."""
        assert self.call is not None
        return parameters_of(self.call)

    @cached_property
    def onward(self) -> tuple[str, ...]:
        """All that the step may lead to, each once: the targets of its routes, in their order, then ``on_error``.

        :data:`END` is among them where a route says so; () of a step without routes and ``on_error``: it ends there.
        """
        ways = [target for route in self.routes for target in route.targets]
        return tuple(dict.fromkeys(ways if self.on_error is None else [*ways, self.on_error]))

    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """Every expression of the step, with the path of its key."""
        for name, expression in self.input.items():
            yield f"input.{name}", expression
        if self.each is not None:
            yield "each", self.each
        if isinstance(self.agent_from, Expression):
            yield "agent_from", self.agent_from
        if self.ask is not None:
            yield "ask", self.ask.text
        if self.sleep is not None:
            yield "sleep", self.sleep
        for number, route in enumerate(self.routes):
            if route.when is not None:
                yield f"routes[{number}].when", route.when


@dataclass(frozen=True)
class Graph:
    """A whole workflow, ready to be checked and run.

    Attributes:
        takes: the type of the run's input, or None for any value.
        start: the first step; several begin side by side, each with the input.
        output: name → expression over the steps; when empty, what the last step gave.
    """

    name: str
    steps: Mapping[str, Step]
    start: str | tuple[str, ...]
    takes: type[Message] | None = None
    output: Mapping[str, Expression] = field(default_factory=dict)
    limits: Limits = Limits()

    def make_ready(self) -> None:
        """Work out what every run of the graph needs, so that none has to wait for it."""
        _ = self.document, self.lists, self.guarded
        for step in self.steps.values():
            _ = step.parameters if step.call is not None else None

    @property
    def first(self) -> tuple[str, ...]:
        """The names in ``start``."""
        return (self.start,) if isinstance(self.start, str) else self.start

    @cached_property
    def lists(self) -> tuple[str, ...]:
        """The names of the growing lists."""
        return tuple(dict.fromkeys(step.into for step in self.steps.values() if step.into is not None))

    @cached_property
    def roads(self) -> Roads:
        """The ways between its steps."""
        from .roads import Roads

        return Roads(self)

    @cached_property
    def guarded(self) -> bool:
        """Whether a step has ``on_error``: expressions and parameters then know the latest error, as ``error``."""
        return any(step.on_error is not None for step in self.steps.values())

    def check(
        self, agents: Mapping[str, Any] | None = None, typed: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        """Every mistake in the graph, but for the workflows that do steps of it.

        ``agents`` are those that steps may name (None: not checked); ``typed`` those of which it is known what they
        take and give (None: the same).
        """
        from .checks import problems

        found = problems(self, agents, typed)
        if not found:
            self.make_ready()
        return found

    def diagram(self, inside: bool = False) -> Diagram:
        """A picture, as Mermaid and as SVG; ``inside``: with the steps of workflows that are steps."""
        from .diagram import diagram

        return diagram(self, inside)

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The graph as JSON: what a journal keeps, to know a changed workflow when it is resumed."""
        return {
            "name": self.name,
            "takes": None if self.takes is None else self.takes.message_name,
            "start": self.start if isinstance(self.start, str) else list(self.start),
            "steps": {name: _step(step) for name, step in self.steps.items()},
            "output": {name: _text(expression) for name, expression in self.output.items()},
            "limits": self.limits.document(),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the document."""
        return hashlib.sha256(json.dumps(dict(self.document), sort_keys=True).encode()).hexdigest()


def difference(old: Any, new: Any, path: str = "") -> str | None:
    """The first place where two documents differ, in words; None where they are the same."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            place = f"{path}.{key}" if path else str(key)
            if key not in new:
                return f"{place} is gone"
            if key not in old:
                return f"{place} is new"
            if (found := difference(old[key], new[key], place)) is not None:
                return found
        return None
    return None if old == new else f"{path} was {json.dumps(old)} and is {json.dumps(new)}"


def _text(expression: Any) -> Any:
    if isinstance(expression, Expression):
        return expression.text
    # Functions are known by name: one whose body was mended may resume the run that it failed.
    return None if expression is None else getattr(expression, "__qualname__", type(expression).__name__)


def _step(step: Step) -> dict[str, Any]:
    routes = [[list(route.targets), _text(route.when), route.at_most] for route in step.routes]
    plain = {
        "agent": step.agent, "agent_from": _text(step.agent_from), "call": _text(step.call),
        "input": {name: _text(expression) for name, expression in step.input.items()}, "each": _text(step.each),
        "at_once": step.at_once, "failure": step.failure, "routes": routes, "join": list(step.join),
        "seconds": step.seconds, "sleep": _text(step.sleep), "into": step.into,
        "workflow": None if step.workflow is None else str(getattr(step.workflow, "name", step.workflow)),
        "on_error": step.on_error, "merge": step.merge if isinstance(step.merge, str) else _text(step.merge),
        "ask": None if step.ask is None else _text(step.ask.text),
        "choices": None if step.ask is None else list(step.ask.choices),
        "gives": None if step.ask is None or step.ask.gives is None else step.ask.gives.message_name,
    }  # fmt: skip
    return {key: pack(value) for key, value in plain.items() if value not in (None, [], {})}


class WorkflowError(UnderstudyError):
    """A workflow that cannot be composed, run or resumed as asked."""


def __getattr__(name: str) -> Any:
    # Workflow is composed of what stands here and lives beside it; people look for it here.
    if name == "Workflow":
        from .flow import Workflow

        return Workflow
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if TYPE_CHECKING:
    from .flow import Workflow as Workflow
