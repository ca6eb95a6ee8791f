"""Dead letters of a run, from its journal: what they were, and how they are sent again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..agents.bus import MessageBus
from ..agents.letters import DeliveryError
from ..agents.messages import Envelope, Message
from .events import LetterDied, LetterSent
from .graph import WorkflowError
from .journal import Journal
from .lease import leased
from .runtime import AsyncioRuntime


@dataclass(frozen=True)
class KeptLetter:
    """A dead letter in a journal: the number of its event, and what came of it when it was last sent again."""

    number: int
    died: LetterDied
    sent: LetterSent | None = None


def kept_letters(journal: Journal, run: str, *, plain: bool = False) -> list[KeptLetter]:
    """The dead letters of ``run``, in order. Raises JournalError where there is no such run."""
    events = journal.numbered(run, plain=plain)
    sent = {event.number: event for _, event in events if isinstance(event, LetterSent)}
    return [KeptLetter(number, event, sent.get(number)) for number, event in events if isinstance(event, LetterDied)]


async def send_again(journal: Journal, run: str, number: int, agents: Mapping[str, Any]) -> Message:
    """Send a dead letter again, under its own key and without its deadline; gives the answer, and records it.

    Raises:
        WorkflowError: there is no such letter, or nobody of its recipient's name.
        DeliveryError: it died again; that is recorded too.
    """
    with leased(journal.path, run):
        letters = {letter.number: letter for letter in kept_letters(journal, run)}
        if number not in letters:
            known = ", ".join(map(str, letters)) or "none"
            raise WorkflowError(f"run {run} has no dead letter {number}", mend=f"there is: {known}")
        envelope = letters[number].died.envelope
        recipient = (envelope.recipient or letters[number].died.mailbox) if isinstance(envelope, Envelope) else None
        if recipient not in agents:
            raise WorkflowError(f"there is no agent {recipient!r}", mend=f"there is: {', '.join(agents)}")
        async with MessageBus() as bus:
            runtime = AsyncioRuntime(agents, bus)
            more = {"deadline": None, "attempt": envelope.attempt + 1, "recipient": recipient, "topic": None}
            again = envelope.model_copy(update=more)
            runtime.reachable(recipient)
            try:
                answer: Message | None = (await bus.call(again)).body
                failure: DeliveryError | None = None
            except DeliveryError as error:
                answer, failure = None, error
        told = LetterSent(time.time(), number, answer, None if failure is None else str(failure))
        journal.append(run, journal.next_number(run), [told])
        if failure is not None:
            raise failure
        assert answer is not None
        return answer
