"""BANKING77 in episodes: five intents that no fold's weight has seen, one or five sentences of each, 25 to answer.

Casanueva et al. 2020, in the five class-disjoint folds of Dopierre et al. 2021; 600 test episodes a fold. Sentences are
embedded once, by the frozen backbone, and episodes are vectors. What a fold learns, it learns on its train classes; the
best step on its valid classes is taken, and thrown away after the fold.
"""

from __future__ import annotations

import hashlib
import json
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zstandard
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..core.backbone import Backbone
from ..core.errors import UnderstudyError
from ..core.meta.learner import Algorithm, MetaLearner, Tasks
from ..core.meta.maml import fomaml
from ..core.meta.prototype import Prototype
from ..core.meta.tasks import module_tasks, outputs, start_of
from ..few_shot_rivals import regression, tfidf

FOLDS = ("01", "02", "03", "04", "05")
WAYS, ASKED, EPISODES, SEED = 5, 5, 600, 42
SHOTS = (1, 5)
ITERATIONS, AT_ONCE, EVERY, TRIED = 600, 16, 50, 100


@dataclass(frozen=True)
class Episode:
    """Sentences by number: ``shown`` [C][K] and ``asked`` [C][Q], class by class."""

    shown: tuple[tuple[int, ...], ...]
    asked: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Part:
    """A fold's train, valid or test classes: sentences, label → their numbers, and their vectors [N, D]."""

    texts: tuple[str, ...]
    labels: Mapping[str, tuple[int, ...]]
    vectors: Tensor


@dataclass(frozen=True)
class Fold:
    """One fold."""

    train: Part
    valid: Part
    test: Part


def read_pairs(file: Path) -> list[tuple[str, str]]:
    """Lines ``{"sentence": …, "label": …}``. Raises UnderstudyError where the file is missing or has no such lines."""
    try:
        with zstandard.open(file, "rt", encoding="utf-8") as lines:
            return [(str(one["sentence"]), str(one["label"])) for one in map(json.loads, lines)]
    except (OSError, zstandard.ZstdError, ValueError, KeyError) as error:
        what = f"the sentences cannot be read ({error!r})"
        raise UnderstudyError(what, where=str(file), mend="docs/data.md says what it holds") from None


def part_of(pairs: Sequence[tuple[str, str]], known: Mapping[str, Tensor]) -> Part:
    """The classes of (sentence, label) pairs; ``known``: sentence → vector."""
    labels: dict[str, list[int]] = {}
    for number, (_, label) in enumerate(pairs):
        labels.setdefault(label, []).append(number)
    numbers = {label: tuple(labels[label]) for label in sorted(labels)}
    return Part(tuple(text for text, _ in pairs), numbers, torch.stack([known[text] for text, _ in pairs]))


def embedded(texts: Sequence[str], backbone: Backbone, folder: Path) -> dict[str, Tensor]:
    """Sentence → vector; kept in ``folder`` for this backbone and these sentences."""
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]
    file = folder / f"vectors-{backbone.digest()}-{digest}.safetensors"
    if not file.exists():
        save_file({"vectors": backbone.embed(texts)}, file)
    return dict(zip(texts, load_file(file)["vectors"], strict=True))


def draw(part: Part, shots: int, rng: random.Random) -> Episode:
    """Five classes, and of each ``shots`` sentences shown and five others asked."""
    enough = [label for label, numbers in part.labels.items() if len(numbers) >= shots + ASKED]
    if len(enough) < WAYS:
        raise UnderstudyError(f"{len(enough)} classes have {shots + ASKED} sentences", mend=f"{WAYS} are needed")
    sentences = [rng.sample(part.labels[label], shots + ASKED) for label in rng.sample(enough, WAYS)]
    return Episode(tuple(tuple(s[:shots]) for s in sentences), tuple(tuple(s[shots:]) for s in sentences))


def vector_tasks(part: Part, episodes: Sequence[Episode], module: nn.Module) -> Tasks:
    """N tasks on vectors: support [N, C·K, D], query [N, C·Q, D]."""
    sides = []
    for some in ([e.shown for e in episodes], [e.asked for e in episodes]):
        numbers = torch.tensor(some)
        classes = torch.arange(numbers.shape[1]).repeat_interleave(numbers.shape[2])
        sides.append((part.vectors[numbers].flatten(1, 2), classes.repeat(len(numbers), 1)))
    return module_tasks(module, sides[0], sides[1], cross_entropy)


def mapped(width: int, scale: float = 4.0) -> nn.Sequential:
    """A linear map of vectors, which begins by changing their length alone, and a linear head over the classes."""
    turned, head = nn.Linear(width, width), nn.Linear(width, WAYS)
    with torch.no_grad():
        turned.weight.copy_(torch.eye(width) * scale)
        for tensor in (turned.bias, head.weight, head.bias):
            tensor.zero_()
    return nn.Sequential(turned, head)


def right_answers(learner: MetaLearner, module: nn.Module, part: Part, episodes: Sequence[Episode]) -> float:
    """The share of what is asked that is answered rightly after adapting."""
    shares = []
    for first in range(0, len(episodes), 100):
        tasks = vector_tasks(part, episodes[first : first + 100], module)
        parameters = learner.adapt(tasks)
        with torch.no_grad():
            said = outputs(module, parameters, tasks.data["query_x"]).argmax(2)
        shares.append((said == tasks.data["query_y"]).float().mean(1))
    return float(torch.cat(shares).mean())


