"""Packing: running text as rows of one length, so that no token of a row is padding.

Documents stand one after the other with an end mark between them (Radford et al. 2019, sec. 2); a row begins anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from .errors import UnderstudyError

AT_ONCE = 2_000_000
"""Characters that the tokenizer reads together."""


@dataclass(frozen=True)
class Packed:
    """Attributes:
    tokens: [N] all documents, end marks between them.
    """

    tokens: Tensor

    @classmethod
    def of(cls, documents: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> Packed:
        """Tokenise ``documents``. Raises UnderstudyError where they are empty."""
        parts: list[Tensor] = []
        end = int(tokenizer.eos_token_id)
        some: list[str] = []

        def read() -> None:
            for ids in tokenizer(some, add_special_tokens=False)["input_ids"]:
                parts.append(torch.tensor([*ids, end], dtype=torch.int32))
            some.clear()

        for document in documents:
            some.append(document)
            if sum(map(len, some)) >= AT_ONCE:
                read()
        if some:
            read()
        if not parts:
            raise UnderstudyError("there is no text to read", mend="docs/data.md says what the data folder holds")
        return cls(torch.cat(parts))

    @classmethod
    def kept(cls, documents: Iterable[str], tokenizer: PreTrainedTokenizerFast, file: Path) -> Packed:
        """The tokens in ``file``; where that is missing or of another tokenizer, those of ``documents``, kept there."""
        made_of = hashlib.sha256(tokenizer.backend_tokenizer.to_str().encode()).hexdigest()
        try:
            with safe_open(file, framework="pt") as opened:
                if (opened.metadata() or {}).get("made_of") == made_of:
                    return cls(load_file(file)["tokens"])
        except (SafetensorError, OSError):
            pass
        found = cls.of(documents, tokenizer)
        draft = file.with_suffix(".draft")
        save_file({"tokens": found.tokens}, draft, metadata={"made_of": made_of})
        draft.replace(file)
        return found

    def batch(self, seed: int, rows: int, length: int) -> Tensor:
        """``rows`` rows [rows, length], drawn anywhere in the text; a text that is shorter is repeated."""
        tokens = self.tokens
        if len(tokens) < length + 1:
            tokens = tokens.repeat(-(-(length + 1) // len(tokens)))
        starts = torch.randint(len(tokens) - length + 1, (rows,), generator=torch.Generator().manual_seed(seed))
        return tokens[starts.unsqueeze(1) + torch.arange(length)].long()
