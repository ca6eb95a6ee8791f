"""Role: what an agent takes and gives, how it reads a message into a prompt, and what it makes of the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..core.errors import UnderstudyError

if TYPE_CHECKING:
    from ..core.fields import Record
    from ..core.prompts import Example, Prompt
    from ..knowledge import KnowledgeStore
    from .gatherer import Reply
    from .messages import CastMember, Message
    from .tools import Tool

Ask: TypeAlias = "Callable[[Prompt, Record], Awaitable[Reply]]"
"""How a role reaches its head: one prompt and the record to fill, for one reply."""


@dataclass(frozen=True)
class Context:
    """What a role may look things up in; the same context and message always give the same prompt.

    Attributes:
        store: passages and facts, or None.
        tools: name → tool.
        cast: the agents that a plan may name.
        options: settings of the agent in its team file (``passages``, ``history``, …).
    """

    store: KnowledgeStore | None = None
    tools: Mapping[str, Tool] = field(default_factory=dict)
    cast: tuple[CastMember, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Demonstration:
    """One example of a role: the fields of what it takes, and of what it gives."""

    takes: Mapping[str, Any]
    gives: Mapping[str, Any]


def _no_fields() -> Record:
    from ..core.fields import Record

    return Record(())


@dataclass(frozen=True)
class Role:
    """A role that is learned from demonstrations, or (as a subclass) one of the shipped roles.

    Attributes:
        name: how it is called.
        does: one sentence; the planner reads it, and so does the head of a learned role.
        takes, gives: message types. Where ``gives`` is a :class:`Filled`, a team sees how sure the head was.
        record: the fields that its head fills; made from ``gives`` where none are given.
        demonstrations: what it is learned from.
        tools: names of the tools that it needs.
    """

    name: str
    does: str
    takes: type[Message]
    gives: type[Message]
    record: Record = field(default_factory=_no_fields)
    demonstrations: tuple[Demonstration, ...] = ()
    tools: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if type(self) is Role and not self.record.fields:
            from .role_document import record_of

            object.__setattr__(self, "record", record_of(self.gives))

    @classmethod
    def load(cls, path: str | Path) -> Role:
        """The role of a ``role.yaml``. Raises UnderstudyError with the file and what is wrong in it."""
        from .role_document import read_document

        path = Path(path)
        return role_from_document(read_document(path), path.parent, where=str(path))

    def prepare(self, message: Any, context: Context) -> tuple[Prompt, Record]:
        """What the head reads and what it fills. Pure: training examples are made by the same code."""
        from ..core.prompts import Prompt
        from .role_document import as_text

        parts = tuple((name, as_text(getattr(message, name))) for name in self.takes.model_fields)
        return Prompt(message=parts, role=self.does), self.record

    def finish(self, values: Mapping[str, Any], message: Any, context: Context) -> Message:
        """The message made of the values that the head chose. Pure."""
        from .role_document import as_given

        return self.gives.model_validate({name: as_given(values[name], kind) for name, kind in self.record.fields})

    async def handle(self, message: Any, context: Context, ask: Ask) -> Message:
        """Prepare, ask the head once, finish; its confidence enters what has a place for it."""
        reply = await ask(*self.prepare(message, context))
        return sure(self.finish(reply.values, message, context), reply.confidence)

    def examples(self) -> tuple[Example, ...]:
        """The demonstrations as the head learns from them. Raises UnderstudyError where one does not fit."""
        from ..core.prompts import Example
        from .role_document import as_values

        return tuple(
            Example(*self.prepare(message, Context()), as_values(gives, self.record))
            for message, gives in (self._checked(number, one) for number, one in enumerate(self.demonstrations, 1))
        )

    def document(self) -> dict[str, Any]:
        """The role as the plain values of a role.yaml, from which :func:`role_from_document` makes it again."""
        from .role_document import document_of

        return document_of(self)

    def _checked(self, number: int, one: Demonstration) -> tuple[Message, Message]:
        from pydantic import ValidationError

        from .messages import first_mistake

        try:
            return self.takes.model_validate(dict(one.takes)), self.gives.model_validate(dict(one.gives))
        except ValidationError as error:
            raise UnderstudyError(first_mistake(error), where=f"{self.name}, demonstration {number}") from None


def sure(message: Message, confidence: float) -> Message:
    """The message with the head's confidence, where its type is one that carries it."""
    from .messages import Filled, Finding, Plan

    if isinstance(message, Filled | Finding | Plan):
        return message.model_copy(update={"confidence": confidence})
    return message


def role_from_document(document: Mapping[str, Any], base: Path, where: str | None = None) -> Role:
    """The role that the values of a role.yaml describe; files it names lie under ``base``."""
    from .role_document import parse

    return parse(document, base, where or str(document.get("role", "role")))


def role_named(name: str) -> Role:
    """A shipped role. Raises UnderstudyError for any other name."""
    from .coder import Coder
    from .planner import Planner
    from .qa import Reader
    from .recommender import Recommender

    shipped: dict[str, Callable[[], Role]] = {
        "planner": Planner, "coder": Coder, "qa": Reader, "recommender": Recommender,
    }  # fmt: skip
    if name not in shipped:
        raise UnderstudyError(
            f"there is no shipped role {name!r}", mend=f"use one of {', '.join(shipped)}, or a role.yaml"
        )
    return shipped[name]()


__all__ = ["Ask", "Context", "Demonstration", "Role", "role_from_document", "role_named", "sure"]
