"""Variations: sentences that nobody wrote, for a teacher to say what they mean.

A student that has heard a teacher on the sentences of a few sources knows how to read these sources. Whatever text is
made, the teacher has a vector for it; so words are changed for others of its whole vocabulary (as data is augmented for
TinyBERT, Jiao et al. 2020), and short lists of words are made of it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

REPLACED = 0.3
"""Share of a sentence's words that are changed for others."""


def variations(sentences: Sequence[str], words: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """``count`` texts: sentences with some words changed, two sentences one after the other, and lists of words.

    Half of them have changed words, a fifth are two sentences, the others one to five words; a fifth is in lower case.
    """
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.5:
            text = changed(rng.choice(sentences), words, rng)
        elif kind < 0.7:
            text = f"{rng.choice(sentences)} {rng.choice(sentences)}"
        else:
            text = " ".join(_cased(rng.choice(words), rng) for _ in range(rng.randint(1, 5)))
        found.append(text.lower() if rng.random() < 0.2 else text)
    return found


def changed(sentence: str, words: Sequence[str], rng: random.Random) -> str:
    """``sentence`` with some of its longer words changed for ``words``, one at least; marks and short words stay."""
    parts = sentence.split(" ")
    longer = [at for at, part in enumerate(parts) if len(part) > 3 and part.isalpha()]
    some = [at for at in longer if rng.random() < REPLACED] or (rng.sample(longer, 1) if longer else [])
    for at in some:
        word = rng.choice(words)
        parts[at] = word.capitalize() if parts[at][0].isupper() else word
    return " ".join(parts)


def _cased(word: str, rng: random.Random) -> str:
    return word.capitalize() if rng.random() < 0.3 else word
