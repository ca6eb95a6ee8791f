"""What happens in a run: frozen events. A run's state is their fold; the journal is their list.

Time, ids and results enter a run only through events, so that folding them again gives the same state. In JSON an
event is its fields; values that steps took or gave are packed (see :func:`..agents.packing.pack`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from ..agents.packing import pack, unpack
from ..agents.usage import Usage
from ..core.errors import UnderstudyError
from .evolve import quickly_made

VERSION = 2
"""Of the JSON of events; every older one stays readable."""


@dataclass(frozen=True)
class Event:
    """The base of all events; ``at`` is in seconds since the epoch."""

    packed: ClassVar[frozenset[str]] = frozenset()
    at: float


@dataclass(frozen=True)
class RunAccepted(Event):
    """The run exists from here on: its input, the cast, and the workflow as a document.

    ``forked`` names the run whose first events this one shares, and the step from which it is another.
    """

    packed: ClassVar[frozenset[str]] = frozenset({"input", "team"})
    run: str
    workflow: str
    document: Mapping[str, Any]
    input: Any
    team: Any = None
    forked: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RunResumed(Event):
    """A process took up the run again; effects that were under way are started again with their keys."""


@dataclass(frozen=True)
class StepStarted(Event):
    """An effect began: visit number ``visit`` of ``step``, item ``index`` of an ``each``.

    It is told to whoever watches, and not kept: what has begun follows from the other events.
    """

    step: str
    visit: int
    index: int | None
    agent: str | None
    key: str


@quickly_made
@dataclass(frozen=True)
class StepFinished(Event):
    """An effect ended well. It is in the journal before any step sees ``output``."""

    packed: ClassVar[frozenset[str]] = frozenset({"output"})
    step: str
    visit: int
    index: int | None
    agent: str | None
    output: Any
    seconds: float
    attempts: int = 1
    usage: Usage = Usage()


@dataclass(frozen=True)
class StepFailed(Event):
    """An effect failed finally; ``error`` is ``Type: text``."""

    step: str
    visit: int
    index: int | None
    agent: str | None
    error: str
    seconds: float
    attempts: int = 1
    usage: Usage = Usage()


@dataclass(frozen=True)
class StepEmitted(Event):
    """A part of what a step will give, such as a token. It is provisional: told to whoever watches, and not kept."""

    step: str
    visit: int
    index: int | None
    part: Any


@dataclass(frozen=True)
class StepEdited(Event):
    """In a fork: the effect that is under way gets ``message`` in place of what it was given."""

    packed: ClassVar[frozenset[str]] = frozenset({"message"})
    step: str
    visit: int
    index: int | None
    message: Any


@dataclass(frozen=True)
class TimerFired(Event):
    """A step that waited for a time has waited long enough."""

    step: str
    visit: int
    index: int | None


@dataclass(frozen=True)
class QuestionAnswered(Event):
    """A person answered the question ``key``."""

    packed: ClassVar[frozenset[str]] = frozenset({"answer"})
    key: str
    answer: Any


@dataclass(frozen=True)
class RunSuspended(Event):
    """Nothing is under way until somebody resumes the run: it waits for a person, or its process was told to end.

    ``reason`` is ``waiting`` or ``interrupted``; ``questions`` are the open ones: key, step, question, choices.
    """

    reason: str
    questions: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class LetterSent(Event):
    """A dead letter, event ``number`` of this run, was sent again after the run; ``answer`` or ``error`` came of it."""

    packed: ClassVar[frozenset[str]] = frozenset({"answer"})
    number: int
    answer: Any = None
    error: str | None = None


@dataclass(frozen=True)
class LetterDied(Event):
    """An envelope of this run became a dead letter; one that was published did so in ``mailbox``."""

    packed: ClassVar[frozenset[str]] = frozenset({"envelope"})
    envelope: Any
    reason: str
    cause: str
    mailbox: str = ""


@dataclass(frozen=True)
class LimitReached(Event):
    """A limit that only the clock knows of was used up."""

    limit: str


@dataclass(frozen=True)
class RunFinished(Event):
    """The run is over: ``completed``, ``failed`` or ``partial``."""

    packed: ClassVar[frozenset[str]] = frozenset({"output"})
    status: str
    output: Mapping[str, Any]
    error: str | None = None


@dataclass(frozen=True)
class NoteKept(Event):
    """Something that another tool keeps in a journal beside runs, such as a checkpoint; the engine passes it over."""

    packed: ClassVar[frozenset[str]] = frozenset({"body"})
    subject: str
    body: Any


KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        RunAccepted, RunResumed, StepStarted, StepFinished, StepFailed, LetterDied, LimitReached, RunFinished,
        NoteKept, StepEmitted, StepEdited, TimerFired, QuestionAnswered, RunSuspended, LetterSent,
    )
}  # fmt: skip

_FIELDS = {kind: tuple(one.name for one in fields(kind)) for kind in KINDS.values()}


def event_to_json(event: Event) -> dict[str, Any]:
    """The fields of ``event`` as JSON values. Raises MessageError where a value cannot be kept."""
    data: dict[str, Any] = {}
    for name in _FIELDS[type(event)]:
        value = getattr(event, name)
        if name in event.packed:
            data[name] = pack(value, getattr(event, "step", None))
        elif name == "usage":
            data[name] = [value.tokens, value.calls, value.seconds]
        else:
            data[name] = value
    return data


def event_from_json(
    kind: str, data: Mapping[str, Any], version: int = VERSION, *, plain: bool = False
) -> Event:
    """The event that :func:`event_to_json` wrote; ``plain``: with messages as dicts.

    Raises UnderstudyError for a kind or version unknown here.
    """
    if version > VERSION or kind not in KINDS:
        raise UnderstudyError(
            f"an event {kind!r} of version {version}, and this understudy reads up to version {VERSION}",
            mend="read the journal with the understudy that wrote it, or a newer one",
        )
    which = KINDS[kind]
    values = dict(data)
    for name in which.packed:
        if name in values:  # a field that a later version added is not there in what an earlier one wrote
            values[name] = unpack(values[name], plain=plain)
    if "usage" in values:
        values["usage"] = Usage(*values["usage"])
    if "questions" in values:
        values["questions"] = tuple(values["questions"])
    return which(**values)
