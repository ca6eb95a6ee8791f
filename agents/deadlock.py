"""Deadlocks: requests that wait for each other in a circle, so that none of them can ever be answered.

A delivery can go on if its handler is at work on something else than the bus, if a worker is free for it, or if
what it waits for can go on. One from which no such delivery can be reached is stuck: an AND-free form of the wait-for
graph (Knapp 1987, Deadlock detection in distributed databases), walked whenever a handler begins to wait.
"""

from __future__ import annotations

from ..core.errors import UnderstudyError
from .delivery import Delivery
from .mailbox import Mailbox


class Deadlock(UnderstudyError):
    """Handlers that wait for each other; the text names the mailboxes of the circle."""


def stuck(waiting_for: Delivery | Mailbox) -> list[str] | None:
    """The mailboxes of the circle in which ``waiting_for`` can never go on; None where it can."""
    seen: list[Delivery] = []
    if _goes_on(waiting_for, seen):
        return None
    names = [each.mailbox.name for each in seen if each.mailbox is not None]
    return names or [waiting_for.name if isinstance(waiting_for, Mailbox) else ""]


def _goes_on(what: Delivery | Mailbox, seen: list[Delivery]) -> bool:
    if isinstance(what, Mailbox):
        current = list(what.current.values())
        return len(current) < what.at_once or any(_goes_on(each, seen) for each in current)
    if what in seen:
        return False
    seen.append(what)
    if what.settled or what.mailbox is None:
        return True
    if what.worker is None:
        return _goes_on(what.mailbox, seen)
    return what.blocked is None or _goes_on(what.blocked, seen)
