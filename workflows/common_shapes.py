"""Shapes that stand in several places of a team file: names, counts, expressions, fields, and what a run may use."""

from __future__ import annotations

from .shapes import NAME, Key, Keys, Named, NumberShape, OneOf, TextShape
from .value_shapes import ExpressionShape, FieldTypeShape

PATH = TextShape("a path")
AGENT_NAME = TextShape("an agent's name", NAME, "a name has letters, digits, _ and -")
FUNCTION = TextShape("a registered function's name")
EXPRESSION = ExpressionShape()
FIELDS = Named("field", FieldTypeShape(), least=1)

COUNT = NumberShape(1, whole=True)
SECONDS = NumberShape(0, above=True)

BUDGET = {
    "seconds": Key(NumberShape(0), "how long it may be at work"),
    "messages": Key(COUNT, "how many messages may be handled"),
    "tokens": Key(COUNT, "how many tokens may be read and written"),
}

LIMITS = Keys("limits", {
    **BUDGET,
    "depth": Key(COUNT, "how far a chain of agents that call each other may go within one step"),
    "agents": Key(Named("agent", Keys("a budget", BUDGET), NAME), "what each agent may use, by its name"),
    "on_exceed": Key(OneOf(("stop", "partial", "ask"), "what happens at a limit"),
                     "stop: the run fails; partial: it gives what there is; ask: a person is asked for as much again"),
})
