"""Our own marks are single tokens; any other tokenizer spells them, so that nothing is ambiguous."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast as Fast

from understudy.core.errors import UnderstudyError
from understudy.core.markers import SPECIAL, Markers


def test_our_own_tokenizer_has_a_token_for_each_mark(tokenizer: Fast) -> None:
    # A shipped backbone has learned exactly these: their order is part of its format.
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL)) == list(range(9))
    assert Markers.of(tokenizer) == Markers((1,), (2,), (3,), (4,), (5,), (6,), 7, (8,), 0)


def test_a_plain_tokenizer_spells_them(plain_tokenizer: Fast) -> None:
    marks = Markers.of(plain_tokenizer)
    assert plain_tokenizer.decode([marks.end]) == "\n"
    spelled = [
        plain_tokenizer.decode(list(ids)) for ids in (marks.passage, marks.turn, marks.message, marks.role, marks.field)
    ]
    assert spelled == ["\nPassage", "\nTurn", "\n#", "\nRole", "\n="]
    assert all(ids[0] == marks.end for ids in (marks.passage, marks.turn, marks.message, marks.role, marks.field))


def test_one_more_item_and_the_end_of_a_list_begin_apart(tokenizer: Fast, plain_tokenizer: Fast) -> None:
    for words in (tokenizer, plain_tokenizer):
        marks = Markers.of(words)
        assert marks.item[0] != marks.end and marks.none[0] != marks.end


def test_a_tokenizer_without_a_line_break_is_refused() -> None:
    inner = Tokenizer(models.WordLevel({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(UnderstudyError, match="cannot spell the marks.*byte-level"):
        Markers.of(Fast(tokenizer_object=inner, unk_token="[UNK]"))
