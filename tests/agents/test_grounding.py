"""On the travel desk's own table: what people ask can be written, since its literals are found by rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import llguidance
import pytest

from understudy.agents.coder import Coder
from understudy.agents.messages import Task
from understudy.agents.role import Context
from understudy.agents.tools import SqlTool
from understudy.core.fields import Grammar

ASKED = [
    ("Which neighbours of France use the euro?", ("Andorra", "Spain", "Switzerland"),
     "SELECT name FROM countries WHERE name IN (:given) AND currency_name = 'Euro'"),
    ("What is the average population of the countries in South America?", (),
     "SELECT AVG( population) FROM countries WHERE continent = 'South America'"),
    ("How many African countries speak French?", (),
     "SELECT COUNT(*) FROM countries WHERE continent = 'Africa' AND languages LIKE '%French%'"),
    ("Which European countries drive on the left?", (),
     "SELECT name FROM countries WHERE continent = 'Europe' AND driving_side = 'left'"),
    ("the three largest countries of Asia", (),
     "SELECT name FROM countries WHERE continent = 'Asia' ORDER BY area_km2 DESC LIMIT 3"),
    ("Which countries with more than 150 million people use a dollar?", (),
     "SELECT name FROM countries WHERE currency_name LIKE '%dollar%' AND population > 150000000"),
    ("is Kenya bigger than Chad", (),
     "SELECT name FROM countries WHERE ( name = 'Kenya' OR name = 'Chad') ORDER BY area_km2 DESC LIMIT 1"),
    ("countries smaller than Malta", (),
     "SELECT name FROM countries WHERE area_km2 < (SELECT area_km2 FROM countries WHERE name = 'Malta')"),
    ("most densely populated country of Oceania", (),
     "SELECT name FROM countries WHERE continent = 'Oceania' ORDER BY population * 1.0 / area_km2 DESC LIMIT 1"),
    ("total population of the countries that border Chad", ("Niger", "Libya", "Sudan"),
     "SELECT SUM( population) FROM countries WHERE name IN (:given)"),
    ("Which continent has the most countries?", (),
     "SELECT continent FROM countries GROUP BY continent ORDER BY COUNT(*) DESC LIMIT 1"),
    ("Which country has the code JP?", (), "SELECT name FROM countries WHERE iso2 = 'JP'"),
    ("Asian countries with between 5 and 10 million inhabitants", (),
     "SELECT name FROM countries WHERE continent = 'Asia' AND population BETWEEN 5000000 AND 10000000"),
    ("What currency does Côte d'Ivoire's neighbour Ghana have?", (),
     "SELECT currency_name FROM countries WHERE name = 'Ghana'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def desk(checkout: Path) -> Iterator[Context]:
    tool = SqlTool(checkout / "examples" / "travel_desk" / "data" / "countries.csv")
    yield Context(None, {"sql": tool})
    tool.close()


@pytest.mark.parametrize(("request_", "given", "sql"), ASKED, ids=[asked[0][:30] for asked in ASKED])
def test_the_sql_for_a_request_can_be_written_and_finds_something(
    desk: Context, request_: str, given: tuple[str, ...], sql: str
) -> None:
    task = Task(request=request_, given=given)
    prompt, record = Coder().prepare(task, desk)
    lark = dict(record.fields)["sql"]
    assert isinstance(lark, Grammar)
    tokenizer = llguidance.LLTokenizer("byte")
    matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_lark(lark.lark))
    tokens = tokenizer.tokenize_str(sql)
    assert matcher.try_consume_tokens(tokens) == len(tokens), (prompt.message, matcher.get_error())
    assert matcher.is_accepting()
    found = Coder().finish({"sql": sql}, task, desk)
    assert not found.abstained, found.answer


def test_list_columns_of_the_desk_are_lists(desk: Context) -> None:
    tool = desk.tools["sql"]
    assert isinstance(tool, SqlTool)
    (table,) = tool.schema().tables
    assert {column.name for column in table.columns if column.kind == "list"} == {"languages"}
    numeric = {column.name for column in table.columns if column.kind == "number"}
    assert {"area_km2", "population", "population_year"} <= numeric
