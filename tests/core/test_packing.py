"""Running text as rows without padding."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from understudy.core.backbone import Backbone
from understudy.core.errors import UnderstudyError
from understudy.core.packing import Packed

DOCUMENTS = ["a first document", "and another", "the third one"]


def test_documents_stand_in_their_order_with_an_end_mark_between(new_backbone: Callable[..., Backbone]) -> None:
    tokenizer = new_backbone().tokenizer
    packed = Packed.of(DOCUMENTS, tokenizer)
    end = tokenizer.eos_token_id
    assert (packed.tokens == end).sum() == 3 and packed.tokens[-1] == end
    said = tokenizer.decode(packed.tokens.tolist(), skip_special_tokens=True)
    assert said.replace(" ", "") == "".join(DOCUMENTS).replace(" ", "")


def test_many_documents_are_all_read(
    new_backbone: Callable[..., Backbone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.core.packing.AT_ONCE", 30)
    tokenizer = new_backbone().tokenizer
    packed = Packed.of((f"number {n}" for n in range(23)), tokenizer)
    assert int((packed.tokens == tokenizer.eos_token_id).sum()) == 23


def test_rows_are_runs_of_the_text_and_the_same_again(new_backbone: Callable[..., Backbone]) -> None:
    packed = Packed(torch.arange(100, dtype=torch.int32))
    rows = packed.batch(3, 8, 10)
    assert rows.shape == (8, 10) and rows.dtype == torch.long
    assert torch.equal(rows - rows[:, :1], torch.arange(10).expand(8, 10))
    assert torch.equal(rows, packed.batch(3, 8, 10)) and not torch.equal(rows, packed.batch(4, 8, 10))
    drawn = packed.batch(0, 2000, 10)
    assert int(drawn.min()) == 0 and int(drawn.max()) == 99, "every token is read"


def test_a_short_text_is_repeated() -> None:
    rows = Packed(torch.tensor([1, 2, 3], dtype=torch.int32)).batch(0, 2, 8)
    assert rows.shape == (2, 8) and set(rows.flatten().tolist()) == {1, 2, 3}


def test_tokens_are_kept_and_made_anew_for_another_tokenizer(
    new_backbone: Callable[..., Backbone], tmp_path: Path
) -> None:
    tokenizer, file = new_backbone().tokenizer, tmp_path / "text.safetensors"
    first = Packed.kept(DOCUMENTS, tokenizer, file)
    assert torch.equal(Packed.kept(["not read"], tokenizer, file).tokens, first.tokens)
    file.write_bytes(b"broken")
    again = Packed.kept(["now read"], tokenizer, file)
    assert not torch.equal(again.tokens, first.tokens)
    assert [one.name for one in tmp_path.iterdir()] == ["text.safetensors"]


def test_nothing_to_read_is_said(new_backbone: Callable[..., Backbone]) -> None:
    with pytest.raises(UnderstudyError, match="no text to read"):
        Packed.of([], new_backbone().tokenizer)
