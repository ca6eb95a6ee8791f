"""What agents say to each other: frozen, typed messages, and the envelope that carries them.

A message type is known by name, so that a journal written today can be read back by another process: every
subclass of :class:`Message` registers itself when it is made, types made at run time from a ``role.yaml`` as
well. Their JSON is in :mod:`.packing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from ..core.errors import UnderstudyError


class MessageError(UnderstudyError):
    """A message that cannot be made, read or written."""


_types: dict[str, type[Message]] = {}


class Message(BaseModel):
    """The base of every message: frozen, validated when it is made, unknown fields refused.

    A subclass is registered under its class name, or under ``message_name`` where the class line gives one
    (``class Query(Message, message_name="my.Query")``). A later type of the same name takes its place, so
    that a role may be loaded again; the names of the types in this file are reserved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    message_name: ClassVar[str] = "Message"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # What the class line gives is for the hook below; object's own hook takes nothing.
        super().__init_subclass__()

    @classmethod
    def __pydantic_init_subclass__(cls, *, message_name: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        name = message_name or cls.__name__
        known = _types.get(name)
        if known is not None and known.__module__ == __name__ != cls.__module__:
            raise MessageError(
                f"the message type {name!r} is one of understudy's own",
                where=f"{cls.__module__}.{cls.__qualname__}",
                mend="name it otherwise, or register it apart with (Message, message_name='my.Name')",
            )
        cls.message_name = name
        _types[name] = cls


_types["Message"] = Message


class Task(Message):
    """What every member of a planned team takes: a request, and the values that earlier steps found.

    ``given`` accepts findings beside strings: a :class:`Finding` contributes its ``values``, or its ``answer`` where it
    has none and did not abstain; None contributes nothing.
    """

    request: str
    given: tuple[str, ...] = ()

    @field_validator("given", mode="before")
    @classmethod
    def _values_of_findings(cls, given: Any) -> Any:
        try:
            return tuple(_given(given))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None


def _given(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Finding):
        return list(value.values) or _answer(value.answer, value.abstained)
    if isinstance(value, Mapping) and "values" in value:
        return _given(value["values"]) or _answer(value.get("answer"), value.get("abstained"))
    if isinstance(value, list | tuple):
        return [each for item in value for each in _given(item)]
    return [value]


def _answer(answer: Any, abstained: Any) -> list[Any]:
    return [answer] if isinstance(answer, str) and answer and not abstained else []


class Source(Message):
    """Where an answer rests: ``source`` names it (file#row, graph, sql); the offsets count in ``text``."""

    title: str
    text: str
    source: str
    start: int | None = None
    end: int | None = None


class Finding(Message):
    """An answer, the values in it, what it rests on, and whether the agent abstained."""

    answer: str
    values: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    abstained: bool = False
    confidence: float = 1.0


class Filled(Message):
    """What a learned role gives: the fields that its head filled, how sure it was, and whether it would rather not say.

    The fields of its subclass are filled; these two are not, they come of the head's probabilities. As in a
    :class:`Finding`, routes and functions may look at them: ``when=sort.abstained``.

    >>> class Sorted(Filled, message_name="docs.Sorted"):
    ...     queue: str
    >>> filled(Sorted(queue="billing", confidence=0.4, abstained=True))
    {'queue': 'billing'}
    """

    abstained: bool = False
    confidence: float = 1.0


def filled(message: Message) -> dict[str, Any]:
    """The fields of a message by name, without those of :class:`Filled` where it is one."""
    return message.model_dump(mode="json", include=set(filled_names(type(message))))


def filled_names(kind: type[Message]) -> list[str]:
    """The fields of a message type without those of :class:`Filled` where it is one."""
    return [name for name in kind.model_fields if not (issubclass(kind, Filled) and name in Filled.model_fields)]


class Query(Finding):
    """A finding by SQL: the statement, its result, and how many attempts it took."""

    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]
    attempts: int


class Place(Message):
    """One recommended item: its score and the facts that speak for it."""

    name: str
    score: float
    reasons: tuple[str, ...]


class Ranking(Finding):
    """A finding by recommendation: what was liked, and places in order, best first."""

    liked: tuple[str, ...]
    places: tuple[Place, ...]


class CastMember(Message):
    """An agent as the planner sees it."""

    name: str
    does: str


class PlanRequest(Message):
    """What a planner takes: the request and the cast that may be given steps."""

    request: str
    cast: tuple[CastMember, ...]


class PlannedStep(Message):
    """One step of a plan: who does it, and the words of the request that ask for it.

    Before these stands what a pronoun in them is (``Chad: how many people live there``), where another part of the
    request names it. ``needs`` are the 1-based positions of the earlier steps whose results it reads.
    """

    agent: str
    request: str
    needs: tuple[int, ...] = ()


class Plan(Message):
    """What a planner gives: steps in order, each for one of the cast."""

    steps: tuple[PlannedStep, ...]
    confidence: float = 1.0


class Envelope(Message):
    """A message on its way, addressed to one ``recipient`` or to a ``topic``.

    Attributes:
        id: of this envelope; inside a run it is the idempotency key of the effect, and what a handler sends has its own
            key with the number of what was sent.
        run: the run it belongs to, or "" outside any.
        sender: who sent it.
        cause: the id of the envelope that led to this one.
        reply_to: the id of the request that this envelope answers.
        deadline: seconds since the epoch; after it the envelope is a dead letter.
        attempt: 1 for the first delivery.
        trace: an id shared by all that one request led to.
        depth: 1 for what is sent from outside any handler, 2 for what its handler sends, and so on.
        control: taken before all envelopes that are not.
        body: the message itself.
    """

    id: str
    run: str = ""
    sender: str = ""
    recipient: str | None = None
    topic: str | None = None
    cause: str | None = None
    reply_to: str | None = None
    deadline: float | None = None
    attempt: int = 1
    trace: str = ""
    depth: int = 1
    control: bool = False
    body: Message

    @model_validator(mode="after")
    def _one_address(self) -> Envelope:
        if (self.recipient is None) == (self.topic is None):
            raise ValueError("an envelope has either a recipient or a topic")
        return self


_SEALED = {name: info.default for name, info in Envelope.model_fields.items() if not info.is_required()}
_ALL = set(Envelope.model_fields)  # shared by all: nothing changes a frozen model's, and copies take a copy


def sealed(**fields: Any) -> Envelope:
    """An envelope of fields that the bus itself has made: nothing is validated a second time."""
    envelope = Envelope.__new__(Envelope)
    put = object.__setattr__
    put(envelope, "__dict__", {**_SEALED, **fields})
    put(envelope, "__pydantic_fields_set__", _ALL)
    put(envelope, "__pydantic_extra__", None)
    put(envelope, "__pydantic_private__", None)
    return envelope


def message_type(name: str) -> type[Message]:
    """The message type registered as ``name``. Raises MessageError where there is none."""
    try:
        return _types[name]
    except KeyError:
        raise MessageError(
            f"there is no message type {name!r}",
            mend="import the module, or load the role, that defines it",
        ) from None


def first_mistake(error: ValidationError) -> str:
    """The first of pydantic's complaints as one sentence, with the field that it is about."""
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    return f"{path}: {first['msg']}" if path else str(first["msg"])
