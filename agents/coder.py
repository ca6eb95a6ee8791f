"""The coder: a question about figures becomes one SQL SELECT over the tables at hand."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import UnderstudyError
from ..core.fields import Grammar, Record
from ..core.prompts import Prompt
from .links import ValueIndex, numbers, places
from .messages import Message, Query, Source, Task
from .role import Ask, Context, Role
from .sql import NOTHING, Condition, Literals, Schema, grammar
from .tools import Cell, Rows, SqlTool, ToolError
from .wording import as_read

DOES = "figures, counts, averages and comparisons from a table, by SQL"
_NO_COLUMN = "not in my tables"
_SHOWN = 4
_LINKED = 8


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


class Coder(Role):
    """The shipped role ``coder``: takes a :class:`Task`, gives a :class:`Query` with the SQL that was run."""

    def __init__(self) -> None:
        super().__init__("coder", DOES, Task, Query, tools=("sql",))

    def prepare(self, message: Any, context: Context, error: str = "") -> tuple[Prompt, Record]:
        """See :func:`compose`; ``error`` is the complaint about a first attempt."""
        tool = _tool(context)
        asked = unicodedata.normalize("NFKC", " ".join(message.request.split()))  # places are counted in one form
        columns, given = tool.given(message.given)
        literals = Literals(self._conditions(asked, context), numbers(asked), columns, places(asked))
        return compose(tool.schema(), literals, given, as_read(asked), error)

    def finish(self, values: Mapping[str, Any], message: Any, context: Context, attempts: int = 1) -> Message:
        """The result of the SQL in words and rows; abstained where it failed or found nothing."""
        sql = values["sql"].strip()
        try:
            rows = self._run(sql, message, context)
        except ToolError as error:
            return Query(answer=f"the query failed: {error.what}", abstained=True, sql=sql, columns=(), rows=(),
                         attempts=attempts)  # fmt: skip
        source = Source(title=_tool(context).path.name, text=sql, source="sql")
        return Query(
            answer=_NO_COLUMN if sql == NOTHING else "nothing found" if rows.empty else in_words(rows),
            values=() if rows.empty else tuple(dict.fromkeys(plain(row[0]) for row in rows.rows if row[0] is not None)),
            sources=(source,),
            abstained=rows.empty,
            sql=sql,
            columns=rows.columns,
            rows=rows.rows,
            attempts=attempts,
        )

    async def handle(self, message: Any, context: Context, ask: Ask) -> Message:
        """Write, run, and once more with the message where the first attempt failed or found nothing."""
        reply = await ask(*self.prepare(message, context))
        # In a thread, so that a long query holds nobody up, and is given up when nobody waits for it.
        sql = reply.values["sql"].strip()
        problem = "" if sql == NOTHING else await asyncio.to_thread(self._problem, sql, message, context)
        attempts = 1
        if problem:
            complained = complaint(problem, sql)
            reply = await ask(*self.prepare(message, context, complained))
            attempts = 2
        found = await asyncio.to_thread(self.finish, reply.values, message, context, attempts)
        return found.model_copy(update={"confidence": reply.confidence})

    def _conditions(self, request: str, context: Context) -> tuple[Condition, ...]:
        """Values that the request names, under another name as well where the store knows it (UK, Ivory Coast)."""
        index = _tool(context).index
        found = index.matches(request)
        if context.store:
            named = context.store.link(request)
            found = otherwise(request, found, index, [(one.start, one.end, one.entity) for one in named])
        every: dict[Condition, None] = {}
        for _, _, conditions in found:
            every |= dict.fromkeys(conditions)
        return tuple(every)[:_LINKED]

    def _run(self, sql: str, message: Any, context: Context) -> Rows:
        tool = _tool(context)
        return tool.execute(sql, tool.given(message.given)[1])

    def _problem(self, sql: str, message: Any, context: Context) -> str:
        try:
            return "no rows" if self._run(sql, message, context).empty else ""
        except ToolError as error:
            return error.what


Match = tuple[int, int, tuple[Condition, ...]]


def otherwise(
    request: str, found: list[Match], index: ValueIndex, named: Sequence[tuple[int, int, str]]
) -> list[Match]:
    """The matches of a request, with those that it has when names that the store knows are said as it says them.

    ``request`` is in the form NFKC. A longer match takes the place of those inside it ("US dollar": not the United
    States, the United States dollar).
    """
    for start, end, entity in named:
        if any(first <= start and end <= last and last - first > end - start for first, last, _ in found):
            continue  # "American" of "South American"
        said = f"{request[:start]}{entity}{request[end:]}"
        grown = len(entity) - (end - start)
        for first, last, conditions in index.matches(said):
            if first <= start and start + len(entity) <= last:
                here = (first, last - grown, conditions)
                inside = [one for one in found if here[0] <= one[0] and one[1] <= here[1]]
                if not inside or here[1] - here[0] > max(one[1] - one[0] for one in inside):
                    found = sorted([*(one for one in found if one not in inside), here], key=lambda one: one[:2])
    return found


def _tool(context: Context) -> SqlTool:
    tool = context.tools.get("sql")
    if not isinstance(tool, SqlTool):
        raise UnderstudyError("the coder has no tables", where="coder", mend="give it tools: [{sql: FILE}]")
    return tool


def plain(cell: Cell) -> str:
    """A cell as a value that other steps can look up: numbers without thousands separators."""
    if isinstance(cell, float):
        return (
            str(int(cell))
            if cell == int(cell) and abs(cell) < 1e15
            else f"{cell:.4g}"
            if abs(cell) < 1
            else f"{cell:.2f}"
        )
    return "" if cell is None else str(cell)


def _shown(cell: Cell, column: str) -> str:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if isinstance(cell, int) and "year" in column or abs(cell) < 1000:
            return plain(cell)
        return f"{round(cell):,}" if abs(cell) >= 1000 else plain(cell)
    return "unknown" if cell is None else str(cell)


def in_words(rows: Rows, most: int = 30) -> str:
    """The rows as one line: ``Andorra, Belgium`` or ``Chad: 16,425,864; Niger: 22,442,948``."""
    shown = []
    for row in rows.rows[:most]:
        cells = [_shown(cell, column) for cell, column in zip(row, rows.columns, strict=True)]
        shown.append(cells[0] if len(cells) == 1 else f"{cells[0]}: {', '.join(cells[1:])}")
    left = len(rows.rows) - most
    text = ("; " if len(rows.columns) > 1 else ", ").join(shown)
    return text + (f" and {left}{' or' if rows.more else ''} more" if left > 0 else "")
