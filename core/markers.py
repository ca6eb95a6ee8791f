"""The marks between the parts of a prompt, as token ids of one tokenizer.

The shipped tokenizer has a token of its own for each; any other tokenizer spells them in plain text, so that every
causal LM can be a backbone.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformers import PreTrainedTokenizerFast

from .errors import UnderstudyError

SPECIAL = (
    "<|pad|>", "<|passage|>", "<|turn|>", "<|message|>", "<|role|>", "<|field|>", "<|item|>", "<|end|>", "<|none|>",
)  # fmt: skip
_PLAIN = {
    "passage": "\nPassage",
    "turn": "\nTurn",
    "message": "\n#",
    "role": "\nRole",
    "field": "\n=",
    "item": " -",
    "end": "\n",
    "none": " none",
}


@dataclass(frozen=True)
class Markers:
    """Token ids of each mark. ``end`` is always a single token; ``pad`` fills short rows and is never read."""

    passage: tuple[int, ...]
    turn: tuple[int, ...]
    message: tuple[int, ...]
    role: tuple[int, ...]
    field: tuple[int, ...]
    item: tuple[int, ...]
    end: int
    none: tuple[int, ...]
    pad: int

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast) -> Markers:
        """The marks in this tokenizer: its own special tokens where it has them, plain text otherwise.

        Raises:
            UnderstudyError: the tokenizer spells a line break with more than one token, so nothing can end a field.
        """
        vocabulary = tokenizer.get_vocab()
        if all(mark in vocabulary for mark in SPECIAL):
            ids = {mark.strip("<|>"): (vocabulary[mark],) for mark in SPECIAL}
            return cls(
                ids["passage"], ids["turn"], ids["message"], ids["role"], ids["field"], ids["item"],
                vocabulary["<|end|>"], ids["none"], vocabulary["<|pad|>"],
            )  # fmt: skip
        plain = {name: tuple(tokenizer.encode(text, add_special_tokens=False)) for name, text in _PLAIN.items()}
        # A list asks "one more item, or its end?": neither may begin with the other.
        if len(plain["end"]) != 1 or any(not ids for ids in plain.values()) or plain["item"][0] == plain["end"][0]:
            raise UnderstudyError(
                "this tokenizer cannot spell the marks between fields",
                mend="use a byte-level or byte-fallback tokenizer that has a token for the line break",
            )
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        return cls(
            plain["passage"], plain["turn"], plain["message"], plain["role"], plain["field"], plain["item"],
            plain["end"][0], plain["none"], int(pad),
        )  # fmt: skip
