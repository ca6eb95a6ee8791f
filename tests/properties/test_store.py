"""Whatever is added and deleted, in whatever order: the store says what a fresh one would say."""

import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from understudy.core.prompts import Passage
from understudy.knowledge import HashedEmbedder, KnowledgeStore, tokens
from understudy.knowledge.chunks import chunked
from understudy.knowledge.entities import Linker, lookup_in
from understudy.knowledge.retrieval import RECIPES

NAME = st.sampled_from(["Peru", "Chile", "Lima", "São Tomé", "Isle of Man", "US"])
TEXT = st.lists(NAME | st.sampled_from(["borders", "the capital", "is."]), max_size=6).map(" ".join)
CHANGE = st.one_of(
    st.tuples(st.just("passage"), st.sampled_from("ab"), NAME, TEXT),
    st.tuples(st.just("fact"), st.sampled_from("ab"), NAME, NAME),
    st.tuples(st.just("delete"), st.sampled_from("ab"), NAME, NAME),
)


def told(store: KnowledgeStore) -> object:
    facts = {str(f) for e in store.entities() for f in store.facts(e)}
    found = [{(r.title, r.text) for r in store.search("Peru or the US", 50, recipe)} for recipe in RECIPES]
    return facts, store.entities(), sorted((r.title, r.text) for r in store.passages()), found


@given(st.lists(CHANGE, max_size=8))
@settings(max_examples=40, deadline=None)
def test_after_any_changes_a_store_equals_one_that_was_built_at_once(changes: list[tuple[str, str, str, str]]) -> None:
    kept: dict[str, list[tuple[str, str, str]]] = {"a": [], "b": []}
    small = HashedEmbedder(64)
    with KnowledgeStore.open(embedder=small) as store, KnowledgeStore.open(embedder=small) as fresh:
        for what, document, one, two in changes:
            if what == "passage":
                store.add_passages([Passage(one, two)], document)
            elif what == "fact":
                store.add_facts([(one, "knows", two)], document)
            else:
                store.delete(document)
            store.search("Peru")  # fills the caches, which the next change must outdate
            kept[document] = [] if what == "delete" else [*kept[document], (what, one, two)]
        for document, rows in kept.items():
            for what, one, two in rows:
                if what == "passage":
                    fresh.add_passages([Passage(one, two)], document)
                else:
                    fresh.add_facts([(one, "knows", two)], document)
        assert told(store) == told(fresh)
        assert store.check() == []


LETTERS = st.text(alphabet=string.ascii_letters + " .!?\n#`éß日", max_size=300)


@given(LETTERS, st.integers(1, 12), st.integers(0, 3), st.booleans())
@example("??????ßß?AD?", 1, 1, False)  # parts that are fewer tokens together than apart
@settings(max_examples=150, deadline=None)
def test_chunks_are_their_spans_and_lose_no_word(text: str, size: int, overlap: int, by_words: bool) -> None:
    count = (lambda part: len(part.split())) if by_words else tokens.count
    size = size if by_words else 8 + size  # a letter can have several tokens
    chunks = chunked(text, markdown=False, size=size, overlap=overlap, count=count if by_words else None)
    assert all(text[c.start : c.end] == c.text and 0 < count(c.text) <= size for c in chunks)
    covered = {place for c in chunks for place in range(c.start, c.end)}
    assert all(place in covered for place, letter in enumerate(text) if letter.isalnum())
    assert all(a.start < b.start and a.end < b.end for a, b in zip(chunks, chunks[1:], strict=False))


@given(st.text(max_size=80), st.lists(NAME, max_size=4, unique=True))
@settings(max_examples=150, deadline=None)
def test_mentions_lie_in_the_text_and_never_overlap(text: str, names: list[str]) -> None:
    text = f"{text} {' '.join(names)}"
    mentions = Linker(lookup_in({name: [name] for name in names})).link(text)
    assert all(a.end <= b.start for a, b in zip(mentions, mentions[1:], strict=False))
    assert all(0 <= m.start < m.end <= len(text) for m in mentions)
