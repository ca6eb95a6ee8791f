"""Self-supervised tasks, made of plain sentences in the form in which fields are decoded.

- masked words (masked language modelling, Devlin et al. 2019): a word of a sentence is missing; write it;
- next sentences (next-sentence prediction, ibid.): does the second sentence follow the first?
- tasks of a subset of words (SMLMT, Bansal et al. 2020): which of these words is missing? Any choice of words is a task
  of its own, so that meta-training has thousands beside the public ones.

A decoder reads from left to right; so the whole sentence stands before what is asked of it.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence

from .corpora import Corpus
from .fields import Choice, Record, Text
from .prompts import Example, Prompt

BLANK = "___"
SHORTEST = 4
"""Letters of a word that is left out: shorter ones say little."""
FEWEST, MOST = 24, 600
"""In how many sentences a word of a task stands."""
FAMILIES = 6
"""The tasks count as this many families, so that an even draw of families has a good share of them."""


def missing_word(sentences: Sequence[str]) -> Callable[[random.Random], Example]:
    """Examples in which the missing word of a sentence is to be written.

    Raises:
        ValueError: no sentence has a word long enough.
    """
    usable = [sentence for sentence in sentences if _words(sentence)]
    if not usable:
        raise ValueError(f"no sentence has a word of {SHORTEST} letters")

    def draw(rng: random.Random) -> Example:
        sentence = rng.choice(usable)
        word = rng.choice(_words(sentence))
        prompt = Prompt(message=(("text", _without(sentence, word)),), role="Write the missing word")
        return Example(prompt, Record((("word", Text(max_tokens=12)),)), {"word": word})

    return draw


def next_sentence(pairs: Sequence[tuple[str, str]]) -> Callable[[random.Random], Example]:
    """Examples in which a sentence and the one after it, or one from elsewhere, are to be told apart.

    Args:
        pairs: a sentence and the one that follows it, two pairs at least.
    """
    record = Record((("follows", Choice(("yes", "no"))),))

    def draw(rng: random.Random) -> Example:
        first, second = rng.choice(pairs)
        follows = rng.random() < 0.5
        if not follows:
            other = rng.choice(pairs)[1]
            follows, second = other == second, other
        role = "Does the second sentence follow the first"
        prompt = Prompt(message=(("first", first), ("second", second)), role=role)
        return Example(prompt, record, {"follows": "yes" if follows else "no"})

    return draw


def word_tasks(sentences: Sequence[str], tasks: int, words: int = 8, seed: int = 0) -> list[Corpus]:
    """Tasks of ``words`` words each: the texts are sentences from which one of them is missing, the label says which.

    In half of the tasks the labels are the words themselves, in the others letters, which only demonstrations explain.
    There are fewer tasks where the sentences have too few words that stand in ``FEWEST`` of them.
    """
    rng = random.Random(seed)
    where: dict[str, list[str]] = {}
    for sentence in dict.fromkeys(sentences):
        for word in dict.fromkeys(_words(sentence)):
            where.setdefault(word.lower(), []).append(_without(sentence, word))
    usable = sorted(word for word, texts in where.items() if FEWEST <= len(texts) <= MOST)
    rng.shuffle(usable)
    found = []
    for number in range(min(tasks, len(usable) // words)):
        some = usable[number * words : (number + 1) * words]
        labels = some if number % 2 else [chr(ord("A") + at) for at in range(words)]
        lines = [(text, label) for word, label in zip(some, labels, strict=True) for text in where[word]]
        rng.shuffle(lines)
        digest = hashlib.sha256("\n".join(f"{text}\t{label}" for text, label in lines).encode()).hexdigest()
        found.append(Corpus(
            f"masked_words_{number}", f"masked words {number % FAMILIES}", "Which word is missing", tuple(labels),
            tuple(lines), "made of the plain texts", "as the texts", digest,
        ))  # fmt: skip
    return found


def _words(sentence: str) -> list[str]:
    return [word for word in sentence.split() if len(word) >= SHORTEST and word.isalpha()]


def _without(sentence: str, word: str) -> str:
    return " ".join(BLANK if part.lower() == word.lower() else part for part in sentence.split())
