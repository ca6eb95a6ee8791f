import itertools

import pytest

from understudy.knowledge.chunks import chunked

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
    chunks = chunked(text, size=15, overlap=1)
    assert all(len(c.text.split()) <= 15 for c in chunks)
    assert chunks[0].text.endswith("number 2 is here.") and chunks[1].text.startswith("Sentence number 2")
    assert {word for c in chunks for word in c.text.split()} == set(text.split())
    apart = chunked(text, size=15, overlap=0)
    assert all(a.end < b.start for a, b in itertools.pairwise(apart))


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    text = " ".join(f"w{n}" for n in range(25))
    assert [len(c.text.split()) for c in chunked(text, size=10)] == [10, 10, 5]


def test_no_text_no_chunks() -> None:
    assert chunked("") == [] and chunked("# Only a heading\n") == []


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="size 0"):
        chunked("text", size=0)
