"""Scripted agents: they say what a test has written for them, and remember what they were asked."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from ..agents.messages import Message
from ..agents.requests import message_from
from ..agents.usage import Usage, spend
from ..core.errors import UnderstudyError
from ..workflows.effects import emit
from .differences import brief, differences


class ScriptError(UnderstudyError, AssertionError):
    """What was asked and what was scripted are not the same; a test that gets it has failed."""


@dataclass(frozen=True)
class Scripted:
    """A reply, and what goes with it.

    Attributes:
        reply: what :class:`ScriptedAgent` takes as a reply.
        expect: what has to be asked: a message, a mapping of some of its fields, the text of a message with one field,
            a type, or a function of the message; None: anything.
        delay: seconds that the answer takes, by the clock of the run.
        emit: parts that are shown early, such as tokens.
        tokens: what the answer cost, in one call of a model; 0: no model was called.
    """

    reply: Any
    expect: Any = None
    delay: float = 0.0
    emit: Sequence[Any] = ()
    tokens: int = 0


class ScriptedAgent:
    """Answers with ``replies``, one after the other, whatever it is asked, and remembers what it was asked.

    A reply is a message; the fields of one, or the text of its one field, where it is known what the agent gives; an
    exception, which is raised; a function of the message that gives any of these; or one of them as :class:`Scripted`.
    In place of a list a function answers every message. With ``with`` it is checked in the end that the script fits::

        with ScriptedAgent("coder", [Finding(answer="4")]) as coder:
            flow.run_sync(Task(request="2 + 2"), agents={"coder": coder})
        assert coder.asked == [Task(request="2 + 2")]

    Args:
        name: of the agent.
        replies: the script.
        takes, gives: the types of its messages, for the checks before a run; a harness fills in those of the agent
            that it stands for.
        does: what a planner reads.

    Raises UnderstudyError for a reply that is not of the type ``gives``.
    """

    def __init__(
        self,
        name: str,
        replies: Sequence[Any] | Callable[[Any], Any],
        *,
        takes: type[Message] | None = None,
        gives: type[Message] | None = None,
        does: str = "",
    ) -> None:
        given: object = replies  # whatever the annotation says: a forgotten bracket should not be taken for a script
        if isinstance(given, str | Mapping | Message) or not (callable(given) or isinstance(given, Sequence)):
            raise UnderstudyError(f"{brief(given)} is no script", where=name, mend="give replies=[…], or a function")
        self.name = name
        self.does = does
        self.takes = takes
        self.gives = gives
        self.asked: list[Any] = []
        self._always = replies if not isinstance(replies, Sequence) else None
        self._script = [] if not isinstance(replies, Sequence) else [_scripted(reply) for reply in replies]
        self._mistakes: list[str] = []
        self._settle()

    def bind(self, takes: type[Message] | None, gives: type[Message] | None, does: str = "") -> None:
        """Take over what the agent has that this one stands for, where nothing else was said.

        Raises UnderstudyError for a reply that is not of the type ``gives``.
        """
        self.takes = self.takes or takes
        self.gives = self.gives or gives
        self.does = self.does or does
        self._settle()

    async def handle(self, message: Any) -> Message:
        """The next reply. Raises what is scripted, and ScriptError for what is not."""
        place = len(self.asked)
        self.asked.append(message)
        if self.takes is not None and not isinstance(message, self.takes):
            self._fail(f"it takes {self.takes.message_name}, and was asked {brief(message)}")
        entry = Scripted(self._always) if self._always is not None else self._entry(place, message)
        if wrong := _unexpected(entry.expect, message):
            self._fail("\n  ".join([f"reply {place + 1} expects something else than what was asked:", *wrong]))
        if entry.delay:
            await asyncio.sleep(entry.delay)
        for part in entry.emit:
            emit(part)
        if entry.tokens:
            spend(Usage(entry.tokens, 1, 0.0))
        reply = entry.reply
        if callable(reply) and not _is_error(reply):
            reply = reply(message)
            reply = await reply if inspect.isawaitable(reply) else reply
        if _is_error(reply):
            raise reply
        try:
            return self._message(reply, place)
        except ScriptError as error:
            self._mistakes.append(error.what if error.mend is None else f"{error.what}; {error.mend}")
            raise

    def mistakes(self) -> tuple[str, ...]:
        """What was asked that does not fit the script."""
        return tuple(self._mistakes)

    def unused(self) -> tuple[str, ...]:
        """The replies that nobody has asked for, each with its place in the script."""
        rest = self._script[len(self.asked) :]
        return tuple(f"reply {place}, {brief(one.reply)}" for place, one in enumerate(rest, len(self.asked) + 1))

    def verify(self) -> None:
        """Raise ScriptError where something was asked that does not fit the script, or a reply was not asked for."""
        found = list(self._mistakes)
        if not found and (unused := self.unused()):
            found.append(not_asked_for(unused, len(self._script)))
        if found:
            raise ScriptError("\n".join(found), where=self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.verify()

    def __repr__(self) -> str:
        return f"ScriptedAgent({self.name!r}, asked={len(self.asked)}, unused={len(self.unused())})"

    def _entry(self, place: int, message: Any) -> Scripted:
        if place < len(self._script):
            return self._script[place]
        count = len(self._script)
        what = "it has no script" if not count else f"its script of {count} {_replies(count)} is used up"
        self._fail(f"{what}, and it was asked {brief(message)}")
        raise AssertionError  # never reached

    def _fail(self, what: str) -> None:
        self._mistakes.append(what)
        raise ScriptError(what, where=self.name)

    def _settle(self) -> None:
        """Make messages of what is not one yet, where it is known what the agent gives."""
        for place, entry in enumerate(self._script):
            if self.gives is not None and not callable(entry.reply) and not _is_error(entry.reply):
                self._script[place] = replace(entry, reply=self._message(entry.reply, place))

    def _message(self, reply: Any, place: int) -> Message:
        if isinstance(reply, Message):
            if self.gives is not None and not isinstance(reply, self.gives):
                what = f"reply {place + 1}, {brief(reply)}, is no {self.gives.message_name}"
                raise ScriptError(what, where=self.name)
            return reply
        if self.gives is None:
            mend = "say what it gives=, or give the message itself"
            raise ScriptError(f"reply {place + 1}, {brief(reply)}, is no message", where=self.name, mend=mend)
        try:
            return message_from(self.gives, reply, self.name)
        except UnderstudyError as error:
            raise ScriptError(f"reply {place + 1}: {error.what}", where=self.name, mend=error.mend) from None


def not_asked_for(unused: Sequence[str], of: int) -> str:
    """Says which replies of a script nobody has asked for."""
    lines = "".join(f"\n  {one}" for one in unused)
    return f"{len(unused)} of its {of} {_replies(of)} {'was' if len(unused) == 1 else 'were'} not asked for:{lines}"


def _replies(count: int) -> str:
    return "reply" if count == 1 else "replies"


def _scripted(reply: Any) -> Scripted:
    return reply if isinstance(reply, Scripted) else Scripted(reply)


def _is_error(reply: Any) -> bool:
    return isinstance(reply, BaseException) or (isinstance(reply, type) and issubclass(reply, BaseException))


def _unexpected(expect: Any, message: Any) -> list[str]:
    if expect is None:
        return []
    if isinstance(expect, str):
        needed = [name for name, info in type(message).model_fields.items() if info.is_required()]
        if len(needed) != 1:
            return [f"{message.message_name}: a text stands for one field, and it has {len(needed)} that are needed"]
        expect = {needed[0]: expect}
    return differences(expect, message, getattr(message, "message_name", "it"))
