"""A run that is watched at the console: what begins and ends, and the parts that steps show early."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from .agents.emitting import Token
from .cli_support import complain, print_json
from .render import plainly

if TYPE_CHECKING:
    from .workflows.events import Event


def event_object(event: Event) -> dict[str, Any]:
    """An event as ``--stream --json`` prints it: its type as ``kind``, and its fields under their names."""
    from pydantic_core import to_jsonable_python

    from .workflows.events import Event

    made: dict[str, Any] = {"kind": type(event).__name__}
    for one in fields(event):
        value = getattr(event, one.name)
        if isinstance(value, Token):
            made[one.name] = {"field": value.field, "text": str(value)}
        elif isinstance(value, Event):
            made[one.name] = event_object(value)
        else:
            made[one.name] = to_jsonable_python(value, fallback=plainly)
    return made


def watcher(as_json: bool) -> Callable[[Event], None]:
    """What is told of every event: with ``as_json`` it prints a line for each; otherwise see :class:`Lines`."""
    return (lambda event: print_json(event_object(event))) if as_json else Lines().tell


class Lines:
    """Beginnings and ends of steps as lines on stderr, and parts as they come on stdout."""

    def __init__(self) -> None:
        self._open = False
        self._field: Any = None  # of what a token was shown last, in the line that is open

    def tell(self, event: Event, within: str = "") -> None:
        """Show an event; ``within``: the steps whose child runs it is of."""
        from .workflows.children import ChildEvent
        from .workflows.events import StepEmitted, StepFailed, StepFinished, StepStarted

        if isinstance(event, ChildEvent):
            self.tell(event.event, f"{event.step}/")
        elif isinstance(event, StepEmitted):
            self.part(event.part, (within, event.step, event.visit, event.index))
        elif isinstance(event, StepStarted | StepFinished | StepFailed):
            name = f"{within}{event.step}" + ("" if event.index is None else f" {event.index + 1}")
            if isinstance(event, StepStarted):
                self.line(f"{name} …" if event.agent in (None, event.step) else f"{name} · {event.agent} …")
            elif isinstance(event, StepFailed):
                self.line(f"{name} failed, {event.seconds:.2f} s: {event.error}")
            else:
                self.line(f"{name} done, {event.seconds:.2f} s")

    def part(self, part: Any, of: Any = None) -> None:
        """Show a part: a text as it is, what a head fills field by field, anything else as a line of JSON."""
        if isinstance(part, Token):
            if (of, part.field) != self._field:
                self.end()
                sys.stdout.write(f"{part.field}: ")
            sys.stdout.write(part)
            sys.stdout.flush()
            self._open, self._field = True, (of, part.field)
        elif isinstance(part, str):
            if self._field:
                self.end()
            sys.stdout.write(part)
            sys.stdout.flush()
            self._open = bool(part) and not part.endswith("\n") or (self._open and not part)
        else:
            self.end()
            print_json(part)

    def line(self, text: str) -> None:
        """A line on stderr; what was shown of parts is ended first."""
        self.end()
        complain(text)

    def end(self) -> None:
        """End a line of parts."""
        if self._open:
            print(flush=True)
        self._open, self._field = False, None
