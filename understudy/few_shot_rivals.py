"""What a stranger would write in an hour instead of learning a head: plain classifiers of the same demonstrations."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from .core.backbone import Backbone
from .core.distillation import Teacher

if TYPE_CHECKING:
    from torch import Tensor

    from .few_shot import Task

RIVALS = (
    "commonest answer (known)",
    "nearest demonstration",
    "TF-IDF + logistic regression",
    "our embedding + logistic regression",
    "encoder + logistic regression",
)


class Rivals:
    """Classifiers for closed tasks, and what is commonest for all; ``encoder``: a folder to stand beside ours."""

    def __init__(self, backbone: Backbone, encoder: Path | None = None) -> None:
        self.backbone = backbone
        self.encoder = Teacher.load(encoder) if encoder else None
        file = encoder / "model.safetensors" if encoder else None
        self.digest = hashlib.sha256(file.read_bytes()).hexdigest()[:8] if file and file.is_file() else ""

    def answer(self, rival: str, task: Task) -> tuple[dict[str, Any], float, float] | None:
        """The share right, and the seconds of fitting and answering; None where it has no answer to such a task."""
        if (not task.closed and rival != RIVALS[0]) or (rival.startswith("encoder") and self.encoder is None):
            return None
        began = time.perf_counter()
        shown = [example.prompt.part("text") for example in task.demonstrations]
        asked = [example.prompt.part("text") for example in task.questions]
        labels, wanted = task.answers
        if rival == RIVALS[0]:
            # Demonstrations show each label as often: what is commonest is only known to who has seen the answers.
            said = [Counter(wanted).most_common(1)[0][0]] * len(asked)
        elif rival == "nearest demonstration":
            near = self.backbone.embed(asked) @ self.backbone.embed(shown).t()
            said = [labels[at] for at in near.argmax(1).tolist()]
        elif rival.startswith("TF-IDF"):
            said = _tfidf(shown, labels, asked)
        elif rival.startswith("our embedding"):
            said = _regression(self.backbone.embed(shown), labels, self.backbone.embed(asked))
        else:
            assert self.encoder is not None
            said = _regression(self.encoder.encode(shown), labels, self.encoder.encode(asked))
        right = sum(one == other for one, other in zip(said, wanted, strict=True)) / len(wanted)
        return {"right": right}, time.perf_counter() - began, 0.0


def _tfidf(shown: list[str], labels: list[str], asked: list[str]) -> list[str]:
    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    try:
        known = words.fit_transform(shown)
    except ValueError:  # no words at all
        return [labels[0]] * len(asked)
    model = LogisticRegression(C=10, max_iter=1000).fit(known, labels)
    return [str(label) for label in model.predict(words.transform(asked))]


def _regression(shown: Tensor, labels: list[str], asked: Tensor) -> list[str]:
    mean = shown.mean(0)
    model = LogisticRegression(C=10, max_iter=1000).fit((shown - mean).numpy(), labels)
    return [str(label) for label in model.predict((asked - mean).numpy())]
