"""The coder: a question about figures becomes one SQL SELECT over the tables at hand."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.fields import Grammar, Record
from ..core.prompts import Prompt
from .sql import Literals, Schema, grammar

DOES = "figures, counts, averages and comparisons from a table, by SQL"
_SHOWN = 4


def compose(
    schema: Schema, literals: Literals, given: Sequence[str], request: str, error: str = ""
) -> tuple[Prompt, Record]:
    """What the coder reads and may write; the same for a training example and for a call.

    Args:
        schema: the tables.
        literals: what rules found in the request: conditions, numbers, the column of the given values.
        given: values that earlier steps found; a few are shown, all are bound as ``:given``.
        request: the question.
        error: on the second attempt what was wrong with the first, and its SQL.
    """
    message = [("tables", schema.text()), ("request", request)]
    conditions = [condition.sql() for condition in literals.conditions]
    if conditions:
        message.append(("values", "; ".join(dict.fromkeys(conditions))))
    if literals.numbers:
        message.append(("numbers", ", ".join(literals.numbers)))
    if literals.given:
        columns = dict.fromkeys(f"{column} IN (:given)" for column in literals.given.values())
        more = f" and {len(given) - _SHOWN} more" if len(given) > _SHOWN else ""
        message.append(("given", f"{'; '.join(columns)}: {', '.join(given[:_SHOWN])}{more}"))
    if error:
        message.append(("error", error))
    record = Record((("sql", Grammar(grammar(schema, literals))),))
    return Prompt(message=tuple(message), role="SQL"), record


def complaint(problem: str, sql: str) -> str:
    """What the second attempt reads: what was wrong with the first, and its SQL."""
    return f"{problem[:80]}: {sql}"
