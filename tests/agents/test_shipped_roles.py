"""Coder, reader and recommender: what they look up for a message, and what they make of a head's choices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from understudy.agents.coder import Coder, in_words, otherwise, plain
from understudy.agents.links import ValueIndex
from understudy.agents.messages import Finding, Query, Ranking, Task
from understudy.agents.qa import Evidence, Reader
from understudy.agents.recommender import Recommender
from understudy.agents.role import Context
from understudy.agents.sql import Column
from understudy.agents.tools import Rows, SqlTool
from understudy.core.errors import UnderstudyError
from understudy.core.fields import Grades, Grammar, Record, Span, SpanValue
from understudy.core.prompts import Passage, Prompt
from understudy.core.rows import Picked
from understudy.knowledge import KnowledgeStore

COUNTRIES = """name,continent,population,languages
Chad,Africa,16000000,"Arabic, French"
Niger,Africa,22000000,French
Mali,Africa,19000000,French
Spain,Europe,47000000,Spanish
Andorra,Europe,77000,"Catalan, French"
"""
TRIPLES = """subject,relation,object
Chad,is_a,country
Niger,is_a,country
Mali,is_a,country
Spain,is_a,country
Andorra,is_a,country
Niger,also_called,Land of Agadez
Chad,borders,Niger
Niger,borders,Chad
Niger,borders,Mali
Mali,borders,Niger
Spain,borders,Andorra
Andorra,borders,Spain
Chad,lies_in,Africa
Niger,lies_in,Africa
Mali,lies_in,Africa
Spain,lies_in,Europe
Andorra,lies_in,Europe
Chad,speaks,French
Niger,speaks,French
Mali,speaks,French
Andorra,speaks,Catalan
Madrid,capital_of,Spain
"""
BRIEFS = """title,text
Mali,"Mali lies in Western Africa and its capital is Bamako. It borders Niger and Senegal."
Spain,"The capital of Spain is Madrid. People pay with the euro."
"""


@dataclass
class Reply:
    """What a decoder would answer."""

    values: Mapping[str, Any]
    confidence: float = 0.75
    tokens: int = 1
    seconds: float = 0.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Context]:
    for name, text in (("countries", COUNTRIES), ("triples", TRIPLES), ("briefs", BRIEFS)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    with KnowledgeStore.open() as store:
        store.add(tmp_path / "triples.csv", tmp_path / "briefs.csv")
        yield Context(store, {"sql": SqlTool(tmp_path / "countries.csv")})


def run(role: Any, message: Any, context: Context, *answers: Callable[[Prompt, Record], dict[str, Any]]) -> Any:
    """Let the role handle a message; each call to its head takes the next answer. Returns output and prompts."""
    left, prompts = list(answers), []

    async def ask(prompt: Prompt, record: Record) -> Reply:
        prompts.append(prompt)
        return Reply(left.pop(0)(prompt, record))

    output = asyncio.run(role.handle(message, context, ask))
    assert not left
    return output, prompts


def part(prompt: Prompt, name: str) -> str:
    return dict(prompt.message).get(name, "")


# coder


def test_the_coder_reads_schema_values_numbers_and_what_was_given(desk: Context) -> None:
    task = Task(request="Which  neighbours of Chad in Africa have over 20 million people?", given=("niger", "Mali"))
    prompt, record = Coder().prepare(task, desk)
    assert part(prompt, "tables") == "countries: name, continent, population number, languages list"
    assert part(prompt, "request") == "Which neighbours of Chad in Africa have over 20 million people?"
    assert part(prompt, "values") == "name = 'Chad'; continent = 'Africa'"
    assert part(prompt, "numbers") == "20000000"
    assert part(prompt, "given") == "name IN (:given): Niger, Mali"
    assert isinstance(dict(record.fields)["sql"], Grammar)


def test_another_name_is_linked_through_the_graph(desk: Context) -> None:
    prompt, _ = Coder().prepare(Task(request="population of the Land of Agadez"), desk)
    assert "name = 'Niger'" in part(prompt, "values")
    dotted, _ = Coder().prepare(Task(request="Hmm… population of the Land of Agadez"), desk)
    assert "name = 'Niger'" in part(dotted, "values"), "the dots are three characters in the form that is linked"
    bare = Context(None, desk.tools)
    assert part(Coder().prepare(Task(request="population of the Land of Agadez"), bare)[0], "values") == ""


def test_what_no_column_tells_is_not_asked_twice(desk: Context) -> None:
    found, prompts = run(Coder(), Task(request="GDP of Niger"), desk, lambda p, r: {"sql": " SELECT NULL"})
    assert (found.answer, found.abstained, found.values) == ("not in my tables", True, ())
    assert (found.attempts, len(prompts)) == (1, 1)


def test_a_longer_name_takes_the_place_of_a_shorter_one() -> None:
    """US dollar: not the United States; South American: not America; UK: as the table says it."""
    index = ValueIndex()
    index.add("t", Column("name", "text"), ["United States", "United Kingdom", "Chile"])
    index.add("t", Column("continent", "text"), ["South America", "Europe"])
    index.add("t", Column("currency", "text"), ["United States dollar", "Chilean peso"])
    index.add("t", Column("code", "text"), ["US", "CL"])

    def linked(request: str, *named: tuple[str, str]) -> list[str]:
        mentions = [(request.index(said), request.index(said) + len(said), entity) for said, entity in named]
        found = otherwise(request, index.matches(request), index, mentions)
        assert found == sorted(found, key=lambda one: one[:2])
        return [condition.sql() for _, _, conditions in found for condition in conditions]

    assert linked("who uses the US dollar", ("US", "United States")) == ["currency = 'United States dollar'"]
    assert linked("South American states", ("American", "United States")) == ["continent = 'South America'"]
    assert linked("UK or Chile", ("UK", "United Kingdom")) == ["name = 'United Kingdom'", "name = 'Chile'"]
    assert linked("the code US", ("US", "United States")) == ["code = 'US'"]


def test_the_coder_runs_what_the_head_wrote(desk: Context) -> None:
    sql = "SELECT name, population FROM countries WHERE name IN (:given) AND population > 20000000"
    found, _ = run(
        Coder(), Task(request="over 20 million?", given=("Niger", "Mali")), desk, lambda p, r: {"sql": " " + sql}
    )
    assert isinstance(found, Query)
    assert (found.sql, found.columns, found.rows, found.attempts) == (
        sql,
        ("name", "population"),
        (("Niger", 22000000),),
        1,
    )
    assert (found.answer, found.values, found.confidence) == ("Niger: 22,000,000", ("Niger",), 0.75)
    assert [(source.title, source.text, source.source) for source in found.sources] == [("countries.csv", sql, "sql")]


def test_an_empty_result_goes_back_once_with_the_message(desk: Context) -> None:
    first = "SELECT name FROM countries WHERE continent = 'Asia'"
    second = "SELECT name FROM countries WHERE continent = 'Europe'"
    found, prompts = run(
        Coder(), Task(request="countries in Europe"), desk, lambda p, r: {"sql": first}, lambda p, r: {"sql": second}
    )
    assert (found.answer, found.attempts) == ("Spain, Andorra", 2)
    assert [part(prompt, "error") for prompt in prompts] == ["", f"no rows: {first}"]


def test_an_error_goes_back_once_and_then_the_coder_abstains(desk: Context) -> None:
    found, prompts = run(
        Coder(),
        Task(request="x"),
        desk,
        lambda p, r: {"sql": "SELECT a FROM countries"},
        lambda p, r: {"sql": "DROP TABLE countries"},
    )
    assert part(prompts[1], "error") == "no such column: a: SELECT a FROM countries"
    assert found.abstained and "not authorized" in found.answer and found.values == ()
    twice, _ = run(
        Coder(), Task(request="x"), desk, *[lambda p, r: {"sql": "SELECT name FROM countries WHERE 1 = 0"}] * 2
    )
    assert (twice.answer, twice.abstained, twice.attempts) == ("nothing found", True, 2)


def test_rows_in_words() -> None:
    assert in_words(Rows(("name",), (("Chad",), ("Mali",)))) == "Chad, Mali"
    assert in_words(Rows(("AVG(population)",), ((1234567.891,),))) == "1,234,568"
    assert in_words(Rows(("name", "population_year"), (("Chad", 2018),))) == "Chad: 2018"
    assert in_words(Rows(("n",), tuple((f"c{i}",) for i in range(33)))).endswith("c29 and 3 more")
    assert [plain(cell) for cell in (3.0, 2.5, 0.00012345, None, "x", 7)] == ["3", "2.50", "0.0001234", "", "x", "7"]


def test_the_coder_needs_tables() -> None:
    with pytest.raises(UnderstudyError, match="no tables"):
        Coder().prepare(Task(request="x"), Context())


# qa


def test_the_reader_reads_facts_then_texts(desk: Context) -> None:
    prompt, _ = Reader().prepare(Task(request="Which countries border Niger?"), desk)
    texts = [passage.text for passage in prompt.passages]
    assert texts[:3] == ["Niger borders: Chad, Mali", "Niger lies in: Africa", "Niger speaks: French"]
    assert texts[3].startswith("Mali lies in Western Africa")
    assert part(prompt, "question") == "Which countries border Niger?" and part(prompt, "given") == ""


def test_what_was_given_is_looked_up_first(desk: Context) -> None:
    prompt, _ = Reader().prepare(
        Task(request="Which countries border the smallest country in Europe?", given=("Andorra",)), desk
    )
    assert prompt.passages[0].text == "Andorra borders: Spain"
    assert part(prompt, "given") == "Andorra"


def test_the_answer_cites_its_span(desk: Context) -> None:
    def answer(prompt: Prompt, record: Record) -> dict[str, Any]:
        return {"answer": SpanValue(0, 15, 25, prompt.passages[0].text[15:25])}

    found, _ = run(Reader(), Task(request="neighbours of Niger"), desk, answer)
    assert isinstance(found, Finding) and not found.abstained
    assert (found.answer, found.values) == ("Chad, Mali", ("Chad", "Mali"))
    (source,) = found.sources
    assert (source.title, source.source, source.text[source.start : source.end]) == ("Niger", "graph", "Chad, Mali")


def test_names_of_several_words_and_values_of_facts_are_known_to_the_reader(desk: Context, tmp_path: Path) -> None:
    prompt, _ = Reader().prepare(Task(request="Which countries border Niger?"), desk)
    facts = prompt.passages[0]
    assert facts.listed and [facts.text[a:b] for a, b in facts.names] == ["Chad", "Mali"]
    assert desk.store is not None
    file = tmp_path / "more.csv"
    file.write_text("subject,relation,object\nMali,lies_in,Western Africa\n", encoding="utf-8")
    desk.store.add(file)
    prompt, _ = Reader().prepare(Task(request="Where does Mali lie?"), desk)
    text = next(passage for passage in prompt.passages if passage.source != "graph" and passage.title == "Mali")
    assert not text.listed and [text.text[a:b] for a, b in text.names] == ["Western Africa"]


def test_a_list_in_a_text_becomes_its_entities(desk: Context) -> None:
    def answer(prompt: Prompt, record: Record) -> dict[str, Any]:
        at = next(i for i, passage in enumerate(prompt.passages) if "Senegal" in passage.text)
        start = prompt.passages[at].text.index("Niger and")
        return {"answer": SpanValue(at, start, start + 17, "Niger and Senegal")}

    found, _ = run(Reader(), Task(request="What does Mali border?"), desk, answer)
    assert found.values in (("Niger", "Senegal"), ("Niger and Senegal",))
    assert found.sources[0].title == "Mali"


def test_not_in_the_sources(desk: Context) -> None:
    found, _ = run(Reader(), Task(request="Who rules Mars?"), desk, lambda p, r: {"answer": None})
    assert (found.answer, found.abstained, found.values, found.sources) == ("not in my sources", True, (), ())


def test_the_reader_needs_knowledge() -> None:
    with pytest.raises(UnderstudyError, match="no knowledge"):
        Reader().prepare(Task(request="x"), Context())


# recommender


def test_candidates_share_facts_and_were_not_mentioned(desk: Context) -> None:
    mentioned, candidates, _ = Recommender().choices(Task(request="I loved Chad. Where next?"), desk)
    assert (mentioned, candidates) == (["Chad"], ["Mali", "Niger"])
    _, record = Recommender().prepare(Task(request="I loved Chad. Where next?"), desk)
    shown = (
        "Mali: borders Niger, lies in Africa, speaks French", "Niger: borders Chad, lies in Africa, speaks French",
    )  # fmt: skip
    assert dict(record.fields)["places"] == Grades(("Mali", "Niger"), shown=shown)


def test_reasons_are_the_facts_in_common(desk: Context) -> None:
    grades = {"Mali": 1.25, "Niger": 3.5}
    found, _ = run(
        Recommender(), Task(request="I loved Chad"), desk, lambda p, r: {"liked": ["Chad"], "places": grades}
    )
    assert isinstance(found, Ranking)
    assert (found.answer, found.values, found.liked) == ("Niger, Mali", ("Niger", "Mali"), ("Chad",))
    assert [place.score for place in found.places] == [3.5, 1.25]
    assert found.places[0].reasons == ("borders Chad", "lies in Africa", "speaks French")
    assert found.sources[0].text == "Niger borders Chad"


def test_what_an_earlier_step_found_was_liked(desk: Context) -> None:
    task = Task(request="I liked the smallest country in Europe", given=("andorra",))
    assert Recommender().choices(task, desk)[:2] == (["Andorra"], ["Spain"])


def test_visited_places_are_left_out(desk: Context, tmp_path: Path) -> None:
    path = tmp_path / "trips.csv"
    path.write_text("place,year\nland of agadez,2019\n", encoding="utf-8")
    been = Context(desk.store, desk.tools, options={"history": str(path)})
    assert Recommender().choices(Task(request="I loved Chad"), been)[1] == ["Mali"]
    with pytest.raises(UnderstudyError, match="history cannot be read"):
        Recommender().choices(Task(request="I loved Chad"), Context(desk.store, options={"history": "none.csv"}))


def test_nothing_named_nothing_suggested(desk: Context) -> None:
    found, prompts = run(Recommender(), Task(request="Where next?"), desk)
    assert found.abstained and found.places == () and prompts == []


def test_the_reader_sums_what_a_fact_and_a_text_say() -> None:
    """A second passage that says the same makes it surer, one that says otherwise and is surer wins."""
    fact = Passage("", "capital of Mali: Bamako", "graph", listed=True)
    text = Passage("Mali", "Its capital is bamako; Mopti is a port.", "brief")
    evidence = [Evidence(fact, "Mali", ("Bamako",)), Evidence(text, "Mali")]

    class Shown(Reader):
        def evidence(self, message: Any, context: Context) -> list[Evidence]:
            return evidence

    def answered(words: str) -> Any:
        chances = {"capital of Mali": 0.5, "Mali": 0.4, "": 0.1}

        async def ask(prompt: Prompt, record: Record) -> Any:
            ((name, span),) = record.fields
            assert isinstance(span, Span)
            if span.headings:
                at = text.text.index(words)
                return Reply({name: SpanValue(1, at, at + len(words), words)}, 0.9)
            picks = (Picked("answer#", "capital of Mali", 0.5, chances),)
            return SimpleNamespace(values={name: SpanValue(0, 17, 23, "Bamako")}, confidence=0.3, picks=picks)

        return asyncio.run(Shown().handle(Task(request="capital of Mali?"), Context(), ask))

    same, other = answered("bamako"), answered("Mopti")
    assert (same.answer, same.confidence) == ("bamako", pytest.approx(0.3 + 0.36))
    assert (other.answer, other.confidence, other.sources[0].title) == ("Mopti", pytest.approx(0.36), "Mali")
