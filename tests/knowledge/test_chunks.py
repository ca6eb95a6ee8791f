import itertools

import pytest

from understudy.knowledge import tokens
from understudy.knowledge.chunks import Section, chunked, cut, outline


def words(text: str) -> int:
    return len(text.split())


GUIDE = """Preface here.

# Guide

Opening words.

## Install

Run this. Then that.

```
# not a heading
```

# Other
Last."""


def test_a_chunk_is_exactly_its_span_and_knows_its_headings() -> None:
    chunks = chunked(GUIDE)
    assert all(GUIDE[c.start : c.end] == c.text for c in chunks)
    assert [(c.headings, c.text.split("\n")[0]) for c in chunks] == [
        ((), "Preface here."),
        (("Guide",), "Opening words."),
        (("Guide", "Install"), "Run this. Then that."),
        (("Other",), "Last."),
    ]
    assert "# not a heading" in chunks[2].text


def test_plain_text_has_no_headings() -> None:
    assert [c.headings for c in chunked("# One\n\nTwo.", markdown=False)] == [()]


def test_long_text_is_packed_by_sentences_with_overlap() -> None:
    text = " ".join(f"Sentence number {n} is here." for n in range(10))
    chunks = chunked(text, size=15, overlap=1, count=words)
    assert all(len(c.text.split()) <= 15 for c in chunks)
    assert chunks[0].text.endswith("number 2 is here.") and chunks[1].text.startswith("Sentence number 2")
    assert {word for c in chunks for word in c.text.split()} == set(text.split())
    apart = chunked(text, size=15, overlap=0, count=words)
    assert all(a.end < b.start for a, b in itertools.pairwise(apart))


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    text = " ".join(f"w{n}" for n in range(25))
    assert [len(c.text.split()) for c in chunked(text, size=10, count=words)] == [10, 10, 5]


def test_a_sentence_is_cut_between_its_lines_first() -> None:
    table = "\n".join(f"| city {n} | country {n} |" for n in range(9))
    chunks = chunked(table, size=16, overlap=0, count=words)
    assert [c.text.count("\n") + 1 for c in chunks] == [2, 2, 2, 2, 1]
    assert "\n".join(c.text for c in chunks) == table


@pytest.mark.parametrize("text", ["秘鲁的首都是利马" * 40, "x9Ab" * 200])
def test_a_word_longer_than_a_chunk_is_cut_between_letters(text: str) -> None:
    chunks = chunked(text, size=20, overlap=0)
    assert "".join(c.text for c in chunks) == text
    assert all(10 <= tokens.count(c.text) <= 20 for c in chunks[:-1]), "chunks are filled"


def test_a_size_counts_tokens_of_the_backbone_and_the_white_space_between_sentences() -> None:
    text = "\n\n\n\n".join(f"Sentence number {n} is here." for n in range(60))
    assert max(tokens.count(c.text) for c in chunked(text, size=30)) <= 30
    assert len(chunked(text, size=30)) > len(chunked(text)) > 1


def test_a_repeated_sentence_leaves_room_for_a_new_one() -> None:
    text = "One two three four. Five six seven eight. Nine."
    chunks = [c.text for c in chunked(text, size=5, overlap=3, count=words)]
    assert chunks == ["One two three four.", "Five six seven eight. Nine."]


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("# C#\nx", ("C#",)),
        ("# Closed ##\r\nx", ("Closed",)),
        ("#hashtag\nx", ()),
        ("#\nx", ()),
        ("Title\n=====\n\nPart\n---\nx", ("Title", "Part")),
        ("Title\r\n===\r\n\r\n## Part\r\nx", ("Title", "Part")),
        ("one\ntwo\n---\nx", ()),
        ("- item\n---\nx", ()),
        ("# A\n### B\n## C\nx", ("A", "C")),
        ("````\n# no\n```\n# no\n````\n# Yes\nx", ("Yes",)),
        ("~~~ python\n# no\n```\n~~~\n# Yes\nx", ("Yes",)),
        ("```\n# no, the fence is never closed\nx", ()),
        ("```inline```\n# Yes\nx", ("Yes",)),
    ],
)
def test_headings_are_those_of_markdown(text: str, headings: tuple[str, ...]) -> None:
    last = chunked(text)[-1]
    assert last.headings == headings and last.text.endswith("x")


def test_an_outline_can_begin_behind_something() -> None:
    text = "# Not this\n# This\nx\n```\ny\n```"
    sections, fences = outline(text, 11)
    assert sections == [Section((), 11, 11), Section(("This",), 17, len(text))]
    assert [text[slice(*fence)] for fence in fences] == ["```\ny\n```"]


def test_given_sections_are_kept_apart() -> None:
    chunks = cut("One. Two. Three.", [Section(("a",), 0, 4), Section(("b",), 4, 16)])
    assert [(c.headings, c.text) for c in chunks] == [(("a",), "One."), (("b",), "Two. Three.")]


def test_no_text_no_chunks() -> None:
    assert chunked("") == [] and chunked("# Only a heading\n") == []


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="size 0"):
        chunked("text", size=0)
