from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from understudy.core.errors import UnderstudyError
from understudy.core.prompts import Passage
from understudy.knowledge import Fact, KnowledgeStore
from understudy.knowledge.extraction import Extraction, RuleExtractor
from understudy.knowledge.pieces import Piece
from understudy.knowledge.retrieval import RECIPES

Contents = Callable[[KnowledgeStore], object]


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


def test_adding_the_same_again_changes_nothing(store: KnowledgeStore, desk: Path, contents: Contents) -> None:
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


def test_a_failed_add_changes_nothing(desk: Path, contents: Contents) -> None:
    broken = Broken()
    with KnowledgeStore.open(desk / "store.db", "hashed", broken) as store:
        store.add(desk / "briefs.csv", desk / "facts.csv")
        before, version = contents(store), store.version
        (desk / "bad.jsonl").write_text("{\n", encoding="utf-8")
        (desk / "good.md").write_text("Quito.", encoding="utf-8")
        with pytest.raises(UnderstudyError, match=r"bad\.jsonl:1"):
            store.add(desk / "good.md", desk / "bad.jsonl")
        for broken.reply in (None, [], [Extraction({}, (Fact("Ada", "met", "Bob", valid_from="never"),))]):
            with pytest.raises((ZeroDivisionError, ValueError, UnderstudyError)):
                store.add(desk / "good.md")
        assert contents(store) == before and store.version == version and store.check() == []


class Broken(RuleExtractor):
    """Extracts by rule until it is told what to reply; nothing is a failure."""

    reply: object = "rule"

    def extract(self, pieces: Sequence[Piece]) -> list[Extraction]:
        if self.reply == "rule":
            return super().extract(pieces)
        return self.reply if self.reply is not None else 1 / 0  # type: ignore[return-value]


def test_two_files_of_one_name_are_told_apart(store: KnowledgeStore, desk: Path) -> None:
    (desk / "b").mkdir()
    (desk / "b" / "briefs.csv").write_text("title,text\nQ,Quito.\n", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"another document is called briefs\.csv"):
        store.add(desk / "b" / "briefs.csv")
    (desk / "briefs.csv").unlink()
    assert store.add(desk / "b" / "briefs.csv").documents == 1, "a file that moved is the same document"


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


def test_a_source_is_told_of_and_metadata_are_kept(store: KnowledgeStore, desk: Path) -> None:
    (desk / "notes.jsonl").write_text('{"title": "Quito", "text": "It lies high.", "metres": 2850}\n', encoding="utf-8")
    seen: list[tuple[str, int, int]] = []
    store.add(desk / "notes.jsonl", metadata={"lang": "en", "metres": 0}, progress=lambda *done: seen.append(done))
    (told,) = store.passages("notes.jsonl")
    assert dict(told.metadata) == {"lang": "en", "metres": 2850}, "what a row says comes before what is said of all"
    assert seen == [("read", 0, 1), ("embed", 1, 1), ("write", 1, 1)]
    assert dict(store.search("Quito", 1)[0].metadata) == dict(told.metadata)
    new = store.update_passage(told.passage, "It lies very high.")
    assert [dict(r.metadata) for r in store.passages("notes.jsonl") if r.passage == new] == [dict(told.metadata)]


def test_what_was_deleted_by_hand_stays_deleted_until_its_file_changes(store: KnowledgeStore, desk: Path) -> None:
    (japan,) = [r.passage for r in store.passages() if r.title == "Japan"]
    store.delete_passage(japan)
    assert store.add(desk / "briefs.csv").unchanged == 1 and len(store.passages()) == 2
    (desk / "briefs.csv").write_text((desk / "briefs.csv").read_text(encoding="utf-8") + "Q,Quito.\n", encoding="utf-8")
    assert store.add(desk / "briefs.csv").documents == 1 and len(store.passages()) == 4


def test_text_that_is_none_is_told_and_changes_nothing(store: KnowledgeStore) -> None:
    version = store.version
    for change in (
        lambda: store.add_passages([Passage("Peru", "half \ud800")]),
        lambda: store.add_facts([("Peru", "r", "half \ud800")]),
        lambda: store.update_passage(1, "half \ud800"),
        lambda: store.delete("\ud800"),
        lambda: store.search("Peru", where={"lang": "\ud800"}),
        lambda: store.search("Peru", where={"year": 2**64}),
    ):
        with pytest.raises(UnderstudyError, match="surrogate|64 bits"):
            change()
    assert store.version == version and store.check() == []
