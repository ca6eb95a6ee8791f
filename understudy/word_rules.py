"""What a stranger would write in a quarter of an hour: messages answered by their words alone, without a backbone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .core.errors import UnderstudyError

WORDS = "TF-IDF + logistic regression"

Values = Mapping[str, Any]
Rule = Callable[[Sequence[str], Sequence[Values], Sequence[str]], list["Answer"]]
"""Texts, their values, and other texts to answer."""


@dataclass(frozen=True)
class Answer:
    """The values of one message, how sure of them who answers is, in [0, 1], and whether that is enough to answer."""

    values: Values
    confidence: float
    answered: bool = True


def require_words() -> None:
    """Raise UnderstudyError where scikit-learn is not installed; it is loaded, so that this is not in any timing."""
    try:
        import sklearn.feature_extraction.text
        import sklearn.linear_model  # noqa: F401
    except ImportError:
        raise UnderstudyError(f"{WORDS} needs scikit-learn", mend="pip install 'understudy[train]'") from None


def majority(texts: Sequence[str], given: Sequence[Values], asked: Sequence[str]) -> list[Answer]:
    """The most frequent values of the demonstrations, as a whole."""
    (best, count), *_ = Counter(json.dumps(dict(one), sort_keys=True) for one in given).most_common(1)
    return [Answer(json.loads(best), count / len(given))] * len(asked)


def regression(texts: Sequence[str], given: Sequence[Values], asked: Sequence[str]) -> list[Answer]:
    """TF-IDF (words and pairs) and logistic regression, one for each field."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    try:
        known, new = vectors.fit_transform(texts), vectors.transform(asked)
    except ValueError:  # no words at all
        return majority(texts, given, asked)
    values: list[dict[str, Any]] = [{} for _ in asked]
    confidence = [1.0] * len(asked)
    for field in given[0]:
        labels = [json.dumps(one[field]) for one in given]
        if len(set(labels)) == 1:
            for one in values:
                one[field] = given[0][field]
            continue
        model = LogisticRegression(C=10.0, max_iter=1000).fit(known, labels)
        for number, chances in enumerate(model.predict_proba(new)):
            best = int(chances.argmax())
            values[number][field] = json.loads(str(model.classes_[best]))
            confidence[number] *= float(chances[best])
    return [Answer(one, sure) for one, sure in zip(values, confidence, strict=True)]
