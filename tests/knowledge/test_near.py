import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from understudy.core.prompts import Passage
from understudy.knowledge import KnowledgeStore
from understudy.knowledge.near import ALIKE, fingerprint, likeness, nearest, shingles

WORDS = [f"word{i}" for i in range(300)]


def test_fingerprints_are_kept_on_disk_and_never_change(python: Callable[..., object]) -> None:
    text = "Lima is the capital of Peru."
    assert fingerprint(text)[:2] == [-8440633752353814566, 8949215230955831581]
    code = f"from understudy.knowledge.near import fingerprint; print(fingerprint({text!r}))"
    for seed in ("1", "2"):
        assert python("-c", code, env={**os.environ, "PYTHONHASHSEED": seed}).stdout.strip() == str(fingerprint(text))


def test_writing_does_not_matter_and_order_does() -> None:
    assert fingerprint("São Tomé, and PRÍNCIPE!") == fingerprint("sao tome and principe")
    assert not set(fingerprint("one two three four")) & set(fingerprint("four three two one"))
    assert fingerprint("") == fingerprint("?!") == [] and shingles("one Two") == {"one two"}
    assert all(-(2**63) <= band < 2**63 for band in fingerprint("any words at all"))


def test_likeness_is_the_share_of_common_runs() -> None:
    assert likeness(shingles("a b c d"), shingles("a b c e")) == pytest.approx(1 / 3)
    assert likeness(frozenset(), frozenset()) == 0.0 and likeness(shingles("a b c"), shingles("A, b c.")) == 1.0


def test_near_duplicates_are_found_without_comparing_all_pairs() -> None:
    draw = random.Random(5)
    texts: list[str] = []
    for _ in range(60):
        own = draw.choices(WORDS, k=80)
        texts.append(" ".join(own))
        for changes in (1, 2, 4, 12):
            other = list(own)
            for _ in range(changes):
                other[draw.randrange(80)] = draw.choice(WORDS)
            texts.append(" ".join(other))
    runs = [shingles(text) for text in texts]
    expected = found = 0
    with KnowledgeStore.open(embedder="hashed") as store:
        for place, text in enumerate(texts):
            best = max((likeness(runs[place], runs[other]) for other in range(place)), default=0.0)
            told = nearest(store._connection, text, fingerprint(text), "")
            assert told is None or ALIKE <= told[1] <= best
            expected, found = expected + (best >= ALIKE), found + (told is not None)
            store._connection.execute(
                "INSERT INTO documents (id, namespace, name, digest, origin, metadata) VALUES (?, '', ?, '', '', '')",
                (place, str(place)),
            )
            store._connection.execute(
                'INSERT INTO passages (id, document, title, text, source, start, "end", headings, metadata) '
                "VALUES (?1, ?1, '', ?2, ?1, 0, 0, '', '')",
                (place, text),
            )
            rows = [(band, place) for band in fingerprint(text)]
            store._connection.executemany("INSERT INTO fingerprints VALUES (?, ?)", rows)
    assert expected > 100 and found >= 0.97 * expected


def test_an_add_reports_what_it_repeats_and_keeps_it(tmp_path: Path) -> None:
    long = "Lima is the capital of Peru, and the largest city of the country by far, on the coast of the Pacific"
    with KnowledgeStore.open(embedder="hashed") as store:
        store.add_passages([Passage("Peru", f"{long}."), Passage("Chile", "Santiago is the capital of Chile.")])
        rows = f'title,text\nAgain,"{long} ocean."\nOther,"Quito is the capital of Ecuador."\n'
        (tmp_path / "more.csv").write_text(rows, encoding="utf-8")
        (told,) = store.add(tmp_path / "more.csv").duplicates
        assert (told.source, told.other) == ("more.csv#Again", "notes#Peru") and ALIKE <= told.likeness < 1
        assert len(store.passages()) == 4 and store.add(tmp_path / "more.csv").duplicates == ()
        store.delete("notes")
        (tmp_path / "more.csv").write_text(rows + "New,Bogota lies high.\n", encoding="utf-8")
        assert store.add(tmp_path / "more.csv").duplicates == (), "what was replaced is not repeated"
