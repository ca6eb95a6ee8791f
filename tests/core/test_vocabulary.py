"""The tokenizer: marks first, digits apart, any bytes spelled."""

import pytest
from transformers import PreTrainedTokenizerFast as Fast

from understudy.core.markers import SPECIAL
from understudy.core.vocabulary import train_tokenizer


@pytest.mark.parametrize("text", [" plain words", " 你好 🦊 e\u0301 \u00a0 ﷽", " a\tb\nc  d", " \x00\x7f", " 1234.5"])
def test_any_text_comes_back(tokenizer: Fast, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids) == text


def test_each_digit_is_a_token_and_words_do_not_cross_blanks(tokenizer: Fast) -> None:
    assert "".join(tokenizer.tokenize(" 42 5000000")) == "Ġ42Ġ5000000"
    assert all(sum(map(str.isdigit, token)) <= 1 for token in tokenizer.get_vocab())
    assert not [token for token in tokenizer.get_vocab() if "Ġ" in token[1:]]
    assert "Ġthe" in tokenizer.get_vocab(), "a word that came often is one token"


def test_marks_come_first_and_the_size_is_kept(tokenizer: Fast) -> None:
    assert len(tokenizer) == 380
    assert [tokenizer.convert_ids_to_tokens(i) for i in range(len(SPECIAL))] == list(SPECIAL)
    assert (tokenizer.pad_token, tokenizer.eos_token) == ("<|pad|>", "<|end|>")


def test_it_is_the_same_every_time() -> None:
    texts = ["the neighbours of the neighbours", "and the euro"] * 3
    assert train_tokenizer(texts, 290).get_vocab() == train_tokenizer(texts, 290).get_vocab()
