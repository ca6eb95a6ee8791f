"""References of a workflow's steps: agents, functions, steps and values that are not there, and keys that say nothing.

What is asked of the steps together, as roads and types, is for :mod:`.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.errors import UnderstudyError
from . import forms
from .calls import CALLS
from .expressions import Expression
from .shapes import Report
from .step_shapes import END, SCOPE_WORDS
from .values import ExpressionError, hint
from .yaml_document import KeyPath

TEAM_WORDS = ("cast", "name", "does")

ASKS = ("ask", "ask_from")
WAITS = (*ASKS, "sleep")

UNKNOWN = {
    "item": "only a step with 'each' has items", "index": "only a step with 'each' has items",
    "error": "it is what went wrong where a step has 'on_error', and none has",
}
"""Names that mean something elsewhere: why they do not here."""

Rule = tuple[str, tuple[str, ...], str, str]
"""A key, others, why it says nothing without them or beside them, and how to mend it."""

NEEDS: tuple[Rule, ...] = (
    ("at_once", ("each",), "it says how the items of a list are run", "add each: …, or remove it"),
    ("choices", ASKS, "it says what a person may answer", "add ask: QUESTION, or remove it"),
    ("gives", ASKS, "it says what a person's answer has to give", "add ask: QUESTION, or remove it"),
)
"""Keys of a step that say nothing without one of others."""

EXCLUDES: tuple[Rule, ...] = (
    ("input", WAITS, "a question and a timer take no input", "remove it; ask_from and sleep may be expressions"),
    ("seconds", WAITS, "a question stays open, and a timer waits, for as long as it takes", "remove it"),
    ("retry", WAITS, "nothing is tried", "remove it"),
    ("choices", ("gives",), "an answer is one of the choices, or has fields", "remove one of them"),
    ("then", ("routes",), "the next step would be said twice", "add {to: …} as the last route"),
)
"""Keys of a step that cannot stand beside others."""


class Scope:
    """The names that expressions of one file may use.

    Args:
        inputs: the fields of the team's input; () where they are not known.
        steps: the names of the steps.
        lists: the names of the growing lists.
        error: whether a step may be led to by an error.
    """

    def __init__(self, report: Report, inputs: tuple[str, ...], steps: tuple[str, ...], lists: tuple[str, ...] = (),
                 error: bool = False) -> None:
        self.report = report
        self.inputs = inputs
        self.names = tuple(dict.fromkeys(("input", "team", *steps, *lists, *(("error",) if error else ()))))

    def check(self, written: Any, path: KeyPath, each: bool = False) -> None:
        """Report names in the expression ``written`` that are not in scope; ``each``: item and index are."""
        expression = _expression(written)
        if expression is None:
            return
        names = (*self.names, *(("item", "index") if each else ()))
        for name in sorted(expression.names()):
            if name not in names:
                why = UNKNOWN.get(name, "")
                mend = "" if why else hint(name, names) or ""
                if not why and (text := _as_text(name, expression.text, path)):
                    mend = "; ".join(filter(None, (mend, f"a text is {text}")))
                self.report.add(path, f"unknown name '{name[:60]}' in '{expression.text[:80]}'", why=why,
                                suggestion=mend, offset=expression.offset_of(name))
        for root, *rest in expression.paths():
            known = {"input": self.inputs, "team": TEAM_WORDS}.get(root)
            if known and rest and rest[0] not in known:
                self.report.add(path, f"{root} has no '{rest[0][:60]}'", suggestion=hint(rest[0], known),
                                offset=expression.offset_of(root))


def _as_text(name: str, expression: str, path: KeyPath) -> str:
    """How ``name`` is written where a text was meant; empty where none can be."""
    if expression == name:
        return f"{{value: {name[:60]}}}" if {"input", "output"} & set(path) else ""
    return f"'{name[:60]}' in quotes" if re.search(rf"[=!]= {re.escape(name)}\b", expression) else ""


def check_workflow(workflow: Mapping[str, Any], agents: Iterable[str], scope: Scope) -> None:
    """Report steps that name agents, functions, steps or values that are not there, and keys that say nothing."""
    report, steps, agents = scope.report, _mapping(workflow.get("steps")), tuple(agents)
    start = workflow.get("start")
    if "start" in workflow and "pattern" in workflow:
        report.add(("workflow", "start"), "'start' and 'pattern' in one workflow", key=True,
                   why="a pattern says itself how it begins", suggestion="remove it")
        return
    for number, first in enumerate(forms.steps(start)):
        if first not in steps:
            at: KeyPath = ("workflow", "start", *((number,) if isinstance(start, list) else ()))
            report.add(at, f"unknown step '{first[:60]}'", suggestion=hint(first, steps))
    for name, written in steps.items():
        step, path = _mapping(written), ("workflow", "steps", name)
        check_actor(step, path, agents, report)
        check_words(step, path, report)
        check_ways(name, steps, path, report)
        check_names(name, step.get("into"), path, steps, report)
        for at, expression, each in expressions(step):
            scope.check(expression, (*path, *at), each)


def expressions(step: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Any, bool]]:
    """What is an expression in a step, with its path in the step, and whether it may speak of an item."""
    each = "each" in step
    yield ("each",), step.get("each"), False
    for word in ("agent_from", "ask_from", "sleep"):
        yield (word,), step.get(word), each
    for word, text in _mapping(step.get("input")).items():
        yield ("input", word), text, each
    for number, route in enumerate(_list(step.get("routes"))):
        yield ("routes", number, "when"), forms.route(route).get("when"), False


def check_actor(step: Mapping[str, Any], path: KeyPath, agents: tuple[str, ...], report: Report) -> None:
    """Report an unknown agent or function."""
    agent, call = step.get("agent"), step.get("call")
    if isinstance(agent, str) and agent not in agents:
        mend = hint(agent, agents) or "the team has no agents: add agents: {NAME: ROLE}"
        report.add((*path, "agent"), f"unknown agent '{agent[:60]}'", suggestion=mend)
    check_call(call, (*path, "call"), report)


def check_call(name: Any, path: KeyPath, report: Report) -> None:
    """Report a function that nobody has registered, or whose package cannot be imported."""
    if not isinstance(name, str) or not name.strip():
        return
    if name not in CALLS:
        report.add(path, f"'{name[:60]}' is not a registered function", suggestion=CALLS.suggestion(name))
        return
    try:
        CALLS[name]
    except UnderstudyError as error:
        report.add(path, error.what, why=error.where or "", suggestion=error.mend)


def check_words(step: Mapping[str, Any], path: KeyPath, report: Report) -> None:
    """Report keys that say nothing, alone or beside others."""
    for word, others, why, mend in NEEDS:
        if word in step and not any(other in step for other in others):
            report.add((*path, word), f"'{word}' without '{others[0]}'", key=True, why=why, suggestion=mend)
    for word, others, why, mend in EXCLUDES:
        for other in others:
            if word in step and other in step:
                report.add((*path, word), f"'{word}' and '{other}' in one step", key=True, why=why, suggestion=mend)
    if step.get("failure") == "all_or_nothing" and "each" not in step:
        report.add((*path, "failure"), "'all_or_nothing' without 'each'", why="it says what happens to other items",
                   suggestion="add each: …, or remove it")
    if "merge" in step and len(set(forms.steps(step.get("after")))) < 2:
        report.add((*path, "merge"), "'merge' without several steps in 'after'", key=True,
                   why="it says how the outputs of several steps become one", suggestion="write after: [a, b]")


def check_ways(name: str, steps: Mapping[str, Any], path: KeyPath, report: Report) -> None:
    """Report ways of the step ``name`` to and from steps that are not there."""
    step = _mapping(steps[name])
    for targets, at in _ways_on(step, path):
        for number, target in enumerate(targets):
            where: KeyPath = (*at, number) if len(targets) > 1 else at
            if target == END and len(targets) > 1:
                report.add(where, f"{END} among several steps", why="beside others it leads nowhere",
                           suggestion="take it away")
            elif target != END and target not in steps:
                report.add(where, f"unknown step '{target[:60]}'", suggestion=hint(target, (*steps, END)))
    for number, other in enumerate(forms.steps(step.get("after"))):
        where = (*path, "after", *((number,) if isinstance(step.get("after"), list) else ()))
        if other not in steps:
            report.add(where, f"unknown step '{other[:60]}'", suggestion=hint(other, steps))
        elif not _leads(other, name, steps):
            words = " and ".join(word for word in ("then", "routes") if word in _mapping(steps[other]))
            report.add(where, f"step {other} does not lead to {name}", why=f"its {words} says where it leads",
                       suggestion=f"add {name} there, or remove it")
    error = step.get("on_error")
    if isinstance(error, str) and error not in (*steps, END):
        report.add((*path, "on_error"), f"unknown step '{error[:60]}'", suggestion=hint(error, (*steps, END)))


def check_names(name: str, into: Any, path: KeyPath, steps: Mapping[str, Any], report: Report) -> None:
    """Report a step or a growing list that has the name of something else."""
    if isinstance(into, str) and (into in steps or into in SCOPE_WORDS):
        report.add((*path, "into"), f"the list '{into}' has the name of something else", suggestion="call it otherwise")
    if "error" in (name, into) and guarded(steps):
        at: KeyPath = path if name == "error" else (*path, "into")
        report.add(at, "'error' is what went wrong where a step has 'on_error'", key=name == "error",
                   suggestion="call it otherwise")


def guarded(steps: Mapping[str, Any]) -> bool:
    """Whether a step has ``on_error``, so that expressions know the latest ``error``."""
    return any("on_error" in _mapping(step) for step in steps.values())


def lists(steps: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the lists that the steps let grow."""
    found = (_mapping(step).get("into") for step in steps.values())
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str)))


def _ways_on(step: Mapping[str, Any], path: KeyPath) -> Iterator[tuple[tuple[str, ...], KeyPath]]:
    yield forms.steps(step.get("then")), (*path, "then")
    for number, written in enumerate(_list(step.get("routes"))):
        at: KeyPath = (*path, "routes", number) if isinstance(written, str) else (*path, "routes", number, "to")
        yield forms.steps(forms.route(written).get("to")), at


def _leads(step: str, to: str, steps: Mapping[str, Any]) -> bool:
    return any(to in forms.steps(way.get("to")) for way in forms.ways(step, _mapping(steps[step]), steps))


def _expression(written: Any) -> Expression | None:
    if not isinstance(written, str):
        return None
    try:
        return Expression.parse(written)
    except ExpressionError:
        return None  # reported by its shape


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
