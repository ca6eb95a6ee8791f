"""What a handful of demonstrations buys: tasks that no weight has seen, learned in many ways and asked.

A task is learned as a stranger would have it learned: a description, a schema of at most ten labels (or one span of the
text), some demonstrations, each label in turn; then questions as they come. Every arm sees the same demonstrations and
the same questions.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from .core.abstention import Prior, calibrated_threshold
from .core.adaptation import Activation, Layers, adapt
from .core.backbone import Backbone
from .core.bank import HeadBank
from .core.corpora import Corpus
from .core.decoding import Call, Decoder
from .core.demonstrations import render
from .core.errors import UnderstudyError
from .core.fields import Choice, SpanValue
from .core.heads import Head
from .core.meta.start import Start
from .core.prompts import Example
from .few_shot_rivals import RIVALS, Rivals, written

MOST_LABELS = 10
METHOD = 6
"""Counted up when what an arm does has changed, so that kept outcomes of before are measured again."""
Answer = tuple[dict[str, Any], float, float]
"""Figures of an outcome, seconds of learning, seconds of answering."""


@dataclass(frozen=True)
class Task:
    """Demonstrations and questions under one schema, drawn from a corpus."""

    name: str
    family: str
    transfer: str
    demonstrations: tuple[Example, ...]
    questions: tuple[Example, ...]

    @property
    def kind(self) -> str:
        """What is asked for: ``choice`` of a label, ``span`` of the text, or several ``fields``."""
        fields = self.questions[0].record.fields
        return "fields" if len(fields) > 1 else "choice" if isinstance(fields[0][1], Choice) else "span"

    @property
    def answers(self) -> tuple[list[str], list[str]]:
        """The right answers as text: of the demonstrations, and of the questions."""
        return [wanted_of(e) for e in self.demonstrations], [wanted_of(e) for e in self.questions]


@dataclass(frozen=True)
class Outcome:
    """What one arm did on one task: the share of questions right, and wall seconds of learning and of answering.

    ``confidences``: of each question, negative where the answer was wrong; ``left_out``: the same of each
    demonstration, by the head that had not learned from it; both empty for rivals that answer everything.
    """

    task: str
    family: str
    transfer: str
    kind: str
    size: int
    draw: int
    arm: str
    right: float
    questions: int
    learning: float
    answering: float
    confidences: tuple[float, ...] = ()
    left_out: tuple[float, ...] = ()

    def answered(self, error: float, prior: Prior | None = None) -> list[bool] | None:
        """Whether right, of each question above the threshold that keeps the expected ``error``; None: no threshold."""
        if not self.left_out:
            return None
        sure, right = [abs(c) for c in self.left_out], [c > 0 for c in self.left_out]
        threshold = calibrated_threshold(sure, right, error, prior)
        return [c > 0 for c in self.confidences if abs(c) >= threshold]

    def in_hindsight(self, error: float) -> float | None:
        """The largest share of questions that it could have answered with ``error`` wrong, had it known how sure to be.

        What confidences are worth by themselves, whatever chose the threshold; None where there are none.
        """
        if not self.confidences:
            return None
        wrong, best = 0, 0
        for at, confidence in enumerate(sorted(self.confidences, key=lambda c: (-abs(c), c)), 1):
            wrong += confidence < 0
            if wrong <= error * at:
                best = at
        return best / len(self.confidences)


def draw_task(corpus: Corpus, size: int, draw: int, questions: int, sizes: Sequence[int] = ()) -> Task | None:
    """``size`` demonstrations and at most ``questions`` questions, the same whenever it is asked for; None: too few.

    Tasks of all ``sizes`` of a table have the same labels and questions, and smaller ones are parts of larger ones: so
    there are no more labels than the smallest can show.
    """
    rng = random.Random(f"{corpus.name}:{draw}")
    lines = [line for line in dict.fromkeys(corpus.lines) if corpus.example(random.Random(0), line) is not None]
    rng.shuffle(lines)
    by_label: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        by_label.setdefault(corpus.parts(line[1])[0], []).append(line)
    most = max(size, *sizes) if sizes else size
    common = sorted(label for label, some in by_label.items() if len(some) >= 8)
    chosen = rng.sample(common, min(len(common), MOST_LABELS, size, *sizes))
    if corpus.labels and len(chosen) < 2:
        return None
    pools = {label: list(by_label[label]) for label in chosen}
    picked: list[tuple[str, str]] = []
    while len(picked) < most and any(pools.values()):
        picked += [pools[label].pop() for label in chosen if pools[label]]
    shown = _examples(corpus, picked[:most], chosen)[:size]
    rest = [line for label in chosen for line in pools[label]]
    rng.shuffle(rest)
    asked = _examples(corpus, rest[:questions], chosen)
    if len(shown) < size or len(asked) < 20:
        return None
    return Task(corpus.name, corpus.family, corpus.transfer, tuple(shown), tuple(asked))


def _examples(corpus: Corpus, lines: Sequence[tuple[str, str]], labels: Sequence[str]) -> list[Example]:
    rng = random.Random(0)
    options = labels if corpus.labels else ()
    return [example for line in lines if (example := corpus.example(rng, line, options)) is not None]


@dataclass(frozen=True)
class Arm:
    """One way to learn: where heads begin, what learns, where it is active, and what stands in the prompt."""

    start: str
    layers: Layers | None
    readout: bool = True
    shown: bool = False
    activation: Activation = "row"

    @property
    def name(self) -> str:
        """As the table says it."""
        learned = {None: "nothing", "top": "top third", "all": "all layers"}[self.layers]
        if self.layers is None and self.readout:
            learned = "readout"
        elif not self.readout:
            learned += " without readout"
        learned += " from the role marker on" if self.activation == "marker" else ""
        return f"{self.start} start · {learned}" + (" · demonstrations in context" if self.shown else "")


def arms(starts: Sequence[str]) -> list[Arm]:
    """The grid: every start with each of what can learn; with nothing learned, the demonstrations shown or not."""
    found = []
    for start in starts:
        found += [Arm(start, None), Arm(start, "top"), Arm(start, "all"), Arm(start, "top", readout=False)]
        found.append(Arm(start, "top", activation="marker"))
        found += [Arm(start, None, readout=False), Arm(start, None, readout=False, shown=True)]
    return found


def kept_outcomes(file: Path) -> Iterator[tuple[str, Outcome]]:
    """What a :class:`Bench` has kept: each outcome under its key."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            document = json.loads(line)
            known = {one.name for one in fields(Outcome)}
            yield document.pop("key"), Outcome(**{k: v for k, v in document.items() if k in known})
        except (ValueError, KeyError, TypeError):
            continue  # of before, or the line that a kill has cut off: it is measured again


