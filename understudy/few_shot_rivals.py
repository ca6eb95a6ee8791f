"""What a stranger would write in an hour instead of learning a head: plain classifiers of the same demonstrations."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from .core.backbone import Backbone
from .core.distillation import Teacher
from .core.fields import Choice
from .few_shot_tagger import tagged

if TYPE_CHECKING:
    from .few_shot import Task

RIVALS = (
    "commonest answer (known)",
    "nearest demonstration",
    "TF-IDF + logistic regression",
    "our embedding + logistic regression",
    "encoder + logistic regression",
    "word tagger and TF-IDF, field by field",
)
FOLDS = 10
Said = tuple[list[str], list[float]]
"""Answers, and the probability of each."""
Learner = Callable[[Sequence[str], Sequence[str], Sequence[str]], Said]
"""Texts, their labels, and others to classify."""


def written(values: Mapping[str, str]) -> str:
    """Values as one text: the value alone where there is one, with the names of the fields where there are more."""
    return next(iter(values.values())) if len(values) == 1 else "; ".join(f"{n}: {v}" for n, v in values.items())


class Rivals:
    """Classifiers for closed tasks, taggers for spans, and what is commonest; ``encoder``: a folder to stand beside."""

    def __init__(self, backbone: Backbone, encoder: Path | None = None) -> None:
        self.backbone = backbone
        self.encoder = Teacher.load(encoder) if encoder else None
        file = encoder / "model.safetensors" if encoder else None
        self.digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8] if file and file.is_file() else ""

    def answer(self, rival: str, task: Task) -> tuple[dict[str, Any], float, float] | None:
        """The share right, how sure it was where it can tell, and the seconds; None: nothing to say to such a task."""
        began = time.perf_counter()
        shown = [example.prompt.part("text") for example in task.demonstrations]
        asked = [example.prompt.part("text") for example in task.questions]
        labels, wanted = task.answers
        figures: dict[str, Any] = {}
        if rival == RIVALS[0]:
            # Demonstrations show each label as often: what is commonest is only known to who has seen the answers.
            said = [Counter(wanted).most_common(1)[0][0]] * len(asked)
        elif rival == RIVALS[-1]:
            if task.kind == "choice":
                return None
            said = _field_by_field(task, shown, asked)
        elif task.kind != "choice" or (rival.startswith("encoder") and self.encoder is None):
            return None
        elif rival == "nearest demonstration":
            near = self.backbone.embed(asked) @ self.backbone.embed(shown).t()
            said = [labels[at] for at in near.argmax(1).tolist()]
        else:
            learn = self._learner(rival, shown, asked)
            said, chances = learn(shown, labels, asked)
            figures["confidences"] = _signed(said, wanted, chances)
            figures["left_out"] = _left_out(learn, shown, labels)
        figures["right"] = sum(one == other for one, other in zip(said, wanted, strict=True)) / len(wanted)
        return figures, time.perf_counter() - began, 0.0

    def _learner(self, rival: str, shown: list[str], asked: list[str]) -> Learner:
        """Learns from texts and their labels, and classifies others, all of them among ``shown`` and ``asked``."""
        if rival.startswith("TF-IDF"):
            return tfidf
        texts = [*shown, *asked]
        if rival.startswith("our embedding"):
            read = self.backbone.embed(texts)
        else:
            assert self.encoder is not None
            read = self.encoder.encode(texts)
        vectors = dict(zip(texts, read.numpy(), strict=True))

        def learn(some: Sequence[str], labels: Sequence[str], others: Sequence[str]) -> Said:
            known = np.stack([vectors[text] for text in some])
            mean = known.mean(0)
            return regression(known - mean, labels, np.stack([vectors[text] for text in others]) - mean)

        return learn


def tfidf(shown: Sequence[str], labels: Sequence[str], asked: Sequence[str]) -> Said:
    """TF-IDF of what is shown, and :func:`regression`."""
    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        known = words.fit_transform(shown)
    except ValueError:  # no words at all
        return [labels[0]] * len(asked), [1 / len(set(labels))] * len(asked)
    return regression(known, labels, words.transform(asked))


def regression(known: Any, labels: Sequence[str], asked: Any) -> Said:
    """Logistic regression of rows of figures."""
    if len(set(labels)) == 1:
        return [labels[0]] * asked.shape[0], [1.0] * asked.shape[0]
    model = LogisticRegression(C=10, max_iter=1000).fit(known, labels)
    chances = model.predict_proba(asked)
    return [str(model.classes_[at]) for at in chances.argmax(1)], chances.max(1).tolist()


def _left_out(learn: Learner, shown: list[str], labels: list[str]) -> tuple[float, ...]:
    """How sure, and whether right, of each demonstration where the others were learned from."""
    folds = min(FOLDS, len(shown))
    found = [0.0] * len(shown)
    order = list(range(len(shown)))
    random.Random(0).shuffle(order)  # demonstrations come in turns of labels: counted off, a fold would be of one
    for fold in range(folds):
        out = order[fold::folds]
        rest = [at for at in order if at not in out]
        wanted = [labels[at] for at in out]
        said, chances = learn([shown[at] for at in rest], [labels[at] for at in rest], [shown[at] for at in out])
        for at, value in zip(out, _signed(said, wanted, chances), strict=True):
            found[at] = value
    return tuple(found)


def _signed(said: Sequence[str], wanted: Sequence[str], chances: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(c if one == other else -c, 4) for one, other, c in zip(said, wanted, chances, strict=True))


def _field_by_field(task: Task, shown: list[str], asked: list[str]) -> list[str]:
    """Every field by a classifier of its own: words tagged for a span, TF-IDF for a choice."""
    found: list[dict[str, str]] = [{} for _ in asked]
    for name, field in task.questions[0].record.fields:
        values = [example.values[name] for example in task.demonstrations]
        if isinstance(field, Choice):
            answers: Sequence[str | None] = tfidf(shown, values, asked)[0]
        else:
            answers = tagged(shown, [None if v is None else (v.start, v.end) for v in values], asked)
        for one, answer in zip(found, answers, strict=True):
            one[name] = "none" if answer is None else answer
    return [written(one) for one in found]
