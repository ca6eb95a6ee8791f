"""What every recipe promises: a result or none, never an exception, and nothing that a filter holds back."""

from collections.abc import Iterator

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.results import Hop
from understudy.knowledge.retrieval import RECIPES
from understudy.knowledge.vectors import VectorIndex

QUERIES = ["", "  ", "?!…", "\x00", "\ud800", "日本語", "العربية", "🙂👨‍👩‍👧", "x" * 5000, "of the", "AND OR NOT *"]
ROWS = """{"title": "Peru", "text": "Lima is the capital of Peru.", "lang": "en", "year": 2001}
{"title": "Perú", "text": "Lima es la capital de Perú.", "lang": "es", "year": 2002}
{"title": "Chile", "text": "Santiago is the capital of Chile, a neighbour of Peru.", "lang": ["en", "fr"]}
"""


@pytest.fixture
def store(tmp_path) -> Iterator[KnowledgeStore]:  # type: ignore[no-untyped-def]
    (tmp_path / "rows.jsonl").write_text(ROWS, encoding="utf-8")
    with KnowledgeStore.open(embedder="hashed") as opened:
        opened.add(tmp_path / "rows.jsonl")
        opened.add_facts([Fact("Peru", "borders", "Chile", valid_from="1821", valid_until="2100")])
        yield opened


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: ascii(query)[:9])
@pytest.mark.parametrize("recipe", RECIPES)
def test_no_query_and_no_store_is_an_exception(store: KnowledgeStore, query: str, recipe: str) -> None:
    for asked in (query, f"Peru {query} Chile"):
        found = store.search(asked, 2, recipe, where={"lang": "en"}, namespace="default", as_of="2009", diversity=0.3)
        assert len(found) <= 2
    assert found and store.link(f"Peru {query} Chile")[-1].entity == "Chile"
    with KnowledgeStore.open(embedder="hashed") as empty:
        assert empty.search(query, recipe=recipe) == [] and empty.link(query) == []
        assert empty.facts(query) == [] and empty.entities() == [] and empty.neighbours(query) == []
        assert empty.paths(query, query) == [] and empty.naming(query) == [] and empty.kinds(query) == []
        assert empty.graph().number_of_nodes() == 0 and empty.check() == []
        (one,) = empty.add_passages([Passage("", "One.")])
        assert all(r.passage == one for r in empty.search(query + " one", recipe=recipe))


def test_ten_thousand_words_are_a_query(store: KnowledgeStore) -> None:
    many, again = " ".join(f"word{i}" for i in range(10_000)), "Lima in Peru " * 3_333
    assert len(store.search(f"{many} Lima", 1)) == len(store.search(f"{many} Lima", 1, "hybrid")) == 1
    assert store.search(again, 1, "graph")[0].title in ("Peru", "Perú")


@pytest.mark.parametrize("recipe", RECIPES)
def test_other_scripts_are_found(store: KnowledgeStore, recipe: str) -> None:
    store.add_passages([Passage("日本", "東京 は 日本 の 首都 です"), Passage("مصر", "القاهرة عاصمة مصر")])
    assert store.search("首都", 1, recipe)[0].title == "日本"
    assert store.search("عاصمة", 1, recipe)[0].title == "مصر"


@pytest.fixture
def by_graph_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is alike: what shares no word with the query is then found over the graph or not at all."""
    monkeypatch.setattr(VectorIndex, "search", lambda *_: [])


@pytest.mark.parametrize("recipe", RECIPES)
def test_conditions_hold_for_every_recipe(store: KnowledgeStore, recipe: str) -> None:
    def titles(**where: object) -> set[str]:
        return {r.title for r in store.search("Which is the capital of Peru and Chile?", 9, recipe, where=where)}

    assert titles(lang="en") == {"Peru", "Chile"} and titles(lang="es") == {"Perú"} and titles(lang="de") == set()
    assert titles(year={"gte": 2002}) == {"Perú"} and titles(lang=["es", "fr"]) == {"Perú", "Chile"}
    assert titles(lang={"ne": "en"}) == {"Perú"} and titles(document="rows.jsonl", title="Peru") == {"Peru"}
    assert titles(source={"ne": "rows.jsonl#Peru"}) == {"Perú", "Chile"} and len(titles()) == 3
    with pytest.raises(UnderstudyError, match=r"where\.lang: there is no operator 'like'"):
        titles(lang={"like": "e"})


@pytest.mark.parametrize("recipe", ["graph", "auto"])
def test_a_walk_never_leads_through_what_a_condition_holds_back(by_graph_alone: None, recipe: str) -> None:
    with KnowledgeStore.open(embedder="hashed") as store:
        store.add_passages([Passage("", "We saw Ada near Bob."), Passage("", "We saw Bob near Cid.")], "hidden")
        store.add_passages([Passage("", "Nobody knows what Cid did.")], "shown")
        assert "shown" in {r.document for r in store.search("Ada", 9, recipe)}, "over Bob and Cid"
        assert store.search("Ada", 9, recipe, where={"document": "shown"}) == []
        (found,) = store.search("Cid", 9, recipe, where={"document": "shown"})
        assert found.path[-1] == Hop("passage", "shown#") and "hidden#" not in {hop.name for hop in found.path}


def test_the_way_through_the_graph_is_told(by_graph_alone: None, store: KnowledgeStore) -> None:
    store.add_passages([Passage("Atacama", "The Atacama lies in Chile and is dry.")])
    found = {r.title: r.path for r in store.search("Who is a neighbour of Peru?", 9, "graph")}
    assert found["Peru"][-1] == Hop("passage", "rows.jsonl#Peru") and found["Peru"][0].name in (
        "Peru",
        "rows.jsonl#Peru",
    )
    store.delete("rows.jsonl")
    (told,) = store.search("Peru", 9, "graph")
    assert told.path == (Hop("entity", "Peru"), Hop("entity", "Chile", "borders"), Hop("passage", "notes#Atacama"))
    assert all(r.path == () for recipe in ("lexical", "dense", "hybrid") for r in store.search("Atacama", 9, recipe))


@pytest.mark.parametrize("recipe", ["graph", "auto"])
def test_only_facts_that_held_lead_on(by_graph_alone: None, store: KnowledgeStore, recipe: str) -> None:
    store.delete("rows.jsonl")
    store.add_passages([Passage("Chile", "Santiago.")])
    assert [r.title for r in store.search("Peru", 9, recipe)] == ["Chile"]
    assert [r.title for r in store.search("Peru", 9, recipe, as_of="2099-12-31")] == ["Chile"]
    assert store.search("Peru", 9, recipe, as_of="1820") == store.search("Peru", 9, recipe, as_of="2100") == []
    store.add_facts([Fact("Peru", "fought", "Chile", valid_from="1879", valid_until="1884")])
    (told,) = store.search("Peru", 9, recipe, as_of="1880")
    assert told.path[1].relation in ("borders", "fought")
    assert store.update_fact(Fact("Peru", "borders", "Chile"), Fact("Peru", "borders", "Chile", "", "1885"))
    assert store.search("Peru", 9, recipe, as_of="1880")[0].path[1].relation == "fought"


def test_what_is_out_of_its_range_is_told(store: KnowledgeStore) -> None:
    for diversity in (-0.1, 1.1, float("nan")):
        with pytest.raises(UnderstudyError, match="diversity is a number from 0 to 1"):
            store.search("Peru", diversity=diversity)
    for as_of in ("soon", ""):
        with pytest.raises(UnderstudyError, match="no.* date or time"):
            store.search("Peru", as_of=as_of)
