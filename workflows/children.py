"""Children: the runs that are steps of another run, while they are driven in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..agents.letters import described
from ..agents.retry import attempt
from ..agents.usage import NOTHING_SPENT
from ..core.errors import UnderstudyError
from .arguments import input_for
from .cast import cast_of
from .child_runs import Asked, Inner, below, child_run, children_of, end, end_left
from .drain import Drain
from .events import Event, LimitReached, StepStarted
from .graph import Step
from .journal import Journal, JournalError
from .lease import LeaseTaken
from .limits import Budget, Spent, used_up
from .outcome import Result
from .runtime import Outcome
from .state import Start

if TYPE_CHECKING:
    from .activities import OnQuestion
    from .drive import Drive
    from .questions import OpenQuestion

_OF_THE_JOURNAL = (JournalError, LeaseTaken)


@dataclass(frozen=True)
class ChildEvent(Event):
    """An event of a child run, as whoever watches its parent is told of it. It is kept in the child's record only.

    Attributes:
        run: the id of the child.
        step: the step that it does; for a child of a child the way there, as ``report/draft``.
    """

    run: str
    step: str
    event: Event


class ChildFailed(UnderstudyError):
    """A child run that ended without what its parent wants of it."""


class _Held(Drain):
    """The drain of a child: requested by itself, or with its parent's."""

    def __init__(self, outer: Drain) -> None:
        super().__init__()
        self._outer = outer

    @property
    def requested(self) -> bool:
        return self._requested or self._outer.requested

    def attach(self, wake: Callable[[], None]) -> None:
        super().attach(wake)
        self._outer.attach(wake)

    def detach(self, wake: Callable[[], None]) -> None:
        super().detach(wake)
        self._outer.detach(wake)


