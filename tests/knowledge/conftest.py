"""What several tests of the knowledge floor share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from understudy.knowledge import KnowledgeStore
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
def store(desk: Path) -> Iterator[KnowledgeStore]:
    with KnowledgeStore.open(desk / "store.db", "hashed") as opened:
        opened.add(desk / "briefs.csv", desk / "facts.csv")
        yield opened


@pytest.fixture
def contents() -> Callable[[KnowledgeStore], object]:
    """All that a store says, whatever its ids: two stores that say the same are equal in this."""

    def told(store: KnowledgeStore) -> object:
        passages = [(r.namespace, r.document, r.title, r.text, r.source) for r in store.passages()]
        found = [
            sorted((r.title, r.text, round(r.score, 6)) for r in store.search(query, 99, recipe))
            for recipe in RECIPES
            for query in ("Who borders Peru?", "Nippon", "the capital")
        ]
        facts = sorted(map(repr, store.all_facts()))
        names = {entity: [m.entity for m in store.link(entity)] for entity in store.entities()}
        return sorted(passages), facts, names, found, store.stats() | {"version": 0}

    return told
