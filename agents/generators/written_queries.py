"""Questions about tables in the words of people who wrote them down, with their SQL."""

from __future__ import annotations

import random
import re

from ..sql import NOTHING
from .asking import Question
from .templates import COLUMN, GEOGRAPHY_LINES, KEY, SLOT, Filling, Template, column, fill, fits, read, said, world_for
from .worlds import World, a_domain

FILES = ("coder_country", "coder_things")
_SET = "IN (:given)"
_CLAUSES = re.compile(r"SELECT (.+?) FROM t(?: WHERE (.+?))?( GROUP BY .+?)?( ORDER BY .+?)?( LIMIT .+?)?")
_FLAG = re.compile(r"\[([^\[\]]+)\] = '(yes|no)'")
_BETWEEN = re.compile(r"BETWEEN (\S+|\{[^{}]+\}) AND ")
_WITHOUT = 0.07  # of the templates that could, in a table that lacks what they ask for


def question(rng: random.Random, world: World | None, given: bool) -> tuple[World, Question] | None:
    """A written question over ``world`` or one made for it; None where none fits."""
    one = a_domain(rng, GEOGRAPHY_LINES).one if world is None else world.domain.one
    able = [template for template in read(*FILES).get(one, ()) if (_SET in template.right) == given]
    if world is not None:
        able = [template for template in able if fits(template, world)]
    if not able:
        return None
    template = rng.choice(able)
    lacking = _lacking(rng, template) if world is None and rng.random() < _WITHOUT else ""
    here = world or world_for(rng, template, [lacking] if lacking else [])
    return here, asked(rng, here, template, lacking)


def _lacking(rng: random.Random, template: Template) -> str:
    """A column that is asked for, that no slot names, and whose words no other column has."""
    slots = {match[1] for match in SLOT.finditer(template.left)}
    shown = [noun for noun in COLUMN.findall(template.right) if noun != KEY and noun not in slots]
    if not shown or len(shown) != len(set(shown)):
        return ""
    noun = rng.choice(shown)
    mine = next(one for one in template.domain.attributes if one.nouns[0] == noun)
    words = {word for said in mine.nouns for word in said.split()} - {"of", "the", "number"}
    others = (said for one in template.domain.attributes if one is not mine for said in one.nouns)
    return "" if any(words & set(said.split()) for said in others) else noun


def asked(rng: random.Random, world: World, template: Template, lacking: str = "") -> Question:
    """The template over ``world``; where the world is ``lacking`` a column, nothing tells it."""
    found: tuple[str, ...] = ()
    if _SET in template.right:
        found = tuple(rng.sample(world.names, min(len(world.names) - 2, rng.choice((1, 2, 2, 3, 3, 4, 5, 6)))))
    fillings = fill(rng, world, (template.left, template.right), found)
    text = _typed(rng, said(template.left, fillings))
    keep = tuple(filling.words for filling in fillings.values() if filling.condition)
    if lacking or template.right == NOTHING:
        return Question(text, NOTHING, keep=keep)
    conditions = _needed(world, template, fillings)
    figures = tuple(filling.figure for slot, filling in fillings.items() if filling.figure and slot in template.right)
    return Question(text, _sql(world, template, fillings), conditions, figures, found, keep)


def _needed(world: World, template: Template, fillings: dict[str, Filling]) -> tuple[str, ...]:
    """The conditions of its values, in the order of the sentence."""
    order = [match.group() for match in SLOT.finditer(template.left)]
    used = [slot for slot in order if slot in template.right or slot.replace("~", "") in template.right]
    named = [fillings[slot].condition for slot in used]
    flags = [f"{column(world, noun)} = '{value}'" for noun, value in _FLAG.findall(template.right)]
    return tuple(dict.fromkeys([*(condition.sql() for condition in named if condition), *flags]))


def _sql(world: World, template: Template, fillings: dict[str, Filling]) -> str:
    """The SQL in the one spelling of :mod:`..sql`, conditions in the order in which prompts list them."""
    match = _CLAUSES.fullmatch(" ".join(template.right.split()))
    if match is None:
        raise ValueError(f"{template.where}: {template.right!r} is no query")
    shown, where, *rest = match.groups()
    order = [match.group().replace("~", "") for match in SLOT.finditer(template.left)]
    conditions = _parted(where or "")
    conditions.sort(key=lambda condition: _place(condition, order))
    clauses = [_condition(world, condition, order, fillings) for condition in conditions]
    sql = f"SELECT {_condition(world, shown, order, fillings)} FROM t"
    sql += (" WHERE " + " AND ".join(clauses) if clauses else "") + "".join(filter(None, rest))
    sql = SLOT.sub(lambda slot: fillings[slot.group()].figure, sql)
    sql = COLUMN.sub(lambda found: column(world, found[1]), sql)
    sql = re.sub(r"\bFROM t\b", f"FROM {world.table.name}", sql)
    return re.sub(r"\b(AVG|SUM|MIN|MAX)\(\s*", r"\1( ", sql)


def _parted(where: str) -> list[str]:
    """The conditions between the ANDs that stand outside parentheses."""
    where = _BETWEEN.sub(r"BETWEEN \1 & ", where)
    found, depth, start = [], 0, 0
    for place, letter in enumerate(where):
        depth += (letter == "(") - (letter == ")")
        if not depth and where.startswith(" AND ", place):
            found.append(where[start:place])
            start = place + len(" AND ")
    return [part.replace(" & ", " AND ") for part in [*found, where[start:]] if part]


def _place(condition: str, order: list[str]) -> tuple[int, int]:
    """What was given first, then values as the sentence names them, then what is compared."""
    if _SET in condition:
        return 0, 0
    if re.search(r" (!?=|(NOT )?LIKE) ['{]", condition) and "(SELECT" not in condition:
        slots = [order.index(match.group()) for match in SLOT.finditer(condition) if match.group() in order]
        return 1, min(slots, default=len(order))
    return 2, 0


def _condition(world: World, condition: str, order: list[str], fillings: dict[str, Filling]) -> str:
    """One condition with its values; alternatives in the order of the sentence."""
    if condition.startswith("(") and " OR " in condition:
        either = condition.strip("() ").split(" OR ")
        either.sort(key=lambda part: _place(part, order))
        return "( " + " OR ".join(_condition(world, part, order, fillings) for part in either) + ")"

    def valued(match: re.Match[str]) -> str:
        filling = fillings[match[3]]
        if filling.condition is None:
            return match.group()
        return filling.condition.negated() if match[2] in ("!=", "NOT LIKE") else filling.condition.sql()

    return re.sub(r"(\[[^\[\]]+\]) (!?=|(?:NOT )?LIKE) (\{[^{}]+\})", valued, condition)


def _typed(rng: random.Random, text: str) -> str:
    """Now and then with another ending or beginning than its writer's."""
    if rng.random() < 0.2:
        text = text.rstrip("?.! ") if rng.random() < 0.5 else text.rstrip("?.! ") + "?"
    if rng.random() < 0.2:
        text = text[0].upper() + text[1:]
    return text
