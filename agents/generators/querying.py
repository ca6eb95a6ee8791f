"""Questions about tables and their SQL, over invented worlds: what the coder learns from."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from ...core.prompts import Example
from ..coder import complaint, compose
from ..links import fold, numbers, places
from ..sql import Literals, Schema
from . import questions, wrappers, written_queries
from .asking import Question
from .phrases import slip
from .worlds import World, a_domain, make_table

WRITTEN = 0.6
"""Of the questions, those in words that people wrote down; the others are put together."""


@dataclass(frozen=True)
class Asked:
    """A question over a world with its SQL, and what earlier steps gave."""

    world: World
    request: str
    sql: str
    given: tuple[str, ...]
    literals: Literals
    schema: Schema


def ask(rng: random.Random, world: World | None = None, given: bool | None = None) -> Asked:
    """A question that the rules can ground: every literal of its SQL was linked in the request."""
    while True:
        question: Question | None
        if rng.random() < WRITTEN:
            found = written_queries.question(rng, world, rng.random() < 0.15 if given is None else given)
            if found is None:
                continue
            here, question = found
        else:
            here = world or make_table(rng, a_domain(rng), rng.randint(5, 18))
            with_given = rng.random() < 0.24 if given is None else given
            question = questions.question(rng, here, with_given)
        if question is None:
            continue
        request = question.text
        if world is None and rng.random() < wrappers.RATE:  # the planner's requests get their own
            named = wrappers.beside_the_point(rng, request, here) if rng.random() < wrappers.BESIDE else None
            request = "".join(named or wrappers.around(rng, request, *wrappers.questions(here.domain)))
        if rng.random() < 0.05:
            request = slip(rng, request, question.keep)
        if rng.random() < 0.12:
            request = request.lower()
        literals = Literals(
            here.index.link(request),
            numbers(request),
            {here.table.name: here.key} if question.given else {},
            places(request),
        )
        texts = {condition.sql() for condition in literals.conditions}
        grounded = all(needed in texts for needed in question.conditions)
        if grounded and set(literals.numbers).issuperset(question.figures) and _placed(question.sql, literals):
            sql = _ordered(question.sql, literals, question.conditions)
            return Asked(here, request, sql, question.given, literals, here.schema)


def _placed(sql: str, literals: Literals) -> bool:
    """Whether the place in an order that the SQL asks for was found in the request, and was not misspelt."""
    offset = re.search(r"OFFSET (\d+)", sql)
    return offset is None or int(offset[1]) + 1 in literals.places


def _ordered(sql: str, literals: Literals, needed: tuple[str, ...]) -> str:
    """Linked conditions joined by AND stand in the order in which the prompt lists them."""
    if len(needed) < 2:
        return sql
    order = [condition.sql() for condition in literals.conditions]
    best = sorted(needed, key=order.index)
    joined, wanted = " AND ".join(needed), " AND ".join(best)
    return sql.replace(joined, wanted)


def example(rng: random.Random) -> Example:
    """One question with its SQL; now and then a second table, now and then a second attempt."""
    asked = ask(rng)
    schema, literals = asked.schema, asked.literals
    if rng.random() < 0.1:
        schema, literals = _beside(rng, asked)
    error = ""
    if rng.random() < 0.08:
        error = _failed(rng, asked)
    prompt, record = compose(schema, literals, asked.given, asked.request, error)
    return Example(prompt, record, {"sql": asked.sql})


def _beside(rng: random.Random, asked: Asked) -> tuple[Schema, Literals]:
    """A second table that the question is not about."""
    other = make_table(rng, a_domain(rng), 6, 2, 4)
    if other.table.name == asked.world.table.name:
        return asked.schema, asked.literals
    tables = [*asked.schema.tables, other.table]
    if rng.random() < 0.5:
        tables.reverse()
    return Schema(tuple(tables)), asked.literals


def _failed(rng: random.Random, asked: Asked) -> str:
    """A wrong first attempt with its message: a condition on the wrong column, or one too many."""
    columns = asked.world.columns
    linked = [condition.sql() for condition in asked.literals.conditions]
    wrong = asked.sql
    extra = [text for text in linked if text not in asked.sql]
    if extra and " WHERE " in wrong:
        wrong = wrong.replace(" WHERE ", f" WHERE {rng.choice(extra)} AND ", 1)
    elif " = '" in wrong:
        head, tail = wrong.split(" = '", 1)
        start, _, column = head.rpartition(" ")
        wrong = f"{start} {rng.choice(list(columns) or [column])} = '{tail}"
    elif " AND " in wrong:
        wrong = wrong.replace(" AND ", " AND name = 'x' AND ", 1) if rng.random() < 0.2 else wrong.split(" AND ")[0]
    else:
        wrong = f"SELECT {fold(asked.request).split()[-1]} FROM {asked.world.table.name}"
        return complaint(f"no such column: {wrong.split()[1]}", wrong)
    return complaint("no rows", wrong)
