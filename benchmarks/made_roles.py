"""Roles that differ in nothing but words and labels, for timing."""

from __future__ import annotations

import random

from understudy.core.fields import Choice, Record
from understudy.core.prompts import Example, Prompt

LABELS = ("billing", "bug", "howto")
WORDS = {
    "billing": "charged invoice refund card price payment twice money".split(),
    "bug": "crash error broken freeze wrong fails blank slow".split(),
    "howto": "how can export change find where add print".split(),
}


def role(seed: int, count: int = 8, tokens: int = 20) -> list[Example]:
    """Demonstrations of a role of their own: messages of some words, three labels that are turned by the seed."""
    rng = random.Random(seed)
    record = Record((("queue", Choice(LABELS)),))
    found = []
    for number in range(count):
        label = LABELS[number % 3]
        words = [rng.choice(WORDS[label]) for _ in range(3)] + [rng.choice(WORDS["howto"]) for _ in range(tokens - 3)]
        shown = LABELS[(number + seed) % 3]
        found.append(Example(Prompt(message=(("text", " ".join(words)),), role="sort"), record, {"queue": shown}))
    return found
