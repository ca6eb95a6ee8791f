"""The mixture that backbones are trained on: generated role tasks, public tasks and self-supervised ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .agents.generators import GENERATORS, interviewing, recalling
from .core import corpora as tasks
from .core.errors import UnderstudyError
from .core.meta.training import Episode
from .core.prompts import Example
from .core.self_supervision import missing_word, next_sentence, word_tasks
from .core.streams import Stream
from .core.texts import read_pairs

ROLES = ("planner", "coder", "qa", "recommender")
SHARES = {
    "planner": 0.18, "coder": 0.22, "qa": 0.18, "interviews": 0.14, "recommender": 0.1, "public tasks": 0.11,
    "recall": 0.1, "missing words": 0.03, "next sentences": 0.02,
}  # fmt: skip
WORD_TASKS = 60
PAIRS = 20_000


def texts(example: Example) -> Iterator[str]:
    """All text of an example, for the tokenizer."""
    for passage in example.prompt.passages:
        yield from (" " + passage.title, " " + passage.text)
    for name, text in example.prompt.message:
        yield from (" " + name, " " + text)
    yield " " + example.prompt.role
    for name, value in example.values.items():
        yield " " + name
        if isinstance(value, str):
            yield " " + value


def tokenizer_texts(corpora: list[tasks.Corpus], sentences: list[str], each: int = 4000) -> Iterator[str]:
    """What the tokenizer learns from: generated role tasks, the public tasks and plain sentences."""
    rng = random.Random(11)
    for name in ROLES:
        for _ in range(each):
            yield from texts(GENERATORS[name](rng))
    for _ in range(2 * each):
        yield from texts(tasks.sample(corpora, rng))
    for sentence in sentences[: 10 * each]:
        yield " " + sentence


def self_supervised(corpora: Sequence[tasks.Corpus], sentences: Sequence[str]) -> list[tasks.Corpus]:
    """The public tasks, and beside them tasks of masked words."""
    return [*corpora, *word_tasks(sentences, WORD_TASKS)]


def streams(corpora: list[tasks.Corpus], sentences: Sequence[str], data: Path) -> dict[str, Stream]:
    """One stream of examples for each shipped head, and public and self-supervised tasks for the start of new ones."""
    found = {
        name: Stream(number, SHARES[name], GENERATORS[name]) for number, name in enumerate(ROLES)
    }
    found["public tasks"] = Stream(len(ROLES), SHARES["public tasks"], lambda rng: tasks.sample(corpora, rng))
    found["interviews"] = Stream(ROLES.index("qa"), SHARES["interviews"], interviewing.example)
    found["missing words"] = Stream(len(ROLES), SHARES["missing words"], missing_word(sentences))
    if len(pairs := read_pairs(data, PAIRS)) > 1:
        found["next sentences"] = Stream(len(ROLES), SHARES["next sentences"], next_sentence(pairs))
    found["recall"] = Stream(len(ROLES), SHARES["recall"], recalling.example)
    return found


def episodes(corpora: list[tasks.Corpus]) -> Callable[[random.Random], Episode]:
    """Draws a task the way a user would give it: a few labels or one span, 6 to 12 demonstrations, and questions."""
    asked = 6
    most = 12 + asked
    usable = [c for c in corpora if len(c.lines) >= 60 and not c.family.startswith("blimp")]
    usable = [c for c in usable if tasks.episode(c, random.Random(0), most) is not None]
    if not usable:
        mend = "docs/data.md says what the data folder holds"
        raise UnderstudyError("no task has enough short lines to learn from and to ask", mend=mend)
    families: dict[str, list[tasks.Corpus]] = {}
    for corpus in usable:
        families.setdefault(corpus.family, []).append(corpus)
    names = sorted(families)

    def draw(rng: random.Random) -> Episode:
        while True:
            corpus = rng.choice(families[rng.choice(names)])
            support = rng.randint(6, 12)
            found = tasks.episode(corpus, rng, support + asked)
            if found is not None:
                return found[:support], found[support:]

    return draw