class Children:
    """The children of one run, driven by ``parent``.

    Attributes:
        changed: whether they may go on with workflows that are not those they began with.
        asked: what those ask that came to rest, by the keys of the effects that they are.
    """

    def __init__(self, parent: Drive) -> None:
        self._parent = parent
        self.changed = False
        self.asked: dict[str, tuple[OpenQuestion, ...]] = {}
        self._inners: dict[str, Inner] = {}
        self._live: dict[str, tuple[Drive, _Held]] = {}
        self._under_way: dict[str, Start] = {}
        self._tried: dict[str, int] = {}
        self._given_up: set[str] = set()
        self._held: str | None = None
        self._reached = -1

    @property
    def tokens(self) -> int:
        """What those under way have used, in all their tries; the run itself has what the others used."""
        return sum(runner.tokens for runner, _ in self._live.values()) + sum(self._tried.values())

    def expect(self, starts: Iterable[Start], asked: Asked) -> None:
        """Know the children that were under way when their parent was left, and what they ask."""
        self._under_way.update((start.key, start) for start in starts)
        self.asked.update(asked)

    def give_up(self, keys: Iterable[str]) -> None:
        """Their step has failed: the run goes on without them."""
        self._given_up.update(keys)

    @property
    def kept(self) -> bool:
        """Whether there may be records of children, which have to be ended."""
        workflows = any(step.workflow is not None for step in self._parent.graph.steps.values())
        return workflows and isinstance(self._parent.journal, Journal)

    def end(self, over: bool) -> None:
        """Record the end of those that nobody waits for any more: where the run is ``over``, of all.

        By what the journal has of them, so that one is ended too whose parent died before it could do so.
        """
        journal, state = self._parent.journal, self._parent.state
        if not self.kept or not isinstance(journal, Journal) or not state.run:
            return
        awaited = () if over else {start.key for start in children_of(state)} - self._given_up
        why = "the run that it is a step of " + ("ended" if over else "went on without it")
        end_left(self._parent.graph, state.run, journal, self._parent.clock, why, awaited)

    async def perform(self, step: Step, start: Start) -> Outcome | None:
        """Drive the child that ``start`` is; None where it came to rest before its end, and is to be resumed.

        Raises JournalError where its record cannot be written, and LeaseTaken where another process drives it.
        """
        self._under_way[start.key] = start
        self.asked.pop(start.key, None)
        attempts, used = 1, NOTHING_SPENT

        async def once(number: int) -> Result | UnderstudyError:
            nonlocal attempts, used
            attempts = number
            try:
                result = await self._drive(step, start, child_run(start.key, number))
            except _OF_THE_JOURNAL as error:
                return error  # which no other attempt would mend
            used += result.usage
            self._tried[start.key] = used.tokens
            if result.status == "failed":
                raise ChildFailed(f"{self._inner(step).flow.name}: {result.error}")
            return result

        limit = asyncio.timeout(step.seconds)
        output, error = None, None
        try:
            async with limit:
                result = await attempt(once, step.retry)
            if isinstance(result, UnderstudyError):
                raise result
            if result.status not in ("completed", "partial"):
                self.asked[start.key] = below(step.name, result.questions)
                return None
            output = output_of(self._inner(step), result)
        except _OF_THE_JOURNAL:
            raise
        except Exception as mistake:
            text = str(mistake) if isinstance(mistake, UnderstudyError) else described(mistake)
            error = f"it took longer than {step.seconds} s" if limit.expired() else text
        if error is not None and isinstance(self._parent.journal, Journal):
            end(step, start.key, self._parent.journal, self._parent.clock, error)
        del self._under_way[start.key]
        self._tried.pop(start.key, None)
        return Outcome(None, output, error, attempts, used)

    async def _drive(self, step: Step, start: Start, child: str) -> Result:
        from .runner import Runner

        parent, inner = self._parent, self._inner(step)
        agents = inner.flow.agents
        runtime = parent.runtime.inner(agents, alone=inner.team is not None)
        drain = _Held(parent.drain)
        runner = Runner(
            inner.flow.graph(), runtime, parent.journal, on_event=self._watching(child, step.name),
            on_question=self._asking(step.name), drain=drain, clock=parent.clock, depth=parent.depth,
        )  # fmt: skip
        self._live[child] = runner, drain
        try:
            if parent.journal.next_number(child):
                result = await runner.resume(child, changed=self.changed)
            else:
                team = {"cast": cast_of(runtime.agents)} if inner.team is None else inner.team
                result = await runner.run(input_for(inner.flow, start), team=team, run_id=child)
        finally:
            del self._live[child]
        if result.status == "interrupted" and not parent.drain.requested:
            self._reach(self._held)
        return result

    def _inner(self, step: Step) -> Inner:
        if step.name not in self._inners:
            self._inners[step.name] = Inner.of(step.workflow)
        return self._inners[step.name]

    # What its parent sees of a child, and holds it to.

    def _asking(self, step: str) -> OnQuestion | None:
        on_question = self._parent.on_question
        if on_question is None:
            return None

        async def ask(question: OpenQuestion) -> Any:
            (shown,) = below(step, (question,))
            return await on_question(shown)

        return ask

    def _watching(self, child: str, step: str) -> Callable[[Event], None] | None:
        parent = self._parent
        if parent.on_event is None and parent.graph.limits.tokens is None:
            return None

        def watch(event: Event) -> None:
            if isinstance(event, ChildEvent):
                event = ChildEvent(event.at, event.run, f"{step}/{event.step}", event.event)
            else:
                event = ChildEvent(event.at, child, step, event)
            parent.tell(event)
            self._hold(event.event)

        return watch

    def _hold(self, event: Event) -> None:
        """Once the run's tokens are used up its children begin nothing more; where a person is asked they go on."""
        limits, state = self._parent.graph.limits, self._parent.state
        up = used_up(Budget(tokens=limits.tokens), Spent(tokens=self._parent.tokens), state.granted)
        if up is None:
            return
        if limits.on_exceed != "ask":
            self._held = up
            for _, drain in self._live.values():
                drain.request()
        elif isinstance(event, StepStarted):
            self._reach(up)

    def _reach(self, limit: str | None) -> None:
        granted = self._parent.state.granted
        if limit is not None and self._reached != granted:
            self._reached = granted
            self._parent.put(LimitReached(self._parent.clock(), limit))


def output_of(inner: Inner, result: Result) -> Any:
    """What the step gives whose child ended so: the output of a team, or of a workflow that names one, as a mapping;
    otherwise what the last step gave, as it is."""
    if inner.team is not None or inner.flow.graph().output:
        return dict(result.output)
    if result.value is None and result.output:  # its steps were taken out of the journal
        return result.output["value"] if set(result.output) == {"value"} else dict(result.output)
    return result.value