def learned(algorithm: Algorithm, iterations: int = ITERATIONS) -> Callable[[Fold, int, Sequence[Episode]], float]:
    """A row whose start is learned on the fold's train classes; with no iterations, of nothing but the embedding."""

    def answer(fold: Fold, shots: int, episodes: Sequence[Episode]) -> float:
        module = mapped(fold.test.vectors.shape[1])
        learner = algorithm(start_of(module))
        rng = random.Random(SEED)
        tried = [draw(fold.valid, shots, rng) for _ in range(TRIED)] if iterations else []
        best, found = -1.0, right_answers(learner, module, fold.test, episodes) if not iterations else 0.0
        for number in range(1, iterations + 1):
            drawn = [draw(fold.train, shots, rng) for _ in range(AT_ONCE)]
            learner.outer_step(vector_tasks(fold.train, drawn, module))
            if number % EVERY == 0 or number == iterations:
                share = right_answers(learner, module, fold.valid, tried)
                if share > best:
                    best, found = share, right_answers(learner, module, fold.test, episodes)
        return found

    return answer


def by_words(fold: Fold, shots: int, episodes: Sequence[Episode]) -> float:
    """TF-IDF of what is shown, and logistic regression."""
    right = 0
    for episode in episodes:
        shown = [fold.test.texts[number] for numbers in episode.shown for number in numbers]
        asked = [fold.test.texts[number] for numbers in episode.asked for number in numbers]
        said, _ = tfidf(shown, _labels(episode.shown), asked)
        right += sum(one == other for one, other in zip(said, _labels(episode.asked), strict=True))
    return right / (len(episodes) * WAYS * ASKED)


def by_regression(fold: Fold, shots: int, episodes: Sequence[Episode]) -> float:
    """Our embedding, less the mean of what is shown, and logistic regression."""
    right, vectors = 0, fold.test.vectors.numpy()
    for episode in episodes:
        known, asked = (vectors[np.array(side).ravel()] for side in (episode.shown, episode.asked))
        mean = known.mean(0)
        said, _ = regression(known - mean, _labels(episode.shown), asked - mean)
        right += sum(one == other for one, other in zip(said, _labels(episode.asked), strict=True))
    return right / (len(episodes) * WAYS * ASKED)


def _labels(side: Sequence[Sequence[int]]) -> list[str]:
    return [str(number) for number, some in enumerate(side) for _ in some]


def adapted(start: Any) -> MetaLearner:
    """FOMAML of the map and the head, both adapting."""
    return fomaml(start, steps=5, inner_rate=0.5, rate=3e-4)


def nearest(start: Any) -> MetaLearner:
    """The prototypes of mapped vectors."""
    return Prototype(start, rate=3e-4)


ROWS: dict[str, Callable[[Fold, int, Sequence[Episode]], float]] = {
    "tfidf": by_words,
    "embedding-prototype": learned(nearest, 0),
    "embedding-regression": by_regression,
    "prototype": learned(nearest),
    "fomaml": learned(adapted),
}


def measure(
    names: Sequence[str], data: Path, backbone: Backbone, work: Path, episodes: int = EPISODES,
    on_fold: Callable[[int, int, str], None] | None = None,
) -> None:  # fmt: skip
    """Write ``work/NAME.json`` for each row: shots → the share right of each fold, and seconds without embedding.

    Args:
        data: the folder that has ``banking77_folds``.
        on_fold: called with how many measurements are done, of how many, and the next.
    """
    missing = [name for name in names if not (work / f"{name}.json").exists()]
    if not missing:
        return
    work.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, list[float]]] = {name: {str(shots): [] for shots in SHOTS} for name in missing}
    seconds = dict.fromkeys(missing, 0.0)
    root, parts = data / "banking77_folds", ("train", "valid", "test")
    pairs = {(fold, part): read_pairs(root / fold / f"{part}.jsonl.zst") for fold in FOLDS for part in parts}
    known = embedded(sorted({text for some in pairs.values() for text, _ in some}), backbone, work)
    done, of = 0, len(FOLDS) * len(SHOTS) * len(missing)
    for folder in FOLDS:
        fold = Fold(*(part_of(pairs[folder, part], known) for part in parts))
        for shots in SHOTS:
            rng = random.Random(SEED)
            drawn = [draw(fold.test, shots, rng) for _ in range(episodes)]
            for name in missing:
                if on_fold:
                    on_fold(done, of, f"{name}, fold {folder}, {shots} shots")
                began = time.perf_counter()
                found[name][str(shots)].append(ROWS[name](fold, shots, drawn))
                seconds[name] += time.perf_counter() - began
                done += 1
    for name in missing:
        said = {
            "row": name, "right": found[name], "seconds": round(seconds[name], 1), "episodes": episodes, "seed": SEED,
            "backbone": f"{backbone.name} ({backbone.digest()})",
            "mean": {shots: statistics.fmean(shares) for shots, shares in found[name].items()},
        }  # fmt: skip
        (work / f"{name}.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
