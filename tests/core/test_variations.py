"""Sentences that nobody wrote."""

import random

from understudy.core.variations import changed, variations

SENTENCES = ["The old man walked home in 1890.", "please order another pizza for everyone", "It is so"]
WORDS = ["zebra", "violin", "quartz"]


def test_a_change_keeps_the_sentence_and_brings_in_new_words() -> None:
    for seed in range(40):
        parts = changed(SENTENCES[1], WORDS, random.Random(seed)).split()
        before = SENTENCES[1].split()
        assert len(parts) == len(before)
        new = [part for part, old in zip(parts, before, strict=True) if part != old]
        assert new and set(new) <= set(WORDS)
        assert parts[4] == "for", "short words stay"
    assert changed("It is so", WORDS, random.Random(0)) == "It is so"
    assert changed("Another", WORDS, random.Random(0)) in {"Zebra", "Violin", "Quartz"}


def test_texts_of_all_kinds_are_made_and_the_same_again() -> None:
    found = variations(SENTENCES, WORDS, 400)
    assert len(found) == 400 and found == variations(SENTENCES, WORDS, 400) != variations(SENTENCES, WORDS, 400, seed=1)
    lists = [text for text in found if set(text.lower().split()) <= set(WORDS)]
    assert 60 < len(lists) < 200 and {len(text.split()) for text in lists} == {1, 2, 3, 4, 5}
    assert sum(text.count("1890.") > 0 and len(text.split()) > 8 for text in found) > 10, "two sentences in one"
    assert sum(text == text.lower() for text in found) > 60 and any(text != text.lower() for text in found)
