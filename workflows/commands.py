"""What the engine commands for one slot of a visit: an effect, a timer, or a question to a person."""

from __future__ import annotations

from typing import Any

from ..core.errors import UnderstudyError
from .expressions import Expression
from .graph import Step
from .items import item_scope
from .scope import Scope
from .state import Ask, Sleep, Start, Visit
from .vector import Vector


def command_for(run: str, step: Step, visit: Visit, index: int, scope: Scope, at: float) -> Start | Sleep | Ask:
    """The command for slot ``index``; ``at`` is now. Raises UnderstudyError for expressions that do not fit."""
    value, item, key = visit.previous, None, f"{run}/{step.name}/{visit.number}"
    if visit.items is not None:
        value, item = visit.items[index], index
        key = f"{key}/{index}"
        found = [visit.slots[need].output for need in visit.needs[index]] if visit.needs else None
        scope = item_scope(scope, value, index, found)
    if step.sleep is not None:
        return Sleep(step.name, visit.number, item, key, at + _seconds(step.sleep.evaluate(scope)), value)
    if step.ask is not None:
        gives = step.ask.gives.message_name if step.ask.gives is not None else None
        text = str(step.ask.text.evaluate(scope))
        return Ask(step.name, visit.number, item, key, text, value, step.ask.choices, gives)
    agent: Any = step.agent
    arguments = {name: one.evaluate(scope) for name, one in step.input.items()} if step.input else None
    if isinstance(step.agent_from, Expression):
        agent = step.agent_from.evaluate(scope)
    elif step.agent_from is not None:
        try:
            agent = step.agent_from(value)
        except Exception as error:
            raise UnderstudyError(f"agent: {type(error).__name__}: {error}") from error
    return Start(step.name, visit.number, item, key, agent, arguments, value, scope.of_effect())


def question_of_limit(run: str, limit: str, granted: int) -> Ask:
    """Asks whether a run that used up ``limit`` may use as much again."""
    text = f"the run used up its {limit}: may it use as much again?"
    return Ask("$limits", granted + 1, None, f"{run}/$limits/{granted + 1}", text, limit, (True, False))


def items_of(each: Expression, scope: Scope) -> tuple[Any, ...]:
    """The items of an ``each``. Raises UnderstudyError for what is no list."""
    found = each.evaluate(scope)
    if not isinstance(found, list | tuple | Vector):
        raise UnderstudyError(f"each: {each} is no list")
    return tuple(found)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UnderstudyError(f"sleep: {value!r} is no number of seconds")
    return float(value)
