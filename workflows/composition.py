"""Composition: the steps of a workflow and the ways between them, as Python says them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from ..agents.retry import Retry
from .expressions import WORDS, Expression, Ref
from .function_names import name_of
from .graph import Failure, Graph, Question, Route, Step, WorkflowError
from .limits import Limits

if TYPE_CHECKING:
    from ..agents.messages import Message
    from .flow import Workflow
    from .problems import Problem
    from .team import Team

Doer = Any
"""Who does a step: an agent, the name of one, a function, or another workflow or team."""

After = Sequence[Ref | str] | Ref | str | None
"""What a step comes after: one step or several; ``flow.input``: it begins with the run; None: the one before it."""


class Composition:
    """What :class:`.flow.Workflow` is composed by: see there."""

    _start: str | tuple[str, ...] | None = None

    def __init__(
        self,
        name: str,
        takes: type[Message] | None = None,
        *,
        output: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = name
        self.takes = takes
        self.input = Ref("input")
        self.team = Ref("team")
        self.item = Ref("item")
        self.error = Ref("error")
        self.limits = limits or Limits()
        self._output: Mapping[str, Any] = dict(output or {})
        self._steps: dict[str, Step] = {}
        self._after: dict[str, tuple[str, ...] | None] = {}
        self._routes: dict[str, list[Route]] = {}
        self._agents: dict[str, Any] = {}
        self._wired: Graph | None = None
        self._checked: tuple[tuple[Graph | None, ...], Any, list[Problem]] | None = None

    @property
    def output(self) -> Mapping[str, Any]:
        """What a run gives: name → Ref, expression or constant; {} for what the last step gave.

        It may be assigned once there are steps to speak of: ``flow.output = {"answer": draft.text}``.
        """
        return dict(self._output)

    @output.setter
    def output(self, output: Mapping[str, Any]) -> None:
        self._output = dict(output)
        self._wired = None

    def step(
        self,
        doer: Doer,
        *,
        input: Mapping[str, Any] | None = None,
        name: str | None = None,
        after: After = None,
        failure: Failure = "fail_fast",
        seconds: float | None = None,
        retry: Retry | None = None,
        into: Ref | str | None = None,
        on_error: Ref | str | None = None,
        merge: str | Callable[[Mapping[str, Any]], Any] | None = None,
    ) -> Ref:
        """Add a step done by ``doer``, an agent, a function, or another workflow or team: a run of its own.

        ``input`` gives its arguments as Refs, expressions or constants; without it, the step takes what the step
        before gave. ``after`` names the steps that it follows, or is ``flow.input``: it begins with the run, beside the
        first step. With several steps it waits for all of them, and ``merge`` makes one value of what they gave: a
        name of :data:`.merging.MERGES`, or a pure function of a mapping from step to output. ``into`` is a growing
        list, made by :meth:`growing`, to which the output is added. ``on_error`` is the step that is led to when this
        one has failed finally; it is given the ``step`` and the ``error``.
        """
        made = self._doing(doer, name)
        return self._add(replace(made, input=_expressions(input), failure=failure, seconds=seconds, retry=retry,
                                 into=_name(into), on_error=_name(on_error), merge=merge), after)

    def ask(
        self,
        question: Ref | Expression | str,
        *,
        choices: Sequence[Any] = (),
        gives: type[Message] | None = None,
        name: str = "ask",
        after: After = None,
        into: Ref | str | None = None,
    ) -> Ref:
        """Add a step that asks a person; it gives the answer.

        The run is suspended while it only waits for answers, for as long as it takes and over any restart;
        ``resume(run, answers={name: answer})`` goes on. ``choices`` are the answers allowed, ``gives`` is the type
        of message that the answer has to be.
        """
        asked = Question(Expression.of(question), tuple(choices), gives)
        return self._add(Step(self._free(name), ask=asked, into=_name(into)), after)

    def sleep(
        self,
        seconds: Ref | Expression | float,
        *,
        name: str = "sleep",
        after: After = None,
    ) -> Ref:
        """Add a step that waits for some seconds, over any restart, and gives what it was given."""
        return self._add(Step(self._free(name), sleep=Expression.of(seconds)), after)

    def growing(self, name: str) -> Ref:
        """A list that grows during the run, for ``into=`` and for inputs: a transcript, a scratchpad.

        A step that reads it is given an immutable sequence; what is added later does not change that.
        """
        return Ref(name)

    def each(
        self,
        items: Ref | Expression,
        *,
        agent: Doer = None,
        do: Callable[..., Any] | Workflow | Team | None = None,
        input: Mapping[str, Any] | None = None,
        name: str | None = None,
        after: After = None,
        at_once: int = 8,
        failure: Failure = "fail_fast",
        seconds: float | None = None,
        retry: Retry | None = None,
        into: Ref | str | None = None,
        on_error: Ref | str | None = None,
    ) -> Ref:
        """Add a step that is done once for each of ``items``, ``at_once`` at a time; it gives the list of outputs.

        ``agent`` is an agent, a name, a Ref to a name, or a function from the item to one of these; ``do`` is a
        function of the item instead, or a workflow or team that is run on each. Items with ``needs`` (positions,
        from 1) wait for those; ``item.needs`` is then what they gave.
        """
        if (agent is None) == (do is None):
            raise WorkflowError("an each needs an agent or a function", where=name, mend="give agent= or do=")
        made = self._doing(agent if do is None else do, name, choose=do is None)
        return self._add(replace(made, input=_expressions(input), each=Expression.of(items), at_once=at_once,
                                 failure=failure, seconds=seconds, retry=retry, into=_name(into),
                                 on_error=_name(on_error)), after)

    def route(
        self, step: Ref | str, to: Ref | str | Sequence[Ref | str], *, when: Any = None, at_most: int | None = None
    ) -> None:
        """Add a way on from ``step``; they are tried in this order, and the first that is open is taken.

        ``to`` may be ``"$end"``, or several steps that then run side by side. One without ``when`` is always open,
        until it was taken ``at_most`` times. Raises WorkflowError for a condition that is a text.
        """
        if isinstance(when, str):
            mend = "compare a Ref: when=step.confidence > 0.5"
            raise WorkflowError(f"a text is no condition: {when!r}", where=str(step), mend=mend)
        targets = tuple(map(str, to)) if isinstance(to, list | tuple) else str(to)
        route = Route(targets, None if when is None else Expression.of(when), at_most)
        self._routes.setdefault(str(step), []).append(route)
        self._wired = None

    def _doing(self, doer: Doer, name: str | None, choose: bool = False) -> Step:
        """A step done by ``doer``; ``choose``: a function chooses the agent of an item."""
        agent = agent_from = call = workflow = None
        if is_workflow(doer):
            workflow = doer
        elif isinstance(doer, str):
            agent = doer
        elif isinstance(doer, Ref | Expression):
            agent_from = Expression.of(doer)
        elif hasattr(doer, "handle"):
            agent = doer.name
            if self._agents.setdefault(agent, doer) is not doer:
                what, mend = f"two agents are called '{agent}'", "give one of them another name: a step names its agent"
                raise WorkflowError(what, where=self.name, mend=mend)
        elif callable(doer):
            agent_from, call = (doer, None) if choose else (None, doer)
        else:
            mend = "give an agent, its name, a function or a workflow"
            raise WorkflowError(f"{doer!r} cannot do a step", where=name, mend=mend)
        wish = agent or str(getattr(doer, "name", "step") if workflow is not None else _wish(doer))
        return Step(name or self._free(wish), agent, agent_from, call, workflow=workflow)

    def _add(self, step: Step, after: After) -> Ref:
        name = step.name
        spoken = name.isidentifier() and not iskeyword(name) and name not in WORDS
        if name in self._steps or not spoken or name in ("input", "team", "item", "index"):
            words = ", ".join(("input", "team", "item", "index", *WORDS))
            mend = f"give it a name of its own, a Python identifier other than {words}"
            raise WorkflowError(f"a step cannot be called {name!r} here", where=self.name, mend=mend)
        before = [after] if isinstance(after, Ref | str) else after
        self._after[name] = None if before is None else tuple(map(str, before))
        self._steps[name] = step
        self._wired = None
        return Ref(name)

    def _free(self, wish: str) -> str:
        wish = wish if wish.isidentifier() and not iskeyword(wish) and wish not in WORDS else "step"
        names = [wish, *(f"{wish}{number}" for number in range(2, len(self._steps) + 3))]
        return next(name for name in names if name not in self._steps)

    def graph(self) -> Graph:
        """The workflow as a frozen graph. Raises WorkflowError for one without steps."""
        from .wiring import wired

        if self._wired is None:
            self._wired = wired(
                self.name, self.takes, self._steps, self._after, self._routes,
                {key: Expression.of(value) for key, value in self._output.items()}, self.limits, self._start,
            )  # fmt: skip
        return self._wired

    @property
    def agents(self) -> Mapping[str, Any]:
        """The agents that were given to steps as objects."""
        return dict(self._agents)


def _expressions(input: Mapping[str, Any] | None) -> dict[str, Expression]:
    return {key: Expression.of(value) for key, value in (input or {}).items()}


def _name(ref: Ref | str | None) -> str | None:
    return None if ref is None else str(ref)


def _wish(function: Any) -> str:
    """A step's name after its function; an object that is called has none."""
    named = function.func if isinstance(function, partial) else function
    return name_of(named).rpartition(".")[2] if hasattr(named, "__name__") else "step"


def is_workflow(doer: Any) -> bool:
    """Whether ``doer`` is a workflow, or has one as a team has."""
    return isinstance(doer, Composition) or isinstance(getattr(doer, "workflow", None), Composition)
