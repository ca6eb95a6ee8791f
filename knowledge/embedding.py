"""Embeddings: texts as unit vectors, behind one protocol.

:class:`HashedEmbedder` needs no model: hashed words and character n-grams ("hashing trick", Weinberger et al. 2009;
subword n-grams as in fastText, Bojanowski et al. 2017). It finds other forms and misspellings of the same words,
not other words of the same meaning: for that, give the store an embedder of a language model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import UnderstudyError
from .text import STOPWORDS, words

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors whose dot product says how alike they are."""

    @property
    def name(self) -> str:
        """Names the space: vectors of two names are never compared. Kept in the store beside the vectors."""

    @property
    def dimension(self) -> int:
        """The width D of a vector."""

    @property
    def source(self) -> str:
        """What :func:`.embedders.embedder` makes it from again; "" when it cannot."""

    @property
    def weight(self) -> float:
        """How much its ranking counts beside the lexical one: 1 for a model that knows meanings."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 (or 0, for a text without words) per text: float32 ``[texts, D]``."""


class HashedEmbedder:
    """Words and character n-grams hashed into D signed counts; the same text gives the same vector everywhere.

    Args:
        dimension: the width D.
        grams: the sizes of the character n-grams of ``<word>``.
    """

    # Hashed n-grams know other forms of a word and no meaning: they mend what BM25 misses and must not outvote it.
    weight = 0.1

    def __init__(self, dimension: int = 1024, grams: tuple[int, ...] = (3, 4)) -> None:
        if dimension < 1:
            raise ValueError(f"dimension must be at least 1, not {dimension}")
        self._dimension = dimension
        self._grams = grams
        self._features = lru_cache(maxsize=65536)(self._features_of)

    @property
    def name(self) -> str:
        """The space: it changes with the dimension and the n-grams."""
        return f"hashed-{self._dimension}-{'.'.join(map(str, self._grams))}"

    @classmethod
    def named(cls, name: str) -> HashedEmbedder:
        """The embedder of that name. Raises UnderstudyError when it is no name of one."""
        found = re.fullmatch(r"hashed-([1-9]\d*)-(\d+(?:\.\d+)*)", name)
        if found is None:
            raise UnderstudyError(f"there is no embedder {name!r}", mend="write hashed, or hashed-1024-3.4")
        return cls(int(found.group(1)), tuple(int(size) for size in found.group(2).split(".")))

    @property
    def source(self) -> str:
        """Its name: it is made from nothing else."""
        return self.name

    @property
    def dimension(self) -> int:
        """The width D of a vector."""
        return self._dimension

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One row of length 1 per text; a text without words gives zeros."""
        rows = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word, count in Counter(word.key for word in words(text)).items():
                places, values = self._features(word)
                # Words count less each time they recur, and the commonest say next to nothing.
                weight = (1.0 + np.log(count)) * (0.1 if word in STOPWORDS else 1.0)
                np.add.at(row, places, np.float32(weight) * values)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        scaled: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
        return scaled

    def _features_of(self, word: str) -> tuple[NDArray[np.int64], Vectors]:
        """Places and signed values of one word; the whole word weighs as much as all of its n-grams together."""
        framed = f"<{word}>"
        grams = [framed[i : i + n] for n in self._grams for i in range(len(framed) - n + 1)]
        share = 1.0 / max(len(grams), 1) ** 0.5
        places, values = [], []
        for feature, weight in [(f"={word}", 1.0), *((gram, share) for gram in grams)]:
            # Python's own hash differs from process to process; vectors are kept on disk.
            number = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "little")
            places.append((number >> 1) % self._dimension)
            values.append(weight if number & 1 else -weight)
        return np.array(places, dtype=np.int64), np.array(values, dtype=np.float32)
