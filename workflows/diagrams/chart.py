"""What a diagram shows of a graph: boxes and arrows with their words, before anything is drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..expressions import Expression, ExpressionError
from ..flow import Workflow
from ..function_names import name_of
from ..graph import END, Graph, Route, Step

Kind = Literal["start", "agent", "function", "person", "clock", "workflow", "unknown", "end"]

START = "$start"
"""The name of the box in which every chart begins."""

LONGEST = 60
"""Characters of one text in a diagram; what is longer ends with an ellipsis."""


@dataclass(frozen=True)
class Box:
    """A step, or where the run starts or ends.

    Attributes:
        name: of the step; :data:`START` or ``$end``.
        kind: who does it; ``unknown`` for a step that a route names and that is not there.
        title: the first line.
        lines: what stands under it.
        many: whether it is done for each item of a list.
        inside: the chart of the child workflow, where it is to be shown.
    """

    name: str
    kind: Kind
    title: str
    lines: tuple[str, ...] = ()
    many: bool = False
    inside: Chart | None = None


@dataclass(frozen=True)
class Arrow:
    """A way from one box to another.

    Attributes:
        when: what has to hold, or happen, for it to be taken; "" for nothing.
        often: how often it can be; "" where that is not limited.
        error: whether it is the one that is taken when the step has failed.
    """

    source: str
    target: str
    when: str = ""
    often: str = ""
    error: bool = False

    @property
    def label(self) -> str:
        """All that is said of it, on one line."""
        return ", ".join(filter(None, (self.when, self.often)))


@dataclass(frozen=True)
class Chart:
    """All boxes, in the order in which the steps were declared, and all arrows, in the order of the routes."""

    name: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def chart_of(graph: Graph, inside: bool = False) -> Chart:
    """The chart of ``graph``; ``inside``: with those of its child workflows."""
    return _chart(graph, inside, ())


def _chart(graph: Graph, inside: bool, around: tuple[Any, ...]) -> Chart:
    arrows = [Arrow(START, name) for name in graph.first]
    arrows += [arrow for step in graph.steps.values() for arrow in _arrows(step)]
    names = {*graph.steps, START, END}
    unknown = dict.fromkeys(arrow.target for arrow in arrows if arrow.target not in names)
    boxes = [
        Box(START, "start", "start", _fields("takes", _required(graph.takes))),
        *(_box(step, inside, around) for step in graph.steps.values()),
        *(Box(name, "unknown", plain(name), ("there is no such step",)) for name in unknown),
    ]
    if any(arrow.target == END for arrow in arrows):
        boxes.append(Box(END, "end", "end", _fields("gives", list(graph.output))))
    return Chart(plain(graph.name), tuple(boxes), tuple(arrows))


def _arrows(step: Step) -> Iterator[Arrow]:
    for number, route in enumerate(step.routes or (Route(END),)):
        # Routes are tried in their order, which "else" says.
        when = f"if {plain(route.when.text)}" if route.when is not None else ""
        when = f"else {when}".rstrip() if number else when
        times = "once" if route.at_most == 1 else f"{route.at_most} times"
        for target in dict.fromkeys(route.targets):
            yield Arrow(step.name, target, when, "" if route.at_most is None else f"at most {times}")
    if step.on_error is not None:
        yield Arrow(step.name, step.on_error, "on error", error=True)


def _box(step: Step, inside: bool, around: tuple[Any, ...]) -> Box:
    kind, lines = _doer(step)
    if step.each is not None:
        failed = {"collect": ", without those that fail", "all_or_nothing": ", all or nothing"}.get(step.failure, "")
        lines.append(f"for each {plain(step.each.text)}, {step.at_once} at once{failed}")
    if len(step.join) > 1:
        rule = "" if step.merge is None else f" by {step.merge if isinstance(step.merge, str) else name_of(step.merge)}"
        lines.append(f"joins {plain(', '.join(step.join))}{rule}")
    shown = None
    child = step.workflow
    if inside and child is not None and not any(child is one for one in around):  # one may be its own child
        shown = _chart(_graph_of(child), inside, (*around, child))
    return Box(step.name, kind, plain(step.name), tuple(lines), step.each is not None, shown)


def _doer(step: Step) -> tuple[Kind, list[str]]:
    if step.agent is not None:
        return "agent", ["agent" if step.agent == step.name else f"agent {plain(step.agent)}"]
    if step.agent_from is not None:
        chosen = step.agent_from.text if isinstance(step.agent_from, Expression) else name_of(step.agent_from)
        return "agent", [f"agent from {plain(chosen)}"]
    if step.call is not None:
        called = name_of(step.call)
        return "function", ["function" if called in (step.name, "") else f"function {plain(called)}"]
    if step.workflow is not None:
        word = "workflow" if isinstance(step.workflow, Workflow) else "team"
        return "workflow", [f"{word} {plain(str(step.workflow.name))}"]
    if step.ask is not None:
        asked = _constant(step.ask.text)
        lines = [f"asks a person: {plain(asked if isinstance(asked, str) else step.ask.text.text, 90)}"]
        if step.ask.choices:
            lines.append(plain(" / ".join(map(str, step.ask.choices))))
        return "person", lines
    if step.sleep is not None:
        seconds = _constant(step.sleep)
        told = f"{seconds:g}" if isinstance(seconds, int | float) else plain(step.sleep.text)
        return "clock", [f"waits {told} {'second' if told == '1' else 'seconds'}"]
    return "unknown", ["nobody does it"]


def _graph_of(child: Any) -> Graph:
    """Of a workflow, or of what has one, as a team has."""
    flow: Workflow = child if isinstance(child, Workflow) else child.workflow
    return flow.graph()


def _constant(expression: Expression) -> Any:
    """The value of an expression that is the same in every run, else None."""
    try:
        return None if expression.names() else expression.evaluate({})
    except ExpressionError:
        return None


def _required(takes: Any) -> Sequence[str]:
    if takes is None:
        return ()
    fields: Mapping[str, Any] = takes.model_fields
    return [name for name, info in fields.items() if info.is_required()]


def _fields(verb: str, names: Sequence[str]) -> tuple[str, ...]:
    return (f"{verb} {plain(', '.join(names))}",) if names else ()


_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain(text: str, longest: int = LONGEST) -> str:
    """The text on one line, at most ``longest`` characters of it, without what XML cannot hold."""
    line = " ".join(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
