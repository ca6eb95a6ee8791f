"""A tagger of words: what a stranger would write to find a span, one for each field."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

_WORD = re.compile(r"\w+|[^\w\s]")
Place = tuple[int, int]


def tagged(shown: Sequence[str], places: Sequence[Place | None], asked: Sequence[str]) -> list[str | None]:
    """The span that a logistic regression finds in each text of ``asked``, None where it finds none.

    Each word is inside or outside by itself, its neighbours, its shape and its ending; the span is the run of words
    that are more likely inside than outside with the highest mean probability.

    Args:
        places: first and last character of the span of each text of ``shown``; None where there is none.
    """
    rows: list[dict[str, str | bool]] = []
    inside: list[bool] = []
    for text, place in zip(shown, places, strict=True):
        words = list(_WORD.finditer(text))
        rows += [_features(words, at) for at in range(len(words))]
        inside += [place is not None and place[0] <= word.start() < place[1] for word in words]
    if len(set(inside)) < 2:
        return [None] * len(asked)
    known = DictVectorizer()
    model = LogisticRegression(C=10, max_iter=1000).fit(known.fit_transform(rows), inside)
    return [_best(text, model, known) for text in asked]


def _best(text: str, model: LogisticRegression, known: DictVectorizer) -> str | None:
    words = list(_WORD.finditer(text))
    if not words:
        return None
    chances = model.predict_proba(known.transform([_features(words, at) for at in range(len(words))]))[:, 1].tolist()
    best, found, at = 0.0, None, 0
    while at < len(words):
        end = at
        while end < len(words) and chances[end] > 0.5:
            end += 1
        if end > at and (mean := sum(chances[at:end]) / (end - at)) > best:
            best, found = mean, text[words[at].start() : words[end - 1].end()]
        at = max(end, at + 1)
    return found


def _features(words: Sequence[re.Match[str]], at: int) -> dict[str, str | bool]:
    word = words[at].group()
    around = {
        f"word {by:+d}": words[at + by].group().lower() if 0 <= at + by < len(words) else "edge"
        for by in (-2, -1, 1, 2)
    }
    return {**around, "word": word.lower(), "end": word[-3:].lower(), "number": word.isdigit(), "name": word.istitle()}
