"""The runner: how a run begins, goes on, or goes another way. What drives it from there is in :mod:`.drive`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..agents.requests import message_from
from .activities import OnQuestion
from .child_runs import asked, children_of, record_answers
from .drive import Drive, OnEvent
from .engine import fold
from .events import Event, QuestionAnswered, RunAccepted, RunResumed
from .fork import Fork, forked
from .graph import WorkflowError
from .journal import JournalConflict
from .lease import leased
from .outcome import Result, result_of
from .questions import checked, found
from .record import check_same

__all__ = ["OnEvent", "OnQuestion", "Result", "Runner"]


class Runner(Drive):
    """Drives one run of a workflow.

    Args:
        graph: the workflow.
        runtime: where effects happen.
        journal: where the events go; nowhere if it is None.
        on_event: told of every event, for a live view.
        on_question: asks a person; without it a run in which only questions are left is suspended.
        drain: ends the run in good order when it is asked to: what is under way is finished, nothing begins.
        clock: seconds since the epoch.
        depth: how far a chain of agents may go, beside what the workflow says.
    """

    async def run(self, message: Any, *, team: Any = None, run_id: str | None = None) -> Result:
        """Accept ``message`` as a new run and drive it to its end, or until it waits for a person.

        Raises:
            WorkflowError: the message is not of the type that the workflow takes, nor the fields of one.
            JournalError: the run's id is taken, or the journal cannot be written.
        """
        takes = self.graph.takes
        if takes is not None and isinstance(message, Mapping):
            message = message_from(takes, message, self.graph.name)
        if takes is not None and not isinstance(message, takes):
            what = f"it takes {takes.message_name}, not {type(message).__name__}"
            raise WorkflowError(what, where=self.graph.name, mend=f"give it {', '.join(takes.model_fields)}")
        run = run_id or uuid.uuid4().hex[:12]
        document = self.graph.document
        with leased(self.journal.path, run):
            self._require_new(run_id)
            return await self._drive([RunAccepted(self.clock(), run, self.graph.name, document, message, team)], run)

    async def resume(
        self, run: str, *, changed: bool = False, answers: Mapping[str, Any] | None = None
    ) -> Result:
        """Go on with a run that was not finished; a finished one only gives its result.

        ``changed`` allows a workflow that is not the one that the run began with. ``answers`` are for questions that
        the run, or a child of it, waits for, by their key or by the step that asks.

        Raises:
            WorkflowError: the workflow was changed (the first difference is named), or an answer fits no question.
            JournalError: there is no such run.
            LeaseTaken: another process drives it.
        """
        with leased(self.journal.path, run):
            events = self.journal.events(run)
            check_same(self.graph, events, changed)
            self._state = fold(self.graph, events)
            self._number = self.journal.next_number(run)
            if self._state.finished:
                self._children.end(over=True)
                return result_of(self._state)
            self._children.changed = changed
            self._children.expect(children_of(self._state), asked(self._state, self.journal, changed))
            first: list[Event] = [RunResumed(self.clock())]
            of_children: list[tuple[str, QuestionAnswered]] = []
            for key, answer in (answers or {}).items():
                question = found(self._open(), key)
                given = QuestionAnswered(self.clock(), question.key, checked(question, answer))
                if question.run == run:
                    first.append(given)
                else:
                    of_children.append((question.run, given))
            record_answers(self.journal, of_children)
            return await self._drive(first, run)

    async def fork(self, run: str, fork: Fork, *, run_id: str | None = None) -> Result:
        """A new run that shares the events of ``run`` before the step of ``fork``, and goes its own way from there.

        Raises as ``resume`` does, and WorkflowError where the run has no such step.
        """
        new = run_id or uuid.uuid4().hex[:12]
        with leased(self.journal.path, new):
            self._require_new(run_id)
            events = self.journal.events(run)
            check_same(self.graph, events, False)
            first = forked(self.graph, events, fork, new, self.clock())
            return await self._drive(first, new)

    def _require_new(self, run: str | None) -> None:
        if run is not None and self.journal.next_number(run):
            mend = "choose another id, or go on with it: resume"
            what = f"there is a run {run} already: its id is taken"
            raise JournalConflict(what, where=self.journal.path, mend=mend)
