import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, HashedEmbedder, KnowledgeStore
from understudy.knowledge.retrieval import RECIPES

BRIEFS = """title,text
Peru,"Lima is the capital of Peru. It borders Chile."
Chile,"Santiago is the capital of Chile. People pay with the Chilean peso."
Japan,"Tokyo is the capital of Japan. It has no land borders."
"""
FACTS = """subject,relation,object
Peru,is_a,country
Chile,is_a,country
Japan,is_a,country
Peru,borders,Chile
Chile,borders,Peru
Japan,pays_with,Japanese yen
Japan,also_called,Nippon
Peru,also_called,Peruvian
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "briefs.csv").write_text(BRIEFS, encoding="utf-8")
    (tmp_path / "facts.csv").write_text(FACTS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def store(desk: Path):  # type: ignore[no-untyped-def]
    with KnowledgeStore.open(desk / "store.db") as opened:
        opened.add(desk / "briefs.csv", desk / "facts.csv")
        yield opened


def contents(store: KnowledgeStore) -> object:
    """All that a store says, whatever its ids."""
    facts = sorted({f for e in store.entities() for f in store.facts(e, names=True)}, key=str)
    found = [(r.text, round(r.score, 6)) for recipe in RECIPES for r in store.search("capital of Peru", 9, recipe)]
    return [(r.title, r.text, r.source) for r in store.passages()], facts, store.entities(), found


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_finds_the_passage_with_its_source(store: KnowledgeStore, recipe: str) -> None:
    best = store.search("What is the capital of Peru?", k=2, recipe=recipe)[0]
    assert (best.title, best.source, best.start, best.end) == ("Peru", "briefs.csv#Peru", 0, len(best.text))


def test_the_graph_finds_what_shares_no_word_with_the_query(store: KnowledgeStore) -> None:
    assert "Chile" in [r.title for r in store.search("Peruvian", recipe="graph", k=2)]
    assert store.search("Nippon", recipe="lexical") == []
    assert store.search("Nippon", recipe="auto")[0].title == "Japan"


def test_a_text_that_uses_an_alias_is_about_the_entity(store: KnowledgeStore) -> None:
    store.add_passages([Passage("A voyage", "We sailed from Nippon in spring.")])
    assert {r.title for r in store.search("Japan", 2, "graph")} == {"Japan", "A voyage"}


def test_results_are_at_most_k_and_sorted(store: KnowledgeStore) -> None:
    for recipe in RECIPES:
        for k in (1, 2, 50):
            scores = [r.score for r in store.search("capital of Chile", k, recipe)]
            assert len(scores) <= k and scores == sorted(scores, reverse=True)


def test_facts_neighbours_and_kinds(store: KnowledgeStore) -> None:
    assert [str(f) for f in store.facts("peruvian")] == ["Peru borders Chile"], "told once, though both ends tell it"
    assert store.facts("Peru")[0].citation == "graph: Peru borders Chile"
    assert store.facts("Peru")[0].source == "facts.csv#4"
    assert [str(f) for f in store.facts("Japanese yen")] == ["Japan pays with Japanese yen"]
    assert [f.object for f in store.facts("Japan", names=True)] == ["country", "Japanese yen", "Nippon"]
    assert store.facts("Peru", "pays_with") == [] and store.facts("Atlantis") == []
    assert store.neighbours("Peru") == ["Chile"] and store.neighbours("Japan", "borders") == []
    assert store.entities("country") == ["Chile", "Japan", "Peru"] and store.kinds("nippon") == ["country"]
    assert store.resolve("NIPPON") == "Japan" and store.resolve("Atlantis") is None


def test_link(store: KnowledgeStore) -> None:
    assert [(m.entity, m.start) for m in store.link("chile's Nippon and Peruvians")] == [
        ("Chile", 0),
        ("Japan", 8),
        ("Peru", 19),
    ]


def test_the_networkx_view(store: KnowledgeStore) -> None:
    view = store.graph()
    assert sorted(view.edges()) == [("Chile", "Peru"), ("Japan", "Japanese yen"), ("Peru", "Chile")]


def test_adding_the_same_again_changes_nothing(store: KnowledgeStore, desk: Path) -> None:
    before, version = contents(store), store.version
    assert store.add(desk / "facts.csv", desk / "briefs.csv").unchanged == 2
    store.add_passages([Passage("x", "y")])
    store.add_passages([Passage("x", "y"), Passage("x", "y", "other")])
    assert store.delete("notes") and contents(store) == before
    assert store.version == version + 2, "the second add of the same passage wrote nothing"


def test_a_changed_file_replaces_what_it_said(store: KnowledgeStore, desk: Path) -> None:
    (desk / "briefs.csv").write_text("title,text\nPeru,Cusco was the capital.\n", encoding="utf-8")
    (desk / "facts.csv").write_text("subject,relation,object\nPeru,borders,Brazil\n", encoding="utf-8")
    assert (added := store.add(desk / "briefs.csv", desk / "facts.csv")).documents == 2 and added.passages == 1
    assert [r.text for r in store.passages()] == ["Cusco was the capital."]
    assert store.entities() == ["Brazil", "Peru"], "Lima, Chile and Japan went with what named them"
    for recipe in RECIPES:
        assert "Tokyo" not in " ".join(r.text for r in store.search("Tokyo capital", recipe=recipe))


def test_delete_means_gone_from_all_of_them(store: KnowledgeStore) -> None:
    assert store.delete("briefs.csv") and not store.delete("briefs.csv")
    assert store.passages() == [] and all(store.search("Peru", recipe=recipe) == [] for recipe in RECIPES)
    assert store.facts("Peru"), "the facts have a support of their own"
    assert store.delete("facts.csv")
    assert store.stats() | {"version": 0} == {"documents": 0, "passages": 0, "entities": 0, "facts": 0, "version": 0}
    assert store.check() == []


def test_a_fact_lives_while_something_supports_it(store: KnowledgeStore) -> None:
    one, two = store.add_passages([Passage("A", "Ada met Bob."), Passage("B", "Bob met Ada.")])
    for passage in (one, two):
        store.add_facts([("Ada", "met", "Bob")], passage=passage)
    assert store.delete_passage(one) and store.facts("Ada")
    assert store.delete_passage(two) and not store.facts("Ada") and "Ada" not in store.entities()
    assert not store.delete_passage(two)


def test_a_failed_add_changes_nothing(store: KnowledgeStore, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(store)
    (desk / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (desk / "good.md").write_text("Quito.", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"bad\.csv:1"):
        store.add(desk / "good.md", desk / "bad.csv")
    monkeypatch.setattr("understudy.knowledge.tables.names_in", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.add(desk / "good.md")
    monkeypatch.undo()
    assert contents(store) == before and store.check() == []


def test_two_files_of_one_name_are_told_apart(store: KnowledgeStore, desk: Path) -> None:
    (desk / "b").mkdir()
    (desk / "b" / "briefs.csv").write_text("title,text\nQ,Quito.\n", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"another document is called briefs\.csv"):
        store.add(desk / "b" / "briefs.csv")
    (desk / "briefs.csv").unlink()
    assert store.add(desk / "b" / "briefs.csv").documents == 1, "a file that moved is the same document"


@pytest.mark.parametrize("query", ["", "  ", "?!", "\x00", "日本の首都", "x" * 5000, "of the"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_no_query_and_no_store_is_an_exception(store: KnowledgeStore, query: str, recipe: str) -> None:
    store.search(query, recipe=recipe)
    with KnowledgeStore.open() as empty:
        assert empty.search(query, recipe=recipe) == [] and empty.link(query) == []
        assert empty.facts(query) == [] and empty.entities() == [] and empty.neighbours(query) == []
        assert empty.graph().number_of_nodes() == 0 and empty.check() == []
        (one,) = empty.add_passages([Passage("", "One.")])
        assert all(r.passage == one for r in empty.search(query + " one", recipe=recipe))


def test_k_below_one_finds_nothing_and_an_unknown_recipe_is_told(store: KnowledgeStore) -> None:
    assert store.search("Peru", k=0) == []
    with pytest.raises(UnderstudyError, match="use one of lexical, dense"):
        store.search("Peru", recipe="magic")


def test_facts_that_lack_a_part_are_refused(store: KnowledgeStore) -> None:
    for fact in (("", "r", "o"), ("s", "", "o"), Fact("s", "r", " ")):
        with pytest.raises(UnderstudyError, match="lacks"):
            store.add_facts([fact])
    with pytest.raises(UnderstudyError, match="no passage 999"):
        store.add_facts([("s", "r", "o")], passage=999)


def test_it_is_kept_on_disk(store: KnowledgeStore, desk: Path) -> None:
    before = contents(store)
    store.close()
    with KnowledgeStore.open(desk / "store.db") as again:
        assert contents(again) == before


def test_a_reader_sees_what_another_connection_wrote(store: KnowledgeStore, desk: Path) -> None:
    with KnowledgeStore.open(desk / "store.db") as reader:
        assert reader.search("Quito") == [] or reader.search("Quito")[0].title != "Ecuador"
        store.add_passages([Passage("Ecuador", "Quito is the capital of Ecuador.")])
        store.add_facts([("Ecuador", "borders", "Peru")])
        assert reader.search("Quito")[0].title == "Ecuador" and reader.neighbours("Ecuador") == ["Peru"]


def test_killed_within_a_change_leaves_the_last_state(store: KnowledgeStore, desk: Path) -> None:
    before = contents(store)
    code = """if True:
        import os, sys
        from understudy.core.prompts import Passage
        from understudy.knowledge import KnowledgeStore, tables
        store = KnowledgeStore.open(sys.argv[1])
        tables.put_facts = lambda *_: os._exit(9)
        store.add_passages([Passage("Kept", "Kept.")])
        store.add(sys.argv[2])
    """
    (desk / "more.md").write_text("Quito lies high.", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code, str(desk / "store.db"), str(desk / "more.md")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 9
    assert [r.text for r in store.passages("notes")] == ["Kept."] and store.passages("more.md") == []
    assert store.delete("notes") and contents(store) == before and store.check() == []


def test_threads_share_a_store(store: KnowledgeStore) -> None:
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                assert store.search("capital of Peru")
                store.add_passages([Passage(f"{number}", f"Note {turn} of {number}.")])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(store.passages("notes")) == 20


class Other(HashedEmbedder):
    def __init__(self) -> None:
        super().__init__(16)


def test_another_embedder_is_told_and_rebuild_embeds_anew(store: KnowledgeStore, desk: Path) -> None:
    path = desk / "store.db"
    before = [(r.title, r.text) for r in store.passages()]
    store.close()
    with pytest.raises(UnderstudyError, match="vectors are of embedder hashed-1024"):
        KnowledgeStore.open(path, Other())
    with KnowledgeStore.rebuild(path, Other()) as rebuilt:
        assert [(r.title, r.text) for r in rebuilt.passages()] == before
        assert rebuilt.search("Tokyo Japan", recipe="dense")[0].title == "Japan" and rebuilt.check() == []
    sizes = sqlite3.connect(path).execute("SELECT DISTINCT length(data) FROM vectors").fetchall()
    assert sizes == [(16 * np.dtype(np.float32).itemsize,)]


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to look at " * 20, encoding="utf-8")
    with pytest.raises(UnderstudyError, match="cannot open the knowledge store"):
        KnowledgeStore.open(tmp_path / "text.db")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE t (x)")
    other.commit()
    with pytest.raises(UnderstudyError, match="no knowledge store"):
        KnowledgeStore.open(tmp_path / "other.db")


def test_a_store_of_a_later_format_is_told(store: KnowledgeStore, desk: Path) -> None:
    sqlite3.connect(desk / "store.db", isolation_level=None).execute(
        "UPDATE meta SET value = '99' WHERE key = 'format'"
    )
    with pytest.raises(UnderstudyError, match="format 99"):
        KnowledgeStore.open(desk / "store.db")


def test_check_finds_what_is_out_of_step(store: KnowledgeStore, desk: Path) -> None:
    other = sqlite3.connect(desk / "store.db", isolation_level=None)
    other.execute("DELETE FROM vectors WHERE passage = 1")
    other.execute("UPDATE passages SET text = 'changed behind its back' WHERE id = 2")
    assert store.check() == ["the lexical index does not say what the passages say", "1 passages have no vector"]


def test_importing_the_floor_is_light() -> None:
    code = (
        "import sys, understudy.knowledge, understudy.knowledge.store\n"
        "print([m for m in ('torch', 'transformers', 'faiss', 'networkx') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