class Bench:
    """Asks tasks of arms and rivals; what has been measured is kept, line by line, and never measured again.

    Args:
        starts: name → start.
        kept: a JSONL file of outcomes.
    """

    def __init__(self, backbone: Backbone, starts: Mapping[str, Start], rivals: Rivals, kept: Path) -> None:
        self.backbone, self.starts, self.rivals, self.kept = backbone, starts, rivals, kept
        self.digest = backbone.digest()
        self._starts = {name: _digest(start) for name, start in starts.items()}
        self._known = dict(kept_outcomes(kept))

    def run(
        self, corpora: Sequence[Corpus], sizes: Sequence[int], draws: int, questions: int, chosen: Sequence[Arm],
        on_task: Callable[[int, int, str], None] = lambda done, of, name: None,
    ) -> list[Outcome]:  # fmt: skip
        """All outcomes, those already kept among them, draw by draw, so that a stopped run is a smaller table."""
        plan = [(draw, size, corpus) for draw in range(draws) for size in sizes for corpus in corpora]
        found: list[Outcome] = []
        if not plan:
            raise UnderstudyError("there is nothing to measure")
        for done, (draw, size, corpus) in enumerate(plan):
            on_task(done, len(plan), corpus.name)
            task = draw_task(corpus, size, draw, questions, sizes)
            if task is None:
                continue
            labels = len({e.values.get("label") for e in task.demonstrations})
            of = f"{corpus.digest[:12]}|{size}|{draw}|{labels}"
            for rival in RIVALS:
                key = f"{of}|{METHOD}|{self.rivals.digest}"
                found += self._once(key, rival, task, size, draw, partial(self.rivals.answer, rival, task))
            for arm in chosen:
                key = f"{of}|{METHOD}|{self._starts[arm.start]}"
                found += self._once(key, arm.name, task, size, draw, partial(self._learned, arm, task))
        on_task(len(plan), len(plan), "done")
        if not found:
            mend = "give fewer demonstrations or questions"
            raise UnderstudyError("no task has lines enough for this", mend=mend)
        return found

    def _once(
        self, of: str, arm: str, task: Task, size: int, draw: int, answer: Callable[[], Answer | None]
    ) -> list[Outcome]:
        key = f"{self.digest}|{task.name}|{len(task.questions)}|{of}|{arm}"
        if key not in self._known:
            got = answer()
            if got is None:
                return []
            figures, learning, answering = got
            outcome = Outcome(task.name, task.family, task.transfer, task.kind, size, draw, arm,
                              questions=len(task.questions), learning=round(learning, 3), answering=round(answering, 3),
                              **figures)  # fmt: skip
            self._known[key] = outcome
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            with self.kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key} | asdict(outcome)) + "\n")
        return [self._known[key]]

    def _learned(self, arm: Arm, task: Task) -> Answer | None:
        start = self.starts[arm.start]
        began = time.perf_counter()
        bank, questions, name = HeadBank(self.backbone.sites), list(task.questions), None
        left_out: tuple[tuple[float, bool], ...] = ()
        if arm.layers is None and not arm.readout:
            # What the start alone says: its tensors as a head, with nothing learned.
            name = "start"
            bank.add(Head.of_stack(name, start.stack()))
            if arm.shown:
                turns = tuple(f"{e.prompt.part('text')} : {wanted_of(e)}" for e in task.demonstrations)
                questions = [replace(q, prompt=replace(q.prompt, transcript=turns)) for q in questions]
                if any(len(render(q, self.backbone).ids) > self.backbone.max_tokens for q in questions):
                    return None  # the demonstrations do not fit into the context
        else:
            layers = arm.layers or "top"
            steps = 12 if arm.layers else 0
            head, report = adapt(
                self.backbone, task.demonstrations, start, steps=steps, layers=layers, readout=arm.readout,
                activation=arm.activation,
            )  # fmt: skip
            bank.add(head)
            name, left_out = head.name, report.left_out
        learned = time.perf_counter()
        decoder = Decoder(self.backbone, bank, batch=32)
        replies = decoder.decode([Call(q.prompt, q.record, name) for q in questions])
        answered = time.perf_counter()
        right = [text_of(r.values) == wanted_of(q) for r, q in zip(replies, questions, strict=True)]
        figures = {
            "right": sum(right) / len(right),
            "confidences": _signed(zip((reply.confidence for reply in replies), right, strict=True)),
            "left_out": _signed(left_out),
        }  # fmt: skip
        return figures, learned - began, answered - learned


def _digest(start: Start) -> str:
    """A short fingerprint of where heads begin."""
    sha = hashlib.sha256()
    for name, tensor in sorted({**start.tensors, **{f"rate|{n}": r for n, r in (start.rates or {}).items()}}.items()):
        sha.update(name.encode())
        sha.update(tensor.float().flatten()[:64].numpy().tobytes())
    return sha.hexdigest()[:8]


def _signed(pairs: Iterable[tuple[float, bool]]) -> tuple[float, ...]:
    return tuple(round(confidence if right else -confidence, 4) for confidence, right in pairs)


def text_of(values: Mapping[str, Any]) -> str:
    """The value of an answer as text, ``none`` where there is none; of several fields, all with their names."""
    said = {
        name: "none" if value is None else value.text if isinstance(value, SpanValue) else str(value)
        for name, value in values.items()
    }
    return written(said)


def wanted_of(example: Example) -> str:
    """The right answer as text."""
    return text_of(example.values)
