"""A team and a role as files, functions that a workflow may call, and how files differ."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

from understudy.agents.messages import Message
from understudy.agents.role import Demonstration, Role
from understudy.workflows.flow import Workflow
from understudy.workflows.limits import Limits
from understudy.workflows.team import Team

TEAM = """\
# The desk of ours.
schema: understudy/team/v1
team: 'desk'          # its name
does: "Answers."
agents:
  reader: qa          # the short form
  counter:
    role: qa
    passages: 3       # not more
knowledge: {add: ["*.md"]}   # briefs
input: {request: text}
workflow:
  start: look         # first
  steps:
    look:
      agent: reader   # or the counter
      routes:
        - {to: $end, when: not look.abstained}   # known
        - to: more
    more: {agent: counter, input: {request: input.request}}
output: {answer: look.answer}
tests:
  - {input: {request: "What?"}, expect: {answer: x}}
"""

ROLE = """\
schema: understudy/role/v1
role: mood
does: Says how a customer feels.   # in a word
takes: {text: text}
gives: {mood: [calm, angry]}
demonstrations:
- {takes: {text: I want my money back}, gives: {mood: angry}}   # plain
- {takes: {text: Thank you for the help}, gives: {mood: calm}}
"""


class Order(Message, message_name="orders.input"):
    item: str
    count: int
    kind: Literal["new", "used"]
    parts: tuple[str, ...]


class Verdict(Message, message_name="test_saving.Verdict"):
    approved: bool
    why: str


def price(count: int) -> float:
    """What so many cost."""
    return 2.5 * count


def pay(price: float, allowed: str) -> str:
    """How it ended."""
    return f"paid {price}" if allowed == "yes" else "left"


def mend(error: Any) -> str:
    """What is done about an error."""
    return str(error)


def sum_up(texts: list[Any]) -> str:
    """One text."""
    return "; ".join(map(str, texts))


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def changed(before: str, after: str) -> list[str]:
    """The lines that differ, with - and +."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "-+" and line[:3] not in ("---", "+++")]


def small(**options: Any) -> Workflow:
    flow = Workflow("orders", takes=Order, **options)
    flow.step(price, input={"count": flow.input.count})
    return flow


def limited(team: Team) -> None:
    flow = team.workflow
    flow.limits = Limits(seconds=5)
    team.workflow = flow


def scolding() -> Role:
    """A role that is told in Python alone."""
    class Letter(Message, message_name="test_saving.Letter"):
        text: str

    class Tone(Message, message_name="test_saving.Tone"):
        tone: Literal["kind", "rude"]
        words: tuple[str, ...]

    shown = (Demonstration({"text": "Go away\nnow"}, {"tone": "rude", "words": ("away",)}),
             Demonstration({"text": "Do come ${in}"}, {"tone": "kind", "words": []}))
    return Role("tone", "Says how a letter sounds.", Letter, Tone, demonstrations=shown)
