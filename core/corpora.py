"""Corpora: a folder of public tasks as examples, only what may be shipped, sampled by family.

The folder holds ``tasks/meta_train/<task>.json`` (description, family, labels, licence, source) beside
``<task>.jsonl.zst`` (``input`` and ``output`` a line); docs/data.md says how it is laid out.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import zstandard

from .errors import UnderstudyError
from .fields import Choice, Field, Record, Span, SpanValue
from .prompts import Example, Prompt

# Twenty families kept for choosing settings: never trained on. held_out is never opened here at all.
WITHHELD = frozenset(
    "alfred apibench broad_twitter_corpus chatterbot cogs dart decomp emoji mawps medquad nl_rx restaurant8k "
    "strategyqa taskmaster3 text2sql toolalpaca webquestions wikigold wikisql wnut17".split()
)


MOST_SLOTS = 4
"""Of a task with more slots the commonest are asked for."""


@dataclass(frozen=True)
class Corpus:
    """One public task: its lines and what is known of them.

    Outputs are one of ``labels``, or what is said of each of ``slots`` (:func:`slots_of`); where a task has both, the
    label stands on a line of its own before the slots. A task with neither asks for one span of the text.
    """

    name: str
    family: str
    description: str
    labels: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    source: str
    licence: str
    digest: str
    transfer: str = ""
    slots: tuple[str, ...] = ()

    def example(
        self, rng: random.Random, line: tuple[str, str] | None = None, options: Sequence[str] = ()
    ) -> Example | None:
        """One line as an example: a choice among labels, a span of the text, or one for each slot; None: neither.

        ``options``: the labels to choose from; some drawn at random where there are none.
        """
        text, output = line or self.lines[rng.randrange(len(self.lines))]
        prompt = Prompt(message=(("text", text),), role=self.description)
        fields: list[tuple[str, Field]] = []
        values: dict[str, Any] = {}
        label, rest = self.parts(output)
        if self.labels:
            if label not in self.labels:
                return None
            others = [other for other in self.labels if other != label]
            options = options or (*rng.sample(others, min(len(others), rng.randint(1, 9))), label)
            fields.append(("label", Choice(tuple(sorted(options)))))
            values["label"] = label
        said = slots_of(rest) if self.slots else {"answer": rest}
        if said is None:
            return None
        for name in self.slots or (() if self.labels else ("answer",)):
            value = said.get(name, "none")
            at = text.find(value)
            if value != "none" and not (at >= 0 and 0 < len(value) < 60):
                return None
            fields.append((name, Span(part="text", optional=True)))
            values[name] = None if value == "none" else SpanValue(0, at, at + len(value), value)
        return Example(prompt, Record(tuple(fields)), values)

    def parts(self, output: str) -> tuple[str, str]:
        """The label of an output, empty where there is none, and what else it says."""
        if not self.labels:
            return "", output
        label, _, rest = output.partition("\n")
        return label, rest


def slots_of(output: str) -> dict[str, str] | None:
    """What an output such as ``city: Rome; day: friday`` says of each slot; None where it is not written so."""
    parts = [] if output in ("", "none") else [part.split(": ", 1) for part in output.split("; ")]
    found = {part[0]: part[1] for part in parts if len(part) == 2}
    return found if len(found) == len(parts) else None


def _slots(about: dict[str, Any], lines: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The commonest slots of a task that asks for several, in the order in which they are commonest."""
    if "slots" not in about["description"] or not str(about["description"]).startswith("List"):
        return ()
    counts = Counter(name for _, output in lines for name in slots_of(output) or ())
    found = tuple(name for name, count in counts.most_common(MOST_SLOTS) if count >= len(lines) / 20)
    return found if len(found) > 1 else ()


def read_corpora(folder: str | Path, longest: int = 240, most: int = 4000) -> list[Corpus]:
    """The permissively licensed tasks of a data folder that are choices or spans, with short texts.

    Args:
        folder: holds ``tasks/meta_train``.
        longest: longer inputs (characters) are left out.
        most: at most this many lines of a task.

    Raises:
        UnderstudyError: the folder has no such tasks.
    """
    found = []
    for file, about in _tasks(Path(folder), "meta_train"):
        if about["licence_class"] != "permissive" or about["family"] in WITHHELD:
            continue
        corpus = _read(file, about, longest, most)
        if len(corpus.lines) >= 40 and _usable(corpus):
            found.append(corpus)
    return [*found, *_domains(found)]


def read_asked(folder: str | Path, split: str, names: Sequence[str] = (), longest: int = 300) -> list[Corpus]:
    """Tasks that no shipped weight has learned from, to measure on: choices and spans with short enough texts.

    Args:
        folder: holds ``tasks``.
        split: ``held_out``, which is read once for each released backbone, or ``choosing``: what ``tasks/meta_train``
            has of the withheld families and of those that may not be shipped, for choosing settings.
        names: only these.

    Raises:
        UnderstudyError: the folder has no such tasks.
    """
    found = []
    for file, about in _tasks(Path(folder), "held_out" if split == "held_out" else "meta_train"):
        trained = about["licence_class"] == "permissive" and about["family"] not in WITHHELD
        # The sentences of medquad's answers are among the plain texts that backbones are trained on.
        barred = split != "held_out" and (trained or about["family"] == "medquad")
        if barred or (names and about["task"] not in names):
            continue
        corpus = _read(file, about, longest, 20_000)
        if len(corpus.lines) >= 60 and _usable(corpus):
            found.append(corpus)
    return [*found, *_joined(found)]


