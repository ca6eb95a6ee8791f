"""An agent: a role, played by a head on the shared backbone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..core.errors import UnderstudyError
from .emitting import listening
from .gatherer import Call
from .gatherer import ask as ask_decoder
from .messages import Message
from .usage import Usage, spend

if TYPE_CHECKING:
    from ..core.fields import Record
    from ..core.prompts import Prompt
    from .bus import MessageBus
    from .gatherer import Decoder, Reply
    from .messages import Envelope
    from .retry import Retry

Ask: TypeAlias = "Callable[[Prompt, Record], Awaitable[Reply]]"
"""How a role reaches its head: one prompt and the record to fill, for one reply."""


class Part(Protocol):
    """What an agent needs of its role: the types it takes and gives, and how it handles a message."""

    @property
    def name(self) -> str: ...
    @property
    def does(self) -> str: ...
    @property
    def takes(self) -> type[Message]: ...
    @property
    def gives(self) -> type[Message]: ...
    async def handle(self, message: Any, context: Any, ask: Any) -> Message: ...


class NamedHead(Protocol):
    """What an agent needs of its head: the name it has in the bank, and when to abstain."""

    @property
    def name(self) -> str: ...
    @property
    def threshold(self) -> float: ...


class Agent:
    """Handles the messages of one role with one head.

    Args:
        name: how the team calls it.
        role: prepares prompts and finishes messages (a :class:`Role`).
        head: a head, or only its name in the bank of the decoder (``""``: the bare backbone).
        decoder: shared by the agents of a backbone; calls that wait for it are decoded in one batch.
        context: what the role may look things up in, passed on to it.
        threshold: confidence under which the agent abstains; the head's own where it is None.
    """

    def __init__(
        self,
        name: str,
        role: Part,
        head: NamedHead | str,
        decoder: Decoder,
        context: Any = None,
        *,
        threshold: float | None = None,
    ) -> None:
        self.name = name
        self.role = role
        self.context = context
        self.head = head if isinstance(head, str) else head.name
        own = 0.0 if isinstance(head, str) else head.threshold
        self.threshold = own if threshold is None else threshold
        self.usage = Usage()
        self._decoder = decoder

    @property
    def does(self) -> str:
        """What the role does, as the planner reads it."""
        return self.role.does

    @property
    def takes(self) -> type[Message]:
        """The type of message that it handles."""
        return self.role.takes

    @property
    def gives(self) -> type[Message]:
        """The type of message that it answers with."""
        return self.role.gives

    async def handle(self, message: Message) -> Message:
        """The answer to ``message``; abstained where the confidence is under the threshold.

        ``usage`` grows by what the answer cost, and :func:`..usage.spend` is told of it.

        Raises:
            UnderstudyError: a message that is not of the role's type; whatever the role or the decoder refuses.
        """
        if not isinstance(message, self.takes):
            raise UnderstudyError(
                f"{self.name} takes {self.takes.message_name}, not {message.message_name}",
                where=self.name,
                mend=f"give it {', '.join(self.takes.model_fields)}",
            )
        confidence: float | None = None

        async def ask(prompt: Prompt, record: Record) -> Reply:
            nonlocal confidence
            reply = await ask_decoder(self._decoder, Call(prompt, record, self.head, listening()), self.name)
            confidence = reply.confidence
            used = Usage(reply.tokens, 1, reply.seconds)
            self.usage += used
            spend(used)
            return reply

        answer = await self.role.handle(message, self.context, ask)
        if not isinstance(answer, self.gives):
            raise UnderstudyError(
                f"the role {self.role.name} gave {type(answer).__name__}, not {self.gives.message_name}",
                where=self.name,
            )
        return self._abstaining(answer, confidence)

    def join(self, bus: MessageBus, *, at_once: int = 32, retry: Retry | None = None) -> None:
        """Take a mailbox on ``bus`` under the agent's name; ``at_once`` messages may share a batch."""

        async def handle(envelope: Envelope) -> Message:
            return await self.handle(envelope.body)

        bus.register(self.name, handle, at_once=at_once, retry=retry)

    def _abstaining(self, answer: Message, confidence: float | None) -> Message:
        sure = getattr(answer, "confidence", confidence)
        if "abstained" not in type(answer).model_fields or sure is None or sure >= self.threshold:
            return answer
        return answer.model_copy(update={"abstained": True})

    def __repr__(self) -> str:
        return f"Agent({self.name!r}, role={self.role.name!r}, head={self.head!r})"
