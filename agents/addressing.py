"""Addressing: envelopes with ids of their own, which know what led to them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from itertools import count
from typing import Any

from .cancellation import current_work
from .delivery import Delivery
from .messages import Envelope, Message, MessageError, sealed


class Addresser:
    """Makes the envelopes of one bus.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._prefix = uuid.uuid4().hex[:12]
        self._numbers = count(1)

    def envelope(
        self, body: Message, to: str | None = None, *, topic: str | None = None, timeout: float | None = None,
        control: bool = False, **more: Any,
    ) -> Envelope:  # fmt: skip
        """An envelope for the recipient ``to`` or a ``topic``, with an id of its own.

        ``timeout`` is in seconds from now. Made within a handler, it names what is handled there as its cause, and
        shares its run and trace, unless ``more`` says otherwise.
        """
        if not isinstance(body, Message) or (to is None) == (topic is None):
            addressed = "an envelope has either a recipient or a topic"
            what = addressed if isinstance(body, Message) else "this is no message"
            raise MessageError(what, where=type(body).__name__, mend="give a Message, and to= or topic=")
        fields: dict[str, Any] = {
            "id": self._id(), "recipient": to, "topic": topic, "control": control, "body": body,
        }  # fmt: skip
        if timeout is not None:
            fields["deadline"] = self._clock() + timeout
        handled = current_work()
        if isinstance(handled, Delivery) and handled.mailbox is not None:
            cause = handled.envelope
            handled.sent += 1
            fields |= {
                "sender": handled.mailbox.name, "cause": cause.id, "run": cause.run, "trace": cause.trace or cause.id,
                "depth": cause.depth + 1,
            }  # fmt: skip
            if cause.run:
                # Within a run ids are the keys of effects: the same when a handler is called again.
                fields["id"] = f"{cause.id}>{handled.sent}"
        return Envelope(**{**fields, **more}) if more else sealed(**fields)

    def answer(self, envelope: Envelope, body: Message, attempts: int) -> Envelope:
        """The envelope that takes ``body`` back to the sender of ``envelope``."""
        return sealed(
            id=self._id(), run=envelope.run, sender=envelope.recipient or "", recipient=envelope.sender,
            cause=envelope.id, reply_to=envelope.id, attempt=attempts, trace=envelope.trace, depth=envelope.depth,
            body=body,
        )  # fmt: skip

    def _id(self) -> str:
        return f"{self._prefix}-{next(self._numbers)}"
