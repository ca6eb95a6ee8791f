"""A prompt's order, and the characters that each of its tokens stands for."""

import re

import pytest

from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.fields import SpanValue
from understudy.core.prompts import Example, Passage, Prompt
from understudy.core.reading import read


def test_the_order_is_passages_transcript_message_role(either: Backbone) -> None:
    prompt = Prompt(
        (Passage("Peru", "Lima"), Passage("", "Oslo")), ("Hi",), (("text", "Where?"), ("note", "now")), "Answers.",
    )  # fmt: skip
    reading, marks, encode = read(prompt, either), either.markers, either.encode
    expected = [
        *marks.passage, *encode("1"), *encode("Peru"), *encode(":"), *encode("Lima"),
        *marks.passage, *encode("2"), *encode("Oslo"),
        *marks.turn, *encode("Hi"),
        *marks.message, *encode("text"), *encode(":"), *encode("Where?"),
        *marks.message, *encode("note"), *encode(":"), *encode("now"),
        *marks.role, *encode("Answers."),
    ]  # fmt: skip
    assert list(reading.ids) == expected
    assert reading.role_at == len(expected) - len(marks.role) - len(encode("Answers."))
    assert list(reading.parts) == ["text", "note"] and [p.text for p in reading.passages] == ["Lima", "Oslo"]


def test_all_before_the_role_marker_is_the_same_for_every_role(either: Backbone) -> None:
    one, other = (
        read(Prompt((Passage("", "Lima"),), (), (("text", "Hi"),), role), either) for role in ("One.", "Two roles.")
    )
    assert one.role_at == other.role_at
    assert one.ids[: one.role_at] == other.ids[: other.role_at] and one.ids != other.ids


def test_no_line_break_gets_in(either: Backbone) -> None:
    clean = Prompt((Passage("", "a b c d"),), ("x y",), (("text", "e f"),))
    broken = Prompt((Passage("", "a\nb\tc\rd"),), ("x\ny",), (("text", "e\nf"),))
    assert read(broken, either).ids == read(clean, either).ids
    passage = read(broken, either).passages[0]
    assert passage.span(0, 0, len(passage.ids) - 1) == SpanValue(0, 0, 7, "a\nb\tc\rd")


def test_offsets_cover_the_text_from_left_to_right(either: Backbone, everything: Example) -> None:
    reading = read(everything.prompt, either)
    for tokens in (*reading.passages, *reading.parts.values()):
        seen = set()
        last = 0
        for start, end in tokens.offsets:
            assert 0 <= start <= end <= len(tokens.text) and end >= last
            last = end
            seen.update(range(start, end))
        assert {i for i, letter in enumerate(tokens.text) if not letter.isspace()} <= seen


def test_a_span_outside_its_source_is_refused(either: Backbone) -> None:
    tokens = read(Prompt(message=(("text", "one two"),)), either).parts["text"]
    first, last = tokens.cover(SpanValue(0, 4, 7, "two"))
    assert tokens.span(0, first, last).text == "two"
    with pytest.raises(UnderstudyError, match="'three' is not in its source"):
        tokens.cover(SpanValue(0, 8, 13, "three"))


def test_names_are_taken_whole_and_lists_give_nothing_but_names(either: Backbone) -> None:
    text = "money: Thai baht, yen"
    names = ((7, 16), (18, 21))
    known, listed = read(
        Prompt((Passage("", text, "", names), Passage("", text, "graph", names, listed=True))), either
    ).passages
    baht, yen = known.cover(SpanValue(0, 7, 16, "")), known.cover(SpanValue(0, 18, 21, ""))
    assert known.starts is not None and known.ends is not None
    inside = set(range(baht[0] + 1, baht[1] + 1)) | set(range(yen[0] + 1, yen[1] + 1))
    plain = read(Prompt((Passage("", text),)), either).passages[0]
    assert plain.starts is not None and set(known.starts) == set(plain.starts) - inside
    assert baht[1] in known.ends and (baht[0] == baht[1] or baht[0] not in known.ends)
    assert (listed.starts, listed.ends) == ({baht[0], yen[0]}, {baht[1], yen[1]})


def test_no_span_cuts_a_word(either: Backbone) -> None:
    text = "Unbelievably, fårikål costs 1234 kroner at 5 °C"
    tokens = read(Prompt((Passage("", text),)), either).passages[0]
    assert tokens.starts is not None and tokens.ends is not None
    words = {"Unbelievably", ",", "fårikål", "costs", "1234", "kroner", "at", "5", "°", "C", "°C"}
    begun = {re.split(r"\W", text[tokens.offsets[at][0] :].lstrip() + " ", maxsplit=1)[0] for at in tokens.starts}
    assert begun - {""} <= words and {"fårikål", "1234", "kroner"} <= begun
    ends = [tokens.offsets[at][1] for at in tokens.ends]
    assert not any(text[end - 1 : end].isalnum() and text[end : end + 1].isalnum() for end in ends)
    chinese = read(Prompt((Passage("", "北京是中国的首都"),)), either).passages[0]
    assert chinese.starts is not None and len(chinese.starts) == len(chinese.ids), "no blanks part its words"


def test_a_part_is_taken_in_whole_words_where_that_is_asked_for(either: Backbone) -> None:
    part = read(Prompt(message=(("text", "hungary's neighbouringlands"),)), either).parts["text"]
    assert part.starts is None and part.ends is None
    whole = part.whole()
    assert whole.starts is not None and whole.ends is not None
    begun = {part.text[part.offsets[at][0] :].strip() for at in whole.starts}
    assert part.text in begun and "neighbouringlands" in begun
    assert begun <= {part.text, "'s neighbouringlands", "s neighbouringlands", "neighbouringlands"}
    assert {part.text[: part.offsets[at][1]].strip() for at in whole.ends} <= {
        "", "hungary", "hungary'", "hungary's", part.text
    }  # fmt: skip


def test_a_prompt_that_does_not_fit_is_refused(either: Backbone) -> None:
    prompt = Prompt(message=(("text", "a " * 490),))
    length = len(read(prompt, either, reserve=0).ids)
    read(prompt, either, reserve=either.max_tokens - length)
    with pytest.raises(UnderstudyError, match=f"has {length} tokens.*reads {either.max_tokens}.*shorter"):
        read(prompt, either, reserve=either.max_tokens - length + 1)