def _joined(corpora: Sequence[Corpus]) -> list[Corpus]:
    """Where the same texts are asked for a label and for slots, one more task that asks for all of them."""
    more = []
    for one in corpora:
        for other in corpora:
            if one.labels and not one.slots and other.slots and one.family == other.family:
                slots = dict(other.lines)
                lines = tuple((text, f"{label}\n{slots[text]}") for text, label in one.lines if text in slots)
                if len(lines) >= 60:
                    name = f"{one.name} + {other.name}"
                    what = f"{one.description} and {other.description[0].lower()}{other.description[1:]}"
                    digest = hashlib.sha256(f"{one.digest}{other.digest}".encode()).hexdigest()
                    both = replace(one, name=name, description=what, lines=lines, digest=digest)
                    more.append(replace(both, slots=other.slots))
    return more


def _tasks(folder: Path, split: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    tasks = folder / "tasks" / split
    files = sorted(tasks.glob("*.json"))
    if not files:
        raise UnderstudyError("no tasks found", where=str(tasks), mend="give the folder that docs/data.md describes")
    for file in files:
        yield file, json.loads(file.read_text(encoding="utf-8"))


def _read(file: Path, about: dict[str, Any], longest: int, most: int) -> Corpus:
    raw = file.with_suffix(".jsonl.zst").read_bytes()
    lines = []
    with zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            item = json.loads(line)
            text, output = str(item["input"]), str(item["output"])
            if 0 < len(text) <= longest and output:
                lines.append((text, output))
            if len(lines) >= most:
                break
    return Corpus(
        about["task"],
        about["family"],
        about["description"].split("(")[0].split(",")[0].strip().rstrip("."),
        tuple(about.get("labels") or ()),
        tuple(lines),
        about["source"],
        about["licence"],
        hashlib.sha256(raw).hexdigest(),
        str(about.get("transfer", "")),
        _slots(about, lines),
    )


def _usable(corpus: Corpus) -> bool:
    """Whether at least 40 lines, and half of them, are choices or spans."""
    rng = random.Random(0)
    usable = sum(corpus.example(rng, line) is not None for line in corpus.lines)
    return usable >= 40 and usable >= len(corpus.lines) / 2


def _domains(corpora: Sequence[Corpus]) -> list[Corpus]:
    """For families split by domain, one more task: which domain is the message about?"""
    more = []
    for family in ("clinc150", "hwu64"):
        members = [c for c in corpora if c.family == family]
        if len(members) > 2:
            names = [c.name.split("_", 1)[1].replace("_", " ") for c in members]
            lines = [(text, name) for c, name in zip(members, names, strict=True) for text, _ in c.lines]
            digest = hashlib.sha256("".join(c.digest for c in members).encode()).hexdigest()
            more.append(
                Corpus(
                    f"{family}_domain",
                    f"{family}_domain",
                    "Name the domain of a message",
                    tuple(names),
                    tuple(lines),
                    members[0].source,
                    members[0].licence,
                    digest,
                )
            )
    return more


def sources(corpora: Iterable[Corpus]) -> list[dict[str, Any]]:
    """What the manifest of a backbone says of its data."""
    return [
        {"task": c.name, "source": c.source, "licence": c.licence, "lines": len(c.lines), "sha256": c.digest}
        for c in corpora
    ]


def sample(corpora: Sequence[Corpus], rng: random.Random) -> Example:
    """One example: a family drawn first (so that big families do not swamp the rest), then a task, then a line."""
    families: dict[str, list[Corpus]] = {}
    for corpus in corpora:
        families.setdefault("blimp" if corpus.family.startswith("blimp") else corpus.family, []).append(corpus)
    names = sorted(families)
    while True:
        corpus = rng.choice(families[rng.choice(names)])
        example = corpus.example(rng)
        if example is not None:
            return example


def episode(corpus: Corpus, rng: random.Random, size: int) -> list[Example] | None:
    """``size`` examples of one task under one schema: two to six of its labels, balanced, or its span.

    None where the task has too few lines for it.
    """
    if not corpus.labels:
        lines = rng.sample(corpus.lines, min(len(corpus.lines), size * 2))
        found = [example for line in lines if (example := corpus.example(rng, line)) is not None]
        return found[:size] if len(found) >= size else None
    by_label: dict[str, list[tuple[str, str]]] = {}
    for line in corpus.lines:
        by_label.setdefault(line[1], []).append(line)
    common = sorted(label for label, lines in by_label.items() if label in corpus.labels and len(lines) >= size // 2)
    if len(common) < 2:
        return None
    labels = rng.sample(common, min(len(common), rng.randint(2, 6)))
    record = Record((("label", Choice(tuple(sorted(labels)))),))
    pools = {label: rng.sample(by_label[label], min(len(by_label[label]), size)) for label in labels}
    found = []
    while len(found) < size and any(pools.values()):
        for label in rng.sample(labels, len(labels)):
            if pools[label] and len(found) < size:
                text, output = pools[label].pop()
                prompt = Prompt(message=(("text", text),), role=corpus.description)
                found.append(Example(prompt, record, {"label": output}))
    return found if len(found) == size else None
