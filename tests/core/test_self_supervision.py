"""Tasks that plain sentences give: what is asked can be answered, and the answer is not given away."""

import random

import pytest

from understudy.core.self_supervision import BLANK, FEWEST, missing_word, next_sentence, word_tasks

NAMES = ("apple", "bridge", "candle", "dragon", "engine", "forest", "garden", "hammer", "island")
SENTENCES = [f"we saw the {name} at no {n}{at} now" for n, name in enumerate(NAMES) for at in range(FEWEST + 2)]


def test_a_missing_word_is_missing_and_puts_the_sentence_right_again() -> None:
    draw = missing_word([*SENTENCES, "a b c"])
    words = set()
    for seed in range(60):
        example = draw(random.Random(seed))
        text, word = example.prompt.part("text"), example.values["word"]
        assert BLANK in text and word not in text.split() and text.replace(BLANK, word) in SENTENCES
        words.add(word)
    assert len(words) > 6
    with pytest.raises(ValueError, match="no sentence has a word"):
        missing_word(["a b c", "1234 5678"])


def test_half_of_the_second_sentences_follow() -> None:
    pairs = [(f"first {at}", f"second {at}") for at in range(50)]
    draw = next_sentence(pairs)
    said = []
    for seed in range(200):
        example = draw(random.Random(seed))
        first, second = example.prompt.part("first"), example.prompt.part("second")
        follows = first.split()[1] == second.split()[1]
        assert example.values == {"follows": "yes" if follows else "no"}
        said.append(follows)
    assert 70 < sum(said) < 130


def test_a_pair_met_by_chance_is_no_wrong_answer() -> None:
    draw = next_sentence([("a", "b"), ("c", "b")])
    assert {draw(random.Random(seed)).values["follows"] for seed in range(30)} == {"yes"}


def test_a_task_asks_which_of_its_words_is_missing() -> None:
    letters, words = word_tasks(SENTENCES, 2, words=4)
    assert letters.labels == ("A", "B", "C", "D") and set(words.labels) <= set(NAMES)
    for text, label in words.lines:
        assert BLANK in text and text.replace(BLANK, label) in SENTENCES
    of: dict[str, set[str]] = {}
    for text, label in letters.lines:
        (missing,) = [name for name in NAMES if text.replace(BLANK, name) in SENTENCES]
        of.setdefault(label, set()).add(missing)
    assert sorted(of) == ["A", "B", "C", "D"] and all(len(names) == 1 for names in of.values())
    assert not set(words.labels) & set.union(*of.values()), "no word is in two tasks"
    assert [c.lines for c in word_tasks(SENTENCES, 2, words=4)] == [letters.lines, words.lines]
    assert len(word_tasks(SENTENCES, 10, words=4)) == 2, "only as many as there are words for"
